package main

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/harness/openapi"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/sp-registry/sp/internal/server"
)

// realPlane is a control plane as spd serves it, in this process. There is no PostgreSQL: what a database
// server would do is done to the rows.
type realPlane struct {
	*server.Server
	t        *testing.T
	http     *httptest.Server
	handler  http.Handler
	registry *registry.Registry

	mu      sync.Mutex
	rotated map[string]bool // keys of rotations
	logins  int
}

func newRealPlane(t *testing.T) *realPlane {
	t.Helper()
	p := &realPlane{t: t, rotated: map[string]bool{}, http: httptest.NewUnstartedServer(nil)}
	address, err := url.Parse("http://" + p.http.Listener.Addr().String())
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "spd")
	p.Server, err = server.Open(t.Context(), server.Options{
		Dir: dir, URL: address, Domain: "example.org", Now: time.Now, Random: crand.Reader, Wait: time.Minute, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	p.registry, err = registry.Open(t.Context(), filepath.Join(dir, "sp.db"), registry.Options{
		Now: time.Now, Rand: crand.Reader, Wait: time.Minute, Command: "test", Holder: "test", Trust: db.Trust{Named: true},
	})
	require.NoError(t, err)
	handler, err := p.Handler(t.Context())
	require.NoError(t, err)
	p.handler = openapi.Checked(t, handler)
	p.http.Config.Handler = http.HandlerFunc(p.serve)
	p.http.Start()
	t.Cleanup(func() {
		p.http.CloseClientConnections()
		p.http.Close()
		require.NoError(t, errors.Join(p.registry.Close(), p.Close()))
	})
	at, err := registry.ServerAt(secret.New("postgres://admin:canary@db.invalid:5432/postgres"))
	require.NoError(t, err)
	require.NoError(t, p.change(func(reg *registry.Registry) error { return reg.AddRegion(context.Background(), "iad", at) }))
	return p
}

func (p *realPlane) change(fn func(*registry.Registry) error) (err error) {
	ctx := context.Background()
	tx, err := p.registry.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Close()) }()
	if err := tx.Do(ctx, fn); err != nil {
		return err
	}
	_, err = tx.Commit()
	return err
}

// mustToken is a token of a new user.
func (p *realPlane) mustToken(name string) string {
	p.t.Helper()
	_, _, err := p.AddUser(p.t.Context(), name, server.MemberRole)
	require.NoError(p.t, err)
	made, err := p.CreateTokenFor(p.t.Context(), name, server.TokenRequest{Name: "test", Scopes: []string{"read", "write", "secrets"}})
	require.NoError(p.t, err)
	return made.Secret
}

// serve answers as spd does, and does to the rows what its loop would do with a database server.
func (p *realPlane) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/tenants"), "/")
	switch {
	case r.Method == http.MethodPost && len(parts) == 3 && parts[2] == "rotate-credentials":
		p.rotate(w, r, registry.TenantID(parts[1]))
		return
	case r.Method == http.MethodPost && len(parts) == 1, r.Method == http.MethodDelete:
		p.handler.ServeHTTP(w, r)
		p.settle()
		return
	}
	p.handler.ServeHTTP(w, r)
}

// rotate switches to another login, once for each key. Who may do that is asked of the real handler.
func (p *realPlane) rotate(w http.ResponseWriter, r *http.Request, id registry.TenantID) {
	look := r.Clone(r.Context())
	look.Method, look.URL.Path, look.Body = http.MethodGet, strings.TrimSuffix(r.URL.Path, "/rotate-credentials")+"/credentials", http.NoBody
	key := r.Header.Get("Idempotency-Key")
	allowed := httptest.NewRecorder()
	p.handler.ServeHTTP(allowed, look)
	if allowed.Code == http.StatusOK && !p.rotated[key] {
		p.rotated[key] = true
		if err := p.change(func(reg *registry.Registry) error { return p.publish(reg, id) }); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		allowed = httptest.NewRecorder()
		p.handler.ServeHTTP(allowed, look)
	}
	for name, values := range allowed.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(allowed.Code)
	_, _ = w.Write(allowed.Body.Bytes())
}

func (p *realPlane) publish(reg *registry.Registry, id registry.TenantID) error {
	p.logins++
	login := secret.New(fmt.Sprintf("postgres://sp_x_a:canary%d@db.example.org:5432/sp_x_%d", p.logins, p.logins))
	_, err := reg.PublishCredentials(context.Background(), registry.Credentials{Tenant: id, URL: login, Login: registry.LoginA})
	return err
}

