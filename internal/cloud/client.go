// Package cloud is the client of a control plane: its API, and the login that is kept for it. It asks
// nobody, prints nothing and never takes the registry's lock.
//
// client.go makes requests and repeats them, problem.go says what went wrong, api.go has the
// operations, events.go follows one. login_file.go keeps credentials.json, refresh.go its tokens
// fresh, and login.go is how one gets them.
package cloud

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/secret"
)

// Options say which control plane to ask, and hand in the outside world.
type Options struct {
	// Base is the URL of the control plane, as CheckURL returns it.
	Base string
	// Tokens authorises requests; nil for those that need no login.
	Tokens Tokens
	// Proxy returns the proxy for a URL, nil for none. A nil Proxy uses none.
	Proxy func(*url.URL) (*url.URL, error)
	Now   func() time.Time
	// Random makes jitter, states and verifiers.
	Random io.Reader
	// Sleep waits, or returns the cause of the context's end. A nil Sleep waits as long as it is told.
	Sleep func(context.Context, time.Duration) error
	// UserAgent is the program and its version.
	UserAgent string
	// Hostname is how the pages of a login name this machine; empty for nothing.
	Hostname string
	// Unbroken runs what a signal must not end halfway, and ends the context that it hands on where one
	// comes. A nil Unbroken leaves signals alone.
	Unbroken func(context.Context, func(context.Context) error) error
	// Renewing runs store, which puts the next login in place of the one before. A nil Renewing just runs it.
	Renewing func(before, next Login, store func() error) error
	// Offline is returned in place of asking, unless it is nil.
	Offline error
	// Patience is how long the control plane may say nothing, before its answer and within it; 0 for what
	// is usual.
	Patience time.Duration

	roots *x509.CertPool // those of tests; nil for the system's
	most  time.Duration  // that an answer may take in tests; 0 for what is usual
}

// Tokens is where the token of a request comes from.
type Tokens interface {
	// Token returns the token to send.
	Token(context.Context) (secret.Secret, error)
	// Another returns the token to send after one that the control plane refused.
	Another(ctx context.Context, refused secret.Secret) (secret.Secret, error)
}

// Fixed is a token that nobody can refresh: a personal one, or a tenant's sync token.
type Fixed struct{ secret.Secret }

// Token returns the token.
func (f Fixed) Token(context.Context) (secret.Secret, error) { return f.Secret, nil }

// Another returns an error: there is no other.
func (f Fixed) Another(context.Context, secret.Secret) (secret.Secret, error) {
	return secret.Secret{}, errNoOther
}

// errNoOther is returned where a refused token is the only one.
var errNoOther = errors.New("no other token")

// Client asks one control plane. Several goroutines may use it if they may use its Random.
type Client struct {
	Options
	// Account is the email of whom the login is, empty where that is not known.
	Account string
	base    *url.URL
	http    *http.Client
}

// New returns a client.
func New(o Options) (*Client, error) {
	base, err := CheckURL(o.Base)
	if err != nil {
		return nil, err
	}
	c := &Client{Options: o}
	c.Base = base
	c.base, _ = url.Parse(base) // CheckURL has
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	if c.Unbroken == nil {
		c.Unbroken = func(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }
	}
	if c.Renewing == nil {
		c.Renewing = func(_, _ Login, store func() error) error { return store() }
	}
	if c.Patience == 0 {
		c.Patience = stalls
	}
	c.http = &http.Client{Transport: newTransport(c), CheckRedirect: c.checkRedirect}
	return c, nil
}

// Host is how messages name the control plane.
func (c *Client) Host() string { return c.base.Host }

// How much of an answer is read. What lists tenants may be long; an archive may be as long as one that
// may be sent.
const (
	maxAnswer  = 1 << 20
	maxTenants = 64 << 20
	MaxArchive = 16 << 20
)

// request is what is asked. It can be sent again.
type request struct {
	method, path string
	tenant       string // the id of the tenant that the answer is about, if it is about one
	header       http.Header
	key          string // Idempotency-Key
	body         []byte
	limit        int64  // of the answer; 0 for maxAnswer
	tokens       Tokens // in place of the client's
	stream       bool   // the answer comes bit by bit
}

// repeatable tells whether a request may be sent again when it is not known whether it was answered.
func (r request) repeatable() bool {
	return r.key != "" || r.method == http.MethodGet || r.method == http.MethodPut || r.method == http.MethodDelete
}

// answer is a whole answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request, as often as it takes, and returns an answer with a status below 400.
func (c *Client) do(ctx context.Context, r request) (a answer, err error) {
	err = c.repeat(ctx, r, func(ctx context.Context) error {
		a, err = c.once(ctx, r)
		return err
	})
	return a, err
}

