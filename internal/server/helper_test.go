package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness/openapi"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// plane is a control plane in this process, with a user of each role and a region whose server
// nobody asks.
type plane struct {
	*Server
	t     testing.TB
	http  *httptest.Server
	clock *clock
	log   *logged

	mu     sync.Mutex
	tokens []string // that users of it have
}

// secrets are the canaries: of the administrator of a region and of what mustReady gives a tenant.
var secrets = regexp.MustCompile(`canary-(admin|[0-9a-f]{8}-)`)

// keepsSecrets looks for secrets in what is logged, and in what serve.db holds.
func (p *plane) keepsSecrets(dir string) {
	kept := p.log.String()
	for _, name := range []string{"serve.db", "serve.db-wal"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if !errors.Is(err, fs.ErrNotExist) {
			require.NoError(p.t, err)
		}
		kept += string(text)
	}
	for _, token := range p.tokens {
		require.False(p.t, strings.Contains(kept, token), "a token is kept, or logged") // and not shown again, with all of a file
	}
	require.Empty(p.t, secrets.FindString(kept))
}

// clock is the time of a test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logged is what a server logs.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// chance is randomness that is the same in each run.
type chance struct {
	mu  sync.Mutex
	src *rand.ChaCha8
}

func (c *chance) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.src.Read(b)
}

func mustPlane(t *testing.T) *plane {
	t.Helper()
	return mustPlaneBehind(t, func(next http.Handler) http.Handler { return openapi.Checked(t, next) })
}

// mustPlaneBehind has something stand before the control plane's own answers.
func mustPlaneBehind(t testing.TB, before func(http.Handler) http.Handler) *plane {
	t.Helper()
	p := &plane{t: t, clock: &clock{now: time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC)}, log: &logged{}}
	p.http = httptest.NewUnstartedServer(nil)
	address, err := url.Parse("http://" + p.http.Listener.Addr().String())
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "spd")
	p.Server, err = Open(t.Context(), Options{
		Dir: dir, URL: address, Domain: "example.org", Now: p.clock.Now, Random: &chance{src: rand.NewChaCha8([32]byte{1})},
		Wait: 10 * time.Second, Log: slog.New(slog.NewTextHandler(p.log, nil)),
	})
	require.NoError(t, err)
	handler, err := p.Handler(t.Context())
	require.NoError(t, err)
	p.http.Config.Handler = before(handler)
	p.http.Start()
	t.Cleanup(func() {
		p.http.Close()
		p.keepsSecrets(dir)
		require.NoError(t, p.Close())
	})
	return p
}

// mustRegion adds a region whose server does not answer.
func (p *plane) mustRegion(code, host string) {
	p.t.Helper()
	server, err := registry.ServerAt(secret.New("postgres://admin:canary-admin@" + host + ":5432/postgres"))
	require.NoError(p.t, err)
	require.NoError(p.t, p.addRegion(p.t.Context(), code, server))
}

// mustUser adds a user, and returns a client with a token of all scopes of his role.
func (p *plane) mustUser(name string, role Role) *client {
	p.t.Helper()
	u, _, err := p.AddUser(p.t.Context(), name, role)
	require.NoError(p.t, err)
	var scopes []string
	for _, scope := range role.Scopes() {
		scopes = append(scopes, string(scope))
	}
	made, err := p.CreateToken(p.t.Context(), u.ID, TokenRequest{Name: "test", Scopes: scopes})
	require.NoError(p.t, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens = append(p.tokens, made.Secret)
	return &client{plane: p, user: u, token: made.Secret}
}

// CreateToken makes a personal token, of which the audit does not tell.
func (p *plane) CreateToken(ctx context.Context, user string, r TokenRequest) (NewToken, error) {
	return p.makeToken(ctx, user, r, nil)
}

// client asks with a token.
type client struct {
	*plane
	user  User
	token string
}

// answer is what came back.
type answer struct {
	t testing.TB
	*http.Response
	text []byte
}

func (c *client) ask(method, path, body string, headers ...string) *answer {
	c.t.Helper()
	return c.askIn(c.t.Context(), method, path, body, headers...)
}

func (c *client) askIn(ctx context.Context, method, path, body string, headers ...string) *answer {
	c.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.http.URL+path, reader)
	require.NoError(c.t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.http.Client().Do(r)
	require.NoError(c.t, err)
	defer func() { require.NoError(c.t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	require.NotEmpty(c.t, response.Header.Get("Request-Id"))
	if !strings.HasSuffix(path, "credentials") { // where a secret is what was asked for
		require.Empty(c.t, secrets.FindString(string(text)), path)
	}
	if c.token != "" {
		require.NotContains(c.t, string(text), c.token, path)
	}
	return &answer{c.t, response, text}
}

// is demands a status and decodes the answer.
func (a *answer) is(status int, into ...any) *answer {
	a.t.Helper()
	require.Equal(a.t, status, a.StatusCode, "%s", a.text)
	for _, value := range into {
		require.NoError(a.t, json.Unmarshal(a.text, value), "%s", a.text)
	}
	return a
}

// refuses demands a problem with a status and a code.
func (a *answer) refuses(status int, code string) Problem {
	a.t.Helper()
	var p Problem
	a.is(status, &p)
	require.Equal(a.t, "application/problem+json", a.Header.Get("Content-Type"))
	require.Equal(a.t, code, p.Err.Code, "%s", a.text)
	require.NotEmpty(a.t, p.Err.Message)
	return p
}

// mustTenant records a tenant.
func (c *client) mustTenant(name string) Tenant {
	c.t.Helper()
	var made data[Tenant]
	c.ask("POST", "/api/v1/tenants", `{"name":"`+name+`","region":"iad"}`, "Idempotency-Key", "key-of-"+name+"-0123456789").is(202, &made)
	return made.Data
}

// mustReady has the database of a tenant ready, as though the loop had made it.
func (p *plane) mustReady(id string) {
	p.t.Helper()
	url := secret.New("postgres://sp_x_a:canary-" + id + "@db.example.org:5432/sp_x")
	require.NoError(p.t, p.change(p.t.Context(), func(reg *registry.Registry) error {
		_, err := reg.PublishCredentials(p.t.Context(), registry.Credentials{Tenant: registry.TenantID(id), URL: url, Login: registry.LoginA})
		return err
	}))
}
