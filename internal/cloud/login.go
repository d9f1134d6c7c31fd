package cloud

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/oauth2"

	"github.com/sp-registry/sp/internal/secret"
)

// ErrNoBrowser is returned if no browser could be opened.
var ErrNoBrowser = errors.New("no browser can be opened")

// Browser opens a URL where the user sees it.
type Browser func(ctx context.Context, url string) error

// Device is what the user needs to allow a login from another device.
type Device struct {
	// URL is where the code is to be entered; Whole has it entered already, and may be empty.
	URL, Whole, Code string
}

// LogInByBrowser has the user log in with a browser on this machine, which comes back to a port of
// 127.0.0.1 (RFC 8252, with PKCE).
func (c *Client) LogInByBrowser(ctx context.Context, open Browser) (Login, Me, error) {
	p, err := c.discover(ctx)
	if err != nil {
		return Login{}, Me{}, err
	}
	state, err := c.newWord()
	if err != nil {
		return Login{}, Me{}, err
	}
	verifier, err := c.newWord()
	if err != nil {
		return Login{}, Me{}, err
	}
	back, err := listen(p.Issuer, state)
	if err != nil {
		return Login{}, Me{}, err
	}
	defer back.close()
	config := p.config(back.url())
	if err := open(ctx, config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), c.named())); err != nil {
		return Login{}, Me{}, fmt.Errorf("%w: %w", ErrNoBrowser, err)
	}
	code, err := back.wait(ctx, c.Host())
	if err != nil {
		return Login{}, Me{}, err
	}
	token, err := config.Exchange(c.forOAuth(ctx), code.Reveal(), oauth2.VerifierOption(verifier))
	return c.logIn(ctx, token, c.refused(ctx, err))
}

// LogInByDevice has the user log in anywhere else; show is told where, and with which code.
func (c *Client) LogInByDevice(ctx context.Context, show func(Device)) (Login, Me, error) {
	p, err := c.discover(ctx)
	if err != nil {
		return Login{}, Me{}, err
	}
	config := p.config("")
	device, err := config.DeviceAuth(c.forOAuth(ctx), c.named())
	if err != nil {
		return Login{}, Me{}, c.refused(ctx, err)
	}
	if _, ok := c.within(device.VerificationURI); !ok || device.UserCode == "" {
		return Login{}, Me{}, c.noAnswer("its answer names no page on which to allow the login")
	}
	whole := device.VerificationURIComplete
	if _, ok := c.within(whole); !ok {
		whole = ""
	}
	show(Device{device.VerificationURI, whole, shown(device.UserCode, secret.Secret{})})
	token, err := c.awaitDevice(ctx, config, device)
	return c.logIn(ctx, token, err)
}

// awaitDevice asks until the user has allowed the login. A question that gets no answer is asked again.
func (c *Client) awaitDevice(ctx context.Context, config *oauth2.Config, device *oauth2.DeviceAuthResponse) (*oauth2.Token, error) {
	for tries := 1; ; tries++ {
		token, err := config.DeviceAccessToken(c.forOAuth(ctx), device)
		if err == context.DeadlineExceeded && ctx.Err() == nil { //nolint:errorlint // a connection that took too long is that, too
			return nil, tooLate(c.Host())
		}
		refused := c.refused(ctx, err)
		if refused == nil || !isPassing(refused) || tries == mostTries {
			return token, refused
		}
	}
}

// tooLate is the error of a login that nobody has allowed.
func tooLate(host string) error {
	return fmt.Errorf("%s: the login was not allowed in time: %w", host, ErrUnauthenticated)
}

// LogInByToken checks a personal token.
func (c *Client) LogInByToken(ctx context.Context, token secret.Secret) (Login, Me, error) {
	if token.Empty() {
		return Login{}, Me{}, fmt.Errorf("the token is empty: %w", ErrInvalid)
	}
	return c.logIn(ctx, &oauth2.Token{AccessToken: token.Reveal()}, nil)
}

// logIn asks whose token it is.
func (c *Client) logIn(ctx context.Context, token *oauth2.Token, err error) (Login, Me, error) {
	if err != nil {
		return Login{}, Me{}, err
	}
	now := c.Now()
	l := Login{URL: c.Base, AuthenticatedAt: now}
	l.take(token, now)
	with := *c
	with.Tokens = Fixed{l.Token}
	me, _, err := with.Me(ctx, "")
	if err != nil {
		return Login{}, Me{}, err
	}
	if l.Email = me.User.Email; l.lacks() != "" {
		err = c.noAnswer("its user has no email address")
	}
	return l, me, err
}

// Revoke ends a login at the control plane. A personal token stays: its user made it.
func (c *Client) Revoke(ctx context.Context, l Login) error {
	switch {
	case l.IsPersonal():
		return nil
	case l.Refresh != nil:
		return c.revoke(ctx, *l.Refresh)
	}
	return c.revoke(ctx, l.Token)
}

// named tells the pages of a login which machine asks.
func (c *Client) named() oauth2.AuthCodeOption { return oauth2.SetAuthURLParam("hostname", c.Hostname) }

// newWord returns 32 random bytes, as a word that URLs may hold.
func (c *Client) newWord() (string, error) {
	var b [32]byte
	_, err := io.ReadFull(c.Random, b[:])
	return base64.RawURLEncoding.EncodeToString(b[:]), err
}

// loginPatience is how long a browser may take to come back.
const loginPatience = 5 * time.Minute