// once sends a request and reads the whole answer.
func (c *Client) once(ctx context.Context, r request) (answer, error) {
	response, err := c.open(ctx, r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	body, err := c.read(response, r.limit)
	return answer{response.StatusCode, response.Header, body}, err
}

// read reads a body of at most limit bytes.
func (c *Client) read(response *http.Response, limit int64) ([]byte, error) {
	if limit == 0 {
		limit = maxAnswer
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case int64(len(body)) > limit:
		return nil, c.noAnswer("it answers with more than %d MiB", limit>>20)
	case err != nil:
		return nil, c.failed(response.Request.Context(), err)
	}
	return body, nil
}

// open sends a request and returns the answer when its header has come. A token that is refused is
// replaced once.
func (c *Client) open(ctx context.Context, r request) (*http.Response, error) {
	tokens := r.tokens
	if tokens == nil {
		tokens = c.Tokens
	}
	if tokens == nil {
		return c.send(ctx, r, secret.Secret{})
	}
	token, err := tokens.Token(ctx)
	if err != nil {
		return nil, err
	}
	response, err := c.send(ctx, r, token)
	if !errors.Is(err, ErrUnauthenticated) {
		return response, err
	}
	another, none := tokens.Another(ctx, token)
	switch {
	case errors.Is(none, errNoOther):
		return nil, err
	case none != nil:
		return nil, none
	}
	return c.send(ctx, r, another)
}

// send sends a request once.
func (c *Client) send(ctx context.Context, r request, token secret.Secret) (*http.Response, error) {
	ctx, end := context.WithCancelCause(ctx)
	end = c.bound(r, end)
	sent, err := c.build(ctx, r, token)
	if err != nil {
		end(nil)
		return nil, err
	}
	response, err := c.http.Do(sent)
	if err != nil {
		defer end(nil)
		return nil, c.failed(ctx, err)
	}
	patience := c.Patience
	if r.stream {
		patience *= silence / stalls
	}
	response.Body = watch(ctx, response.Body, end, patience)
	if response.StatusCode < 300 || response.StatusCode == http.StatusNotModified {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	return nil, c.problem(response, token)
}

// build makes the request of net/http.
func (c *Client) build(ctx context.Context, r request, token secret.Secret) (*http.Request, error) {
	sent, err := http.NewRequestWithContext(ctx, r.method, c.Base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, c.noAnswer("it gave a URL that is none") // a URL that it gave
	}
	for name, values := range r.header {
		sent.Header[name] = values
	}
	sent.Header.Set("User-Agent", c.UserAgent)
	if r.key != "" {
		sent.Header.Set("Idempotency-Key", r.key)
	}
	if err := CheckToken(token); err != nil {
		return nil, err
	}
	if !token.Empty() {
		sent.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	return sent, nil
}

// checkRedirect follows a redirect of a GET within the origin. No other host gets the token.
func (c *Client) checkRedirect(to *http.Request, via []*http.Request) error {
	const most = 3
	switch {
	case !c.isOwn(to.URL):
		return c.noAnswer("it redirects to another host")
	case via[0].Method != http.MethodGet || len(via) > most:
		return c.noAnswer("it redirects")
	}
	return nil
}

// isOwn tells whether a URL is of the control plane's origin.
func (c *Client) isOwn(u *url.URL) bool {
	return u.Scheme == c.base.Scheme && u.Host == c.base.Host && u.User == nil
}

// within returns the path of a URL of the control plane below its base; ok is false for other URLs.
func (c *Client) within(text string) (path string, ok bool) {
	u, err := url.Parse(text)
	if err != nil || !c.isOwn(u) || u.Fragment != "" {
		return "", false
	}
	return strings.CutPrefix(u.String(), c.Base)
}

// CheckToken refuses what can't be a token, such as one with a line end that a script left there.
func CheckToken(token secret.Secret) error {
	if strings.ContainsFunc(token.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("a token has no spaces or line ends, and only ASCII: %w", ErrInvalid)
	}
	return nil
}

// CheckURL checks the URL of a control plane, and returns it without a slash at its end. Plain http is
// for this machine only.
func CheckURL(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("the URL of a control plane begins with https://, or on this machine with http://, and a host: %w", ErrInvalid)
	case u.User != nil:
		return "", fmt.Errorf("the URL of a control plane has no user or password in it: %w", ErrInvalid)
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return "", fmt.Errorf("the URL of a control plane ends with its host or path: %w", ErrInvalid)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "", fmt.Errorf("%s: plain http is for this machine only; its URL begins with https://: %w", u.Host, ErrInvalid)
	}
	return strings.TrimRight(u.String(), "/"), nil
}
