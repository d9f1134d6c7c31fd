// Package login is a control plane's own authorization server: a person signs in on its pages with a
// join code or a personal token, and a program gets tokens with which it acts for that person.
package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/sp-registry/sp/db/server"
)

// How long things last.
const (
	requestLife = 10 * time.Minute // until a person has answered
	codeLife    = time.Minute      // a code that is under way from a browser to a program
	accessLife  = 24 * time.Hour
	loginLife   = 30 * 24 * time.Hour // since the last refresh
	browserLife = 8 * time.Hour
	grace       = time.Minute // in which an answer that was lost is asked for again
	afterlife   = time.Hour   // in which a code that is over is known still, to say so
)

// unanswered is how many logins of a kind wait for a person at most: anybody can begin one, so the oldest make
// room.
const unanswered = 1000

// Options is what a Login is made of.
type Options struct {
	DB     *server.DB
	Issuer string // the control plane's own URL, which has no path
	Now    func() time.Time
	Random io.Reader
	Note   func(context.Context, Event) // is told what belongs in the audit
}

// Event is something that a person or a program did here. It has no secret.
type Event struct {
	UserID, UserName string // empty if nobody is known
	TokenID          string // of the personal token by which a person came in
	Address          string
	Action, Outcome  string
}

// Login is the authorization server.
type Login struct {
	Options
	origin     *url.URL
	sameOrigin *http.CrossOriginProtection
	signer     jose.Signer
}

// ErrIssuer is returned for an issuer that is no http URL of a host alone.
var ErrIssuer = errors.New("the issuer is http:// or https:// and a host, without a path")

// New returns a Login whose key is the one in the file; the first one makes it.
func New(ctx context.Context, o Options) (*Login, error) {
	origin, err := url.Parse(strings.TrimSuffix(o.Issuer, "/"))
	if err != nil || origin.Host == "" || origin.Path != "" || origin.RawQuery != "" || origin.User != nil || origin.Scheme != "http" && origin.Scheme != "https" {
		return nil, ErrIssuer
	}
	o.Issuer = origin.String()
	l := &Login{Options: o, origin: origin, sameOrigin: http.NewCrossOriginProtection()}
	if err := l.sameOrigin.AddTrustedOrigin(o.Issuer); err != nil { // behind a proxy the host is another one
		return nil, errors.Join(ErrIssuer, err)
	}
	if l.signer, err = l.loadSigner(ctx); err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	return l, nil
}

// micros is the instant as the file keeps it.
func (l *Login) micros() int64 { return l.Now().UnixMicro() }

func (l *Login) in(d time.Duration) int64 { return l.Now().Add(d).UnixMicro() }

// Sweep forgets what expired.
func (l *Login) Sweep(ctx context.Context) error {
	now, before := l.micros(), l.in(-afterlife)
	return l.DB.Write(ctx, func(q *server.Queries) error {
		return errors.Join(
			q.DeleteExpiredJoinCodes(ctx, now), q.DeleteExpiredLoginRequests(ctx, now), q.DeleteExpiredBrowsers(ctx, now),
			q.DeleteExpiredLogins(ctx, now), q.DeleteExpiredTokens(ctx, &now),
			q.DeleteLoginCodesBefore(ctx, before), q.DeleteDevicesBefore(ctx, before),
		)
	})
}

// end ends a login with all its tokens.
func end(ctx context.Context, q *server.Queries, session string) error {
	return errors.Join(q.DeleteTokensOfSession(ctx, &session), q.DeleteLogin(ctx, session))
}
