package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/sp-registry/sp/internal/secret"
)

// Open returns a client with the login of a file, which it keeps fresh, and that login. It returns
// ErrNotLoggedIn if there is none.
func Open(f LoginFile, o Options) (*Client, Login, error) {
	login, err := f.Read()
	switch {
	case err != nil:
		return nil, Login{}, err
	case login == nil:
		return nil, Login{}, ErrNotLoggedIn
	}
	o.Base = login.URL
	c, err := New(o)
	if err != nil {
		return nil, Login{}, err
	}
	c.Tokens, c.Account = &stored{file: f, client: c, login: *login}, login.Email
	return c, *login, nil
}

// stored is the login of a file.
type stored struct {
	file   LoginFile
	client *Client
	mu     sync.Mutex
	login  Login
}

// freshFor is how long a token has to hold if it is not refreshed first.
const freshFor = time.Minute

// Token returns the access token, after a refresh if it is about to expire. A token that nobody can
// refresh is sent as it is: the control plane's clock decides.
func (s *stored) Token(ctx context.Context) (secret.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.login.Refresh == nil || !s.login.expiresWithin(s.client.Now(), freshFor) {
		return s.login.Token, nil
	}
	return s.renew(ctx, s.login.Token)
}

// Another returns the token that followed a refused one, or has it refreshed.
func (s *stored) Another(ctx context.Context, refused secret.Secret) (secret.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.login.Token.Equal(refused) {
		return s.login.Token, nil
	}
	return s.renew(ctx, refused)
}

// renew replaces a token, unless another process has done so.
func (s *stored) renew(ctx context.Context, stale secret.Secret) (secret.Secret, error) {
	err := s.file.Locked(ctx, func() error {
		there, err := s.file.Read()
		switch {
		case err != nil:
			return err
		case there == nil || there.URL != s.login.URL:
			return fmt.Errorf("another command has logged out: %w", ErrNotLoggedIn)
		case !there.Token.Equal(stale):
			s.login = *there
			return nil
		case there.Refresh == nil:
			return errNoOther
		}
		return s.exchange(ctx, *there)
	})
	return s.login.Token, err
}

// exchangeWithin bounds a refresh that was begun.
const exchangeWithin = 30 * time.Second

// exchange gets the next tokens of a login, and stores them. Once it has begun, neither a deadline of the
// caller's nor a signal ends it: the control plane has used the old refresh token by then, and without the
// answer the login would end.
func (s *stored) exchange(ctx context.Context, there Login) error {
	p, err := s.client.discover(ctx)
	if err == nil {
		err = s.file.checkRoom(there)
	}
	if err != nil {
		return err
	}
	return s.client.Unbroken(ctx, func(ctx context.Context) error {
		whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeWithin)
		defer cancel()
		if s.login, err = s.client.refresh(whole, p, there); err != nil {
			return err
		}
		err := s.client.Renewing(there, s.login, func() error { return s.file.Replace(s.login) })
		if cause := context.Cause(ctx); cause != nil {
			err = cmp.Or(err, s.client.failed(ctx, cause))
		}
		return err
	})
}

// refresh gets the next tokens of a login. It may be repeated: the control plane takes a refresh token
// again for a minute while the one that followed it was not used, so that an answer that is lost ends
// nothing.
func (c *Client) refresh(ctx context.Context, p provider, l Login) (Login, error) {
	var token *oauth2.Token
	err := c.repeat(ctx, request{key: "refresh"}, func(ctx context.Context) (err error) {
		old := &oauth2.Token{RefreshToken: l.Refresh.Reveal()}
		token, err = p.config("").TokenSource(c.forOAuth(ctx), old).Token()
		return c.refused(ctx, err)
	})
	if errors.Is(err, ErrUnauthenticated) {
		return l, fmt.Errorf("the login has ended: %w", err)
	}
	if err != nil {
		return l, err
	}
	l.take(token, c.Now())
	return l, nil
}

// take takes the tokens of a grant.
func (l *Login) take(token *oauth2.Token, now time.Time) {
	l.Token, l.Refresh, l.ValidatedAt = secret.New(token.AccessToken), nil, &now
	if token.RefreshToken != "" {
		l.Refresh = new(secret.New(token.RefreshToken))
	}
}
