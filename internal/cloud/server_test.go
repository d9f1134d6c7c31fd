package cloud

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/harness/openapi"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/sp-registry/sp/internal/server"
)

// realPlane is a control plane as spd runs it, in this process. Nobody asks the server of its region.
type realPlane struct {
	*server.Server
	t        *testing.T
	url      string
	registry *registry.Registry
}

func newRealPlane(t *testing.T) *realPlane {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "spd")
	p := &realPlane{t: t}
	http := httptest.NewUnstartedServer(nil)
	p.url = "http://" + http.Listener.Addr().String()
	address, err := url.Parse(p.url)
	require.NoError(t, err)
	p.Server, err = server.Open(t.Context(), server.Options{
		Dir: dir, URL: address, Domain: "example.org", Now: time.Now, Random: rand.Reader, Wait: 10 * time.Second,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	require.NoError(t, err)
	p.registry, err = registry.Open(t.Context(), filepath.Join(dir, "sp.db"), registry.Options{
		Now: time.Now, Rand: rand.Reader, Wait: 10 * time.Second, Command: "test", Holder: "test", Trust: db.Trust{Named: true},
	})
	require.NoError(t, err)
	handler, err := p.Handler(t.Context())
	require.NoError(t, err)
	http.Config.Handler = openapi.Checked(t, handler)
	http.Start()
	t.Cleanup(func() {
		http.CloseClientConnections()
		http.Close()
		require.NoError(t, p.Close())
		require.NoError(t, p.registry.Close())
	})
	p.change(func(reg *registry.Registry) error {
		at, err := registry.ServerAt(secret.New("postgres://admin:canary@db.invalid:5432/postgres"))
		if err != nil {
			return err
		}
		return reg.AddRegion(t.Context(), "iad", at)
	})
	return p
}

func (p *realPlane) change(fn func(*registry.Registry) error) {
	p.t.Helper()
	tx, err := p.registry.Begin(p.t.Context())
	require.NoError(p.t, err)
	require.NoError(p.t, tx.Do(p.t.Context(), fn))
	_, err = tx.Commit()
	require.NoError(p.t, err)
	require.NoError(p.t, tx.Close())
}

func (p *realPlane) options() Options {
	return Options{Base: p.url, Now: time.Now, Random: rand.Reader, UserAgent: "sp/test", Hostname: "laptop"}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// signIn does what a person does on the pages: follow the link, enter the join code, allow.
func signIn(code secret.Secret) Browser {
	return func(ctx context.Context, to string) error {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return err
		}
		b := &http.Client{Jar: jar}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
		if err != nil {
			return err
		}
		page, err := b.Do(r)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(page.Body)
		_ = page.Body.Close()
		if err != nil {
			return err
		}
		form := url.Values{"action": {"sign-in"}, "code": {code.Reveal()}}
		for _, input := range hidden.FindAllStringSubmatch(string(text), -1) {
			form.Set(input[1], input[2])
		}
		r, err = http.NewRequestWithContext(ctx, http.MethodPost, page.Request.URL.String(), strings.NewReader(form.Encode()))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		page, err = b.Do(r)
		if err == nil {
			_ = page.Body.Close()
		}
		return err
	}
}

// TestTheClientAndTheRealControlPlane goes through a whole life: log in, create, follow, read, rotate,
// delete, log out.
func TestTheClientAndTheRealControlPlane(t *testing.T) {
	t.Parallel()
	p, ctx := newRealPlane(t), t.Context()
	_, code, err := p.AddUser(ctx, "ada@example.com", server.MemberRole)
	require.NoError(t, err)
	l, me, err := mustNew(t, p.options()).LogInByBrowser(ctx, signIn(code))
	require.NoError(t, err)
	require.Equal(t, "ada@example.com", me.User.Email)
	require.Empty(t, me.Tenants)
	require.NotNil(t, l.Refresh)
	require.False(t, l.IsExpired(time.Now()))

	f := LoginFile{t.TempDir()}
	mustStore(t, f, l)
	c, _, err := Open(f, p.options())
	require.NoError(t, err)
	regions, err := c.Regions(ctx)
	require.NoError(t, err)
	require.Equal(t, "iad", regions[0].Code)

	const key = "a-key-of-this-creation"
	made, err := c.Create(ctx, key, NewTenant{Name: "one", Region: "iad"}, false)
	require.NoError(t, err)
	again, err := c.Create(ctx, key, NewTenant{Name: "one", Region: "iad"}, true)
	require.NoError(t, err)
	require.Equal(t, made.ID, again.ID)
	_, err = c.Create(ctx, key, NewTenant{Name: "other", Region: "iad"}, false)
	require.ErrorIs(t, err, ErrInvalid)
	_, err = c.Create(ctx, "another-key-of-16-bytes", NewTenant{Name: "two", Region: "nowhere"}, false)
	require.ErrorIs(t, err, ErrInvalid)
	require.ErrorContains(t, err, "there is no such region; the regions are iad")
	var told *Error
	require.ErrorAs(t, err, &told)
	require.Equal(t, "/region", told.Pointers[0].Pointer)

	status, err := c.Status(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, Provisioning, status.State)
	p.change(func(reg *registry.Registry) error { // as the loop does
		url := secret.New("postgres://sp_x_a:canary@db.example.org:5432/sp_x")
		_, err := reg.PublishCredentials(ctx, registry.Credentials{Tenant: registry.TenantID(made.ID), URL: url, Login: registry.LoginA})
		return err
	})
	status, err = c.Events(ctx, made.ID, func(Event) {})
	require.NoError(t, err)
	require.Equal(t, Ready, status.State)
	found, err := c.Credentials(ctx, made.ID, status.SecretsURL)
	require.NoError(t, err)
	require.Contains(t, found.InternalDatabaseURL.Reveal(), "sp_x_a:canary@")
	token, err := c.RotateSyncToken(ctx, made.ID, "a-key-for-the-token")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(token.Reveal(), "sp_sync_"))

	me, unchanged, err := c.Me(ctx, "")
	require.NoError(t, err)
	require.False(t, unchanged)
	require.Equal(t, "one", me.Tenants[0].Name)
	require.NotContains(t, me.Tenants[0].DatabaseURL.Reveal(), "canary")
	_, unchanged, err = c.Me(ctx, me.ETag)
	require.NoError(t, err)
	require.True(t, unchanged)
	_, err = c.Tenant(ctx, "nosuch")
	require.ErrorIs(t, err, ErrNotFound)
	require.NoError(t, c.Cancel(ctx, made.ID))
	require.NoError(t, c.Delete(ctx, made.ID))

	// The token is refreshed as often as it takes, and is gone behind a logout.
	expired := l
	expired.Token = secret.New(newJWT("old", time.Now().Add(-time.Hour)))
	mustStore(t, f, expired)
	c, _, err = Open(f, p.options())
	require.NoError(t, err)
	_, _, err = c.Me(ctx, "")
	require.NoError(t, err)
	now, err := f.Read()
	require.NoError(t, err)
	require.False(t, now.Refresh.Equal(*l.Refresh))
	require.NoError(t, c.Revoke(ctx, *now))
	_, _, err = c.Me(ctx, "")
	require.ErrorIs(t, err, ErrUnauthenticated)
}

func TestAPersonalTokenOfTheRealControlPlane(t *testing.T) {
	t.Parallel()
	p, ctx := newRealPlane(t), t.Context()
	_, _, err := p.AddUser(ctx, "ada@example.com", server.MemberRole)
	require.NoError(t, err)
	made, err := p.CreateTokenFor(ctx, "ada@example.com", server.TokenRequest{Name: "ci", Scopes: []string{"read"}})
	require.NoError(t, err)
	c := mustNew(t, p.options())
	l, _, err := c.LogInByToken(ctx, secret.New(made.Secret))
	require.NoError(t, err)
	require.True(t, l.IsPersonal())
	o := p.options()
	o.Tokens = Fixed{l.Token}
	_, err = mustNew(t, o).Create(ctx, "a-key-of-16-bytes", NewTenant{Name: "x", Region: "iad"}, false)
	require.ErrorIs(t, err, ErrDenied)
	_, _, err = c.LogInByToken(ctx, secret.New("sp_pat_wrong"))
	require.ErrorIs(t, err, ErrUnauthenticated)
}