// settle makes the databases that are to be made, and drops those that are to be dropped.
func (p *realPlane) settle() {
	ctx := context.Background()
	err := p.change(func(reg *registry.Registry) error {
		view, err := reg.View(ctx)
		if err != nil {
			return err
		}
		defer view.Close()
		databases, err := view.Databases(ctx)
		if err != nil {
			return err
		}
		for _, d := range databases {
			switch d.State {
			case registry.Provisioning:
				err = p.publish(reg, d.Tenant)
			case registry.Dropping:
				_, err = reg.DeleteTenant(ctx, registry.Deletion{ID: d.Tenant, Dropped: true})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.t.Errorf("the databases: %v", err)
	}
}

// TestWhateverTheNetworkDoesThereIsOneTenantAndNothingIsLost goes through a tenant's life with a proxy that
// does harm to a third of the requests. The same command again, and again, does in the end what it says.
func TestWhateverTheNetworkDoesThereIsOneTenantAndNothingIsLost(t *testing.T) {
	t.Parallel()
	seeds := 60
	if testing.Short() {
		seeds = 20
	}
	if named, err := strconv.Atoi(os.Getenv("SP_FAULT_SEEDS")); err == nil {
		seeds = named
	}
	const lanes = 4
	for lane := range lanes {
		t.Run(fmt.Sprint(lane), func(t *testing.T) {
			t.Parallel()
			newLife(t).live(lane, seeds, lanes)
		})
	}
}

// life is a project that reaches its control plane through the proxy.
type life struct {
	*sandbox
	plane *realPlane
	proxy *harness.Weather
	token string
	runs  int
}

func newLife(t *testing.T) *life {
	t.Helper()
	p := newRealPlane(t)
	l := &life{sandbox: newSandbox(t), plane: p, token: p.mustToken("anna"), proxy: &harness.Weather{Behind: p.http.Config.Handler, Seen: map[string]int{}}}
	l.patience = 250 * time.Millisecond
	delete(l.env, "SP_OFFLINE")
	l.stdin = l.token
	l.must("login", "--token-stdin", p.http.URL)
	l.must("init")
	p.http.Config.Handler = l.proxy // the requests of the login are over
	return l
}

func (l *life) live(first, seeds, lanes int) {
	for seed := first; seed < seeds; seed += lanes {
		l.proxy.Change(seed)
		l.one(seed)
	}
	l.t.Logf("%d runs of sp, faults %v", l.runs, l.proxy.Seen)
}

func (l *life) one(seed int) {
	name := fmt.Sprint("k", seed)
	id := strings.TrimSpace(l.insist(seed, "tenant", "create", "--region", "iad", "--name", name).stdout)
	l.check(seed, id)
	l.insist(seed, "tenant", "rotate-credentials", id, "-y", "--now")
	l.check(seed, id)
	l.insist(seed, "tenant", "rotate-sync-token", id, "-y")
	l.check(seed, id)
	l.insist(seed, "tenant", "list", "--prune")
	l.check(seed, id)
	l.insist(seed, "tenant", "provision", id)
	l.check(seed, id)
	text := fmt.Sprint("seed: ", seed)
	l.write("services/agent.yaml", text)
	l.must("profile", "create", name, "--tenant", id, "-y")
	l.insist(seed, "sync", "push", name)
	require.Contains(l.t, l.column(filepath.Join(l.plane.Dir, "serve.db"), `SELECT manifest FROM files WHERE tenant_id = '`+id+`'`)[0], archive.Hash([]byte(text)), "seed %d", seed)
	l.insist(seed, "sync", "pull", name)
	l.insist(seed, "tenant", "cancel", id, "-y")
	l.insist(seed, "tenant", "delete", id, "-y")
	require.Empty(l.t, l.there(`SELECT id FROM tenants`), "seed %d: deleted here, and not there", seed)
	require.Empty(l.t, l.here(`SELECT id FROM tenants`), "seed %d", seed)
	require.Empty(l.t, l.here(`SELECT key FROM cloud_calls`), "seed %d", seed)
}

// insist runs a command until it works. Until then it says that it is the control plane's fault.
func (l *life) insist(seed int, args ...string) outcome {
	const most = 60
	for range most {
		o := l.run(args...)
		l.runs++
		for _, never := range []string{"canary", "sp_pat_", "sp_sync_", l.token, "goroutine"} {
			require.NotContains(l.t, o.stdout+o.stderr, never, "seed %d: %v", seed, args)
		}
		if o.exit == 0 {
			return o
		}
		require.Equal(l.t, 9, o.exit, "seed %d: sp %v: %s", seed, args, o.stderr)
	}
	require.Fail(l.t, "it never works", "seed %d: %v", seed, args)
	return outcome{}
}

// check wants one tenant, here and there, with the same credentials.
func (l *life) check(seed int, id string) {
	const urls = `SELECT id || ' ' || coalesce(%s, '') FROM tenants`
	here, there := l.here(fmt.Sprintf(urls, "internal_database_url")), l.there(fmt.Sprintf(urls, "database_url"))
	require.Equal(l.t, there, here, "seed %d", seed)
	require.Len(l.t, here, 1, "seed %d", seed)
	require.True(l.t, strings.HasPrefix(here[0], id+" postgres://"), "seed %d", seed)
	require.Empty(l.t, l.here(`SELECT key FROM cloud_calls`), "seed %d", seed)
	r := httptest.NewRequest(http.MethodGet, "/api/v1/tenants/"+id+"/files", bytes.NewReader(nil))
	r.Header.Set("Authorization", "Bearer "+l.here(`SELECT sync_token FROM tenants`)[0])
	answer := httptest.NewRecorder()
	l.plane.serve(answer, r)
	require.Equal(l.t, http.StatusOK, answer.Code, "seed %d: the sync token that is here is not the last one: %s", seed, answer.Body)
}

func (l *life) here(query string) []string { return l.column(l.dir+"/.systemprompt/sp.db", query) }

func (l *life) there(query string) []string {
	return l.column(filepath.Join(l.plane.Dir, "sp.db"), query)
}

func (l *life) column(path, query string) []string {
	l.t.Helper()
	conn, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	require.NoError(l.t, err)
	defer func() { require.NoError(l.t, conn.Close()) }()
	values, err := harness.Column(conn, query)
	require.NoError(l.t, err)
	return values
}
