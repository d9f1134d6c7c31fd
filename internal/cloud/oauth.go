package cloud

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/sp-registry/sp/internal/secret"
)

// clientID is what sp is called at every control plane, and scopes are what a login may do.
const clientID = "sp_cli"

var scopes = []string{"openid", "offline_access", "read", "write", "secrets"}

// provider is the authorization server of a control plane, as its metadata describe it (RFC 8414).
type provider struct {
	Issuer        string
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	Device        string `json:"device_authorization_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
}

// discover asks for the metadata. Tokens are sent nowhere but to the control plane itself.
func (c *Client) discover(ctx context.Context) (provider, error) {
	var p provider
	r := request{method: http.MethodGet, path: "/.well-known/oauth-authorization-server", tokens: Fixed{}}
	if _, err := c.ask(ctx, r, &p); err != nil {
		return p, err
	}
	if strings.TrimRight(p.Issuer, "/") != c.Base {
		return p, c.calledOtherwise(p.Issuer)
	}
	for _, endpoint := range []string{p.Authorization, p.Token, p.Device, p.Revocation} {
		if _, ok := c.within(endpoint); !ok {
			return p, c.noAnswer("its login leads to another host")
		}
	}
	return p, nil
}

// OtherNameError is ErrAnswer of a control plane that calls itself by another URL than that of the login,
// such as 127.0.0.1 and not localhost. A login is good for one of them.
type OtherNameError struct {
	error
	URL string // one that CheckURL accepts
}

// Unwrap returns ErrAnswer with its words.
func (e *OtherNameError) Unwrap() error { return e.error }

func (c *Client) calledOtherwise(issuer string) error {
	err := c.noAnswer("its login is of another issuer, %s", shown(issuer, secret.Secret{}))
	if url, refused := CheckURL(issuer); refused == nil {
		return &OtherNameError{err, url}
	}
	return err
}

// config is what oauth2 needs to know. The client has no secret, and is named in the parameters.
func (p provider) config(redirect string) *oauth2.Config {
	return &oauth2.Config{ClientID: clientID, Scopes: scopes, RedirectURL: redirect, Endpoint: oauth2.Endpoint{
		AuthURL: p.Authorization, TokenURL: p.Token, DeviceAuthURL: p.Device, AuthStyle: oauth2.AuthStyleInParams,
	}}
}

// forOAuth is a context by which oauth2 uses the client's connections.
func (c *Client) forOAuth(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: grants{c, ctx}, CheckRedirect: c.checkRedirect})
}

// grants sends the requests of oauth2.
type grants struct {
	client *Client
	ctx    context.Context
}

// RoundTrip sends a request. One without a context, as oauth2's of a device has none, gets the login's. It
// reads the whole answer: oauth2 does not tell why it could not.
func (g grants) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if ctx == context.Background() {
		ctx = g.ctx
	}
	ctx, end := context.WithCancelCause(ctx)
	end = g.client.bound(request{}, end)
	r = r.Clone(ctx)
	r.Header.Set("User-Agent", g.client.UserAgent)
	response, err := g.client.http.Transport.RoundTrip(r)
	if err != nil {
		end(nil)
		return nil, err
	}
	body := watch(ctx, response.Body, end, g.client.Patience)
	defer func() { _ = body.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if bytes.Equal(bytes.TrimSpace(text), []byte("null")) { // which oauth2 takes for an answer of a device
		text = []byte("{}")
	}
	response.Body = io.NopCloser(bytes.NewReader(text))
	return response, nil
}

// refused says in our words what oauth2 says.
func (c *Client) refused(ctx context.Context, err error) error {
	var told *oauth2.RetrieveError
	var sent *url.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &told) && told.ErrorCode != "":
		return &Error{
			Status: statusOf(told.ErrorCode), Code: told.ErrorCode, host: c.Host(),
			Message: shown(strings.TrimSpace(told.ErrorDescription+" ("+told.ErrorCode+")"), secret.Secret{}),
		}
	case errors.As(err, &told):
		e := &Error{Status: told.Response.StatusCode, host: c.Host(), retryAfter: c.retryAfter(told.Response.Header)}
		if e.read(told.Body, secret.Secret{}) || e.kind() == ErrUnavailable {
			return e
		}
		return c.noAnswer("it answers with status %d", told.Response.StatusCode)
	case ctx.Err() != nil, errors.As(err, &sent):
		return c.failed(ctx, err)
	}
	return c.noAnswer("its answer has no token")
}

// statusOf returns the status that means the same as an error of OAuth.
func statusOf(code string) int {
	switch code {
	case "invalid_grant", "expired_token", "invalid_token":
		return http.StatusUnauthorized
	case "temporarily_unavailable", "server_error":
		return http.StatusServiceUnavailable
	}
	return http.StatusForbidden
}

// revoke ends a token, and those that came of it.
func (c *Client) revoke(ctx context.Context, token secret.Secret) error {
	p, err := c.discover(ctx)
	if err != nil {
		return err
	}
	path, _ := c.within(p.Revocation) // discover has seen that it is
	form := url.Values{"token": {token.Reveal()}, "client_id": {clientID}}
	return c.have(ctx, request{
		method: http.MethodPost, path: path, body: []byte(form.Encode()), tokens: Fixed{},
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
	})
}
