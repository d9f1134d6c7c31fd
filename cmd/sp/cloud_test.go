package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/harness/openapi"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/sp-registry/sp/internal/server"
)

// spd is the real control plane in this process. Nobody asks the server of its region iad.
type spd struct {
	*httptest.Server
	t      *testing.T
	tokens map[string]string // personal ones, by user
}

func newSpd(t *testing.T, users ...string) *spd {
	t.Helper()
	p := &spd{t: t, Server: httptest.NewUnstartedServer(nil), tokens: map[string]string{}}
	dir := filepath.Join(t.TempDir(), "spd")
	at, err := url.Parse("http://" + p.Listener.Addr().String())
	require.NoError(t, err)
	s, err := server.Open(t.Context(), server.Options{
		Dir: dir, URL: at, Domain: "localhost", Now: func() time.Time { return noon }, Random: rand.Reader, Wait: 10 * time.Second, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	addRegion(t, dir)
	for _, name := range users {
		u, _, err := s.AddUser(t.Context(), name, server.MemberRole)
		require.NoError(t, err)
		made, err := s.CreateTokenFor(t.Context(), u.Name, server.TokenRequest{Name: "t", Scopes: []string{"read", "write", "secrets"}})
		require.NoError(t, err)
		p.tokens[name] = made.Secret
	}
	handler, err := s.Handler(t.Context())
	require.NoError(t, err)
	p.Config.Handler = openapi.Checked(t, handler)
	p.Start()
	t.Cleanup(func() { p.Close(); require.NoError(t, s.Close()) })
	return p
}

func addRegion(t *testing.T, dir string) {
	t.Helper()
	reg, err := registry.Open(t.Context(), filepath.Join(dir, "sp.db"), registry.Options{
		Now: time.Now, Rand: rand.Reader, Wait: 10 * time.Second, Command: "test", Trust: db.Trust{Named: true},
	})
	require.NoError(t, err)
	one, err := registry.ServerAt(secret.New("postgres://admin:pw@db.example.org:5432/postgres"))
	require.NoError(t, err)
	require.NoError(t, reg.AddRegion(t.Context(), "iad", one))
	require.NoError(t, reg.Close())
}

// create has a user make a tenant with another program than sp.
func (p *spd) create(user, name string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.URL+"/api/v1/tenants", strings.NewReader(`{"name":"`+name+`","region":"iad"}`))
	require.NoError(p.t, err)
	r.Header.Set("Authorization", "Bearer "+p.tokens[user])
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	require.NoError(p.t, err)
	require.NoError(p.t, a.Body.Close())
	require.Equal(p.t, http.StatusAccepted, a.StatusCode)
}

func (s *sandbox) loginAs(p *spd, user string) {
	s.t.Helper()
	s.stdin = p.tokens[user]
	s.must("login", "--token-stdin", p.URL)
}

// theirs is the tenants.json of a cloud tenant that came from nobody knows where.
const theirs = `{"tenants":[{"id":"t-9","name":"theirs","tenant_type":"cloud","external_db_access":false,` +
	`"internal_database_url":"postgres://u:p@h/d","sync_token":"sp_sync_of_the_original"}],"synced_at":"2026-02-01T10:00:00Z"}`

// answers has the plane answer a path in the test's way, and remembers the bodies that come.
func (p *plane) answers(method, path string, fn http.HandlerFunc) *[]string {
	inner, bodies, mu := p.Config.Handler, &[]string{}, sync.Mutex{}
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method || r.URL.Path != path {
			inner.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		*bodies = append(*bodies, string(body))
		r.Body = io.NopCloser(bytes.NewReader(body))
		fn(w, r)
	})
	return bodies
}

// hasTheirs has the plane know the tenant of theirs.
func (p *plane) hasTheirs() {
	const one = `{"id":"t-9","name":"theirs","external_db_access":false,"database_url":""}`
	p.tenants = `[` + one + `]`
	p.answers(http.MethodGet, "/api/v1/tenants/t-9", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"v1"`)
		_, _ = io.WriteString(w, `{"data":`+one+`}`)
	})
	p.answers(http.MethodGet, "/api/v1/tenants/t-9/status", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"data": map[string]string{"status": "ready", "secrets_url": p.URL + "/api/v1/tenants/t-9/credentials"}})
	})
	p.publishes("postgres://u:p@h/d", "postgres://u:***@h/d")
}

// publishes has the plane give these credentials of the tenant of theirs.
func (p *plane) publishes(internal, external string) {
	p.answers(http.MethodGet, "/api/v1/tenants/t-9/credentials", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"database_url": external, "internal_database_url": internal, "app_url": ""})
	})
}

func rotated(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{
		"status": "rotated", "message": "done", "internal_database_url": "postgres://u2:p2@h/d", "external_database_url": "postgres://u2:***@h/d",
	})
}

// withTheirs is a sandbox with that tenant, logged in at a plane that has it.
func withTheirs(t *testing.T) (*sandbox, *plane) {
	t.Helper()
	s, p := online(t)
	s.must("init")
	s.write("in.json", theirs)
	s.must("import", "in.json")
	s.login(p)
	p.hasTheirs()
	return s, p
}

func TestATenantWhoseCreationWasRefusedIsListed(t *testing.T) {
	t.Parallel()
	s, _ := online(t)
	p := newSpd(t, "anna")
	p.create("anna", "shop")
	s.loginAs(p, "anna")
	s.must("init")
	o := s.run("tenant", "create", "--region", "iad", "--name", "shop")
	require.Equal(t, 4, o.exit, o.stderr)
	o = s.must("tenant", "list")
	require.Contains(t, o.stdout, "\tshop\t")
	require.NotContains(t, o.stderr, "is not finished")
}

func TestAControlPlaneWithoutARegionIsToldOf(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.login(p)
	p.answers(http.MethodGet, "/api/v1/regions", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"data": []any{}})
	})
	o := s.run("tenant", "create", "--type", "cloud", "--name", "shop")
	require.Equal(t, 9, o.exit)
	require.Equal(t, "sp: "+p.Listener.Addr().String()+" has no region yet, and a tenant is made in one\n"+
		"sp: hint: ask whoever runs it to add one with spd region add\n", o.stderr)
}

func TestAListTellsOfTheTenantsOnTheirWay(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.must("init")
	s.login(p)
	p.answers(http.MethodPost, "/api/v1/tenants", func(w http.ResponseWriter, _ *http.Request) {
		p.refuse(w, http.StatusInternalServerError, "internal", "tripped")
	})
	require.Equal(t, 9, s.run("tenant", "create", "--region", "iad", "--name", "my shop", "--external-db-access").exit)
	const told = "sp: the creation of tenant my shop in iad began at 2026-02-01T12:00:00Z by ada@example.com and is not finished; " +
		"sp tenant create --region iad --name 'my shop' --external-db-access goes on with it\n"
	require.Contains(t, s.must("tenant", "list", "--offline").stderr, told)
	p.tenants = `[{"id":"t-1","name":"my shop","region":"iad","external_db_access":true,"database_url":""}]`
	require.Empty(t, s.must("tenant", "list").stdout, "it comes with its credentials")
	o := s.run("tenant", "select", "my shop")
	require.Equal(t, 3, o.exit)
	require.Contains(t, o.stderr, "sp: hint: its creation began at 2026-02-01T12:00:00Z and is not finished; sp tenant create --region iad --name 'my shop' --external-db-access goes on with it\n")
	o = s.run("tenant", "delete", "my shop", "-y")
	require.Equal(t, 3, o.exit)
	require.Contains(t, o.stderr, "--external-db-access goes on with it, and then its id can be deleted\n")
	s.now = s.now.Add(21 * time.Hour)
	o = s.must("tenant", "list")
	require.Contains(t, o.stdout, "\tmy shop\t", "nobody went on with it")
	require.NotContains(t, o.stderr, "is not finished")
}

func TestACreationThatReachedNobodyIsForgotten(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.must("init")
	s.login(p)
	create := []string{"tenant", "create", "--region", "iad", "--name", "shop"}
	p.Close()
	require.Equal(t, 9, s.run(create...).exit)
	s.env["SP_OFFLINE"] = "1"
	require.Equal(t, 9, s.run(create...).exit)
	require.Empty(t, s.must("tenant", "list", "--offline").stderr)
}

// TestACreationWithAnEndedTokenIsForgotten: the control plane knows nothing of it.
func TestACreationWithAnEndedTokenIsForgotten(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.must("init")
	s.login(p)
	p.mu.Lock()
	p.access = map[string]bool{}
	p.mu.Unlock()
	require.Equal(t, 9, s.run("tenant", "create", "--region", "iad", "--name", "shop").exit)
	require.NotContains(t, s.must("tenant", "list", "--offline").stderr, "is not finished")
}

// TestACreationThatMayHaveBeenHeardIsKept though its repetition was refused for its token.
func TestACreationThatMayHaveBeenHeardIsKept(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.must("init")
	s.login(p)
	tries := 0
	p.answers(http.MethodPost, "/api/v1/tenants", func(w http.ResponseWriter, _ *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		p.refuse(w, http.StatusUnauthorized, "unauthenticated", "the token has expired")
	})
	require.Equal(t, 9, s.run("tenant", "create", "--region", "iad", "--name", "shop").exit)
	require.Equal(t, 2, tries)
	require.Contains(t, s.must("tenant", "list", "--offline").stderr, "is not finished")
}

// TestACreationThatMayNeverEndCanBeGivenUp: the server of its region may be gone for good.
func TestACreationThatMayNeverEndCanBeGivenUp(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.patience = time.Second
	s.must("init")
	s.login(p)
	const one = `{"data":{"id":"t-1","name":"shop","region":"iad","external_db_access":false,"database_url":""}}`
	p.answers(http.MethodPost, "/api/v1/tenants", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusAccepted, json.RawMessage(one)) })
	p.answers(http.MethodGet, "/api/v1/tenants/t-1/status", func(w http.ResponseWriter, _ *http.Request) {
		p.refuse(w, http.StatusServiceUnavailable, "unavailable", "not now")
	})
	deleted := p.answers(http.MethodDelete, "/api/v1/tenants/t-1", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	require.Equal(t, 9, s.run("tenant", "create", "--region", "iad", "--name", "shop").exit)
	o := s.run("tenant", "delete", "shop", "-y")
	require.Equal(t, 3, o.exit)
	require.Contains(t, o.stderr, "is not finished; sp tenant delete t-1 gives it up\n")
	require.Equal(t, 2, s.run("tenant", "delete", "t-1").exit, "it asks")
	require.Equal(t, 2, s.run("tenant", "delete", "t-1", "-y", "--keep-database").exit, "nothing is here that could go")
	p.email = "bert@example.com"
	s.login(p)
	o = s.run("tenant", "delete", "t-1", "-y")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "tenant shop: ada@example.com began its creation at "+p.URL+", and you are bert@example.com at "+p.URL)
	p.email = "ada@example.com"
	s.login(p)
	require.Empty(t, *deleted)
	o = s.must("tenant", "delete", "t-1", "-y", "--json")
	require.Len(t, *deleted, 1)
	require.Contains(t, o.stdout, `"database_dropped": true`)
	require.NotContains(t, s.must("tenant", "list", "--offline").stderr, "is not finished")
	require.Equal(t, 3, s.run("tenant", "delete", "t-1", "-y").exit)
}

// TestAnAnswerThatCannotBeStoredIsToldSo: that nothing was changed would be untrue.
func TestAnAnswerThatCannotBeStoredIsToldSo(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	s.must("tenant", "list")
	s.env["SP_LOCK_TIMEOUT"], s.patience = "100ms", 10*time.Second // so that a key is used once
	var held *os.File
	keys := p.answers(http.MethodPost, "/api/v1/tenants/t-9/rotate-credentials", func(w http.ResponseWriter, r *http.Request) {
		if held == nil {
			held, _ = os.OpenFile(s.dir+"/.systemprompt/.lock", os.O_RDWR, 0)
			_ = unix.Flock(int(held.Fd()), unix.LOCK_EX)
		}
		answer(w, http.StatusOK, map[string]string{"status": r.Header.Get("Idempotency-Key"), "internal_database_url": "postgres://u2:p2@h/d", "external_database_url": "postgres://u2:***@h/d"})
	})
	o := s.run("tenant", "rotate-credentials", "t-9", "--now", "-y")
	require.Equal(t, 8, o.exit, o.stderr)
	require.Contains(t, o.stderr, "sp: the control plane has done it, and its answer could not be stored here: ")
	require.Contains(t, o.stderr, "run the same command again")
	require.NotContains(t, o.stderr, "has new credentials")
	require.NoError(t, held.Close())
	o = s.must("tenant", "rotate-credentials", "t-9", "--now", "-y")
	require.Contains(t, o.stderr, "going on with the rotation")
	require.Len(t, *keys, 2)
	require.Contains(t, s.must("export", "-").stdout, "u2:p2@h")
}

func TestACreationThatWasBegunBeforeIsKeptThoughNobodyIsReached(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.patience = 10 * time.Second // so that a key is used once
	s.must("init")
	s.login(p)
	p.answers(http.MethodPost, "/api/v1/tenants", func(w http.ResponseWriter, _ *http.Request) {
		p.refuse(w, http.StatusInternalServerError, "internal", "tripped")
	})
	for range 2 {
		require.Equal(t, 9, s.run("tenant", "create", "--region", "iad", "--name", "shop").exit)
		p.Close()
	}
	require.Contains(t, s.must("tenant", "list", "--offline").stderr, "is not finished")
}

func TestATenantThatIsBeingMadeIsShown(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.must("init")
	s.login(p)
	const one = `{"id":"t-1","name":"shop","region":"iad","external_db_access":false,"database_url":""}`
	for path, text := range map[string]string{
		"POST /api/v1/tenants": `{"data":` + one + `}`, "GET /api/v1/tenants/t-1": `{"data":` + one + `}`,
		"GET /api/v1/tenants/t-1/status": `{"data":{"status":"provisioning","message":"making the database"}}`,
	} {
		method, path, _ := strings.Cut(path, " ")
		p.answers(method, path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, text)
		})
	}
	p.answers(http.MethodGet, "/api/v1/tenants/t-1/events", func(w http.ResponseWriter, _ *http.Request) {
		p.refuse(w, http.StatusForbidden, "denied", "no events for you")
	})
	require.Equal(t, 9, s.run("tenant", "create", "--region", "iad", "--name", "shop").exit)
	for _, word := range []string{"t-1", "shop", "id:t-1"} {
		o := s.must("tenant", "show", word)
		require.Contains(t, o.stdout, "id\tt-1\n")
		require.Contains(t, o.stdout, "region\tiad\n")
		require.Contains(t, o.stdout, "status\tprovisioning: making the database\n")
		require.Equal(t, "sp: the creation of tenant shop in iad began at 2026-02-01T12:00:00Z by ada@example.com and is not finished; sp tenant create --region iad --name shop goes on with it\n", o.stderr)
	}
	require.Contains(t, s.must("tenant", "show", "t-1", "--json").stdout, `"unfinished": true`)
	require.Contains(t, s.must("tenant", "show", "t-1", "--json", "--offline").stdout, `"unfinished": true`)
	require.Equal(t, 3, s.run("tenant", "show", "other").exit)
}

// A colleague grants a tenant and tells its name, within a minute of the last sync.
func TestATenantThatIsNewAtTheControlPlaneIsFoundByItsWord(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"tenant show shop", "tenant select t-1", "tenant provision shop", "tenant rotate-credentials shop -y", "tenant cancel shop -y"} {
		s, p := online(t)
		s.must("init")
		s.login(p)
		s.must("tenant", "list")
		p.tenants = `[{"id":"t-1","name":"shop","external_db_access":false,"database_url":""}]`
		o := s.run(strings.Fields(line)...)
		require.Contains(t, o.stderr, "sp: tenant t-1 (shop) is new at "+p.Listener.Addr().String(), line)
		require.NotContains(t, o.stderr, "tenant shop: not found", line)
		require.Contains(t, s.must("tenant", "list", "--offline").stdout, "t-1")
	}
}

func TestAWordThatNamesNothingIsAskedForOnce(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.must("init")
	require.NotContains(t, s.run("tenant", "show", "shop").stderr, "log", "nobody is logged in")
	s.login(p)
	s.must("tenant", "list")
	p.asked = nil
	o := s.run("tenant", "show", "shop")
	require.Equal(t, 3, o.exit)
	require.Equal(t, []string{"GET /api/v1/auth/me"}, p.asked)
	p.down = true
	o = s.run("tenant", "select", "shop")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "sp: tenant shop: not found here, and the control plane can't be asked: "+p.Listener.Addr().String()+": closed for today\n")
	p.down = false
	s.env["SP_TOKEN"], s.env["SP_CLOUD_URL"] = "sp_pat_bad", p.URL
	o = s.run("tenant", "provision", "shop")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "the token is not known\nsp: hint: SP_TOKEN has to be another token")
	delete(s.env, "SP_TOKEN")
	delete(s.env, "SP_CLOUD_URL")
	p.asked = nil
	require.Equal(t, 3, s.run("tenant", "show", "shop", "--offline").exit)
	s.env["SP_OFFLINE"] = "1"
	require.Equal(t, 3, s.run("tenant", "provision", "shop").exit)
	require.Empty(t, p.asked)
}

// What removes something is suggested, and asks: the hint does not answer for the user.
func TestTheHintToPruneDoesNotAnswerTheQuestion(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	p.tenants = `[{"id":"t-1","name":"one","external_db_access":false,"database_url":""}]`
	s.must("init")
	s.login(p)
	s.must("tenant", "list")
	p.tenants = `[]`
	s.now = s.now.Add(time.Hour)
	require.Contains(t, s.must("tenant", "list").stderr, "no longer has it; sp tenant list --prune removes it\n")
	require.Equal(t, 2, s.run("tenant", "list", "--prune").exit, "nobody can be asked here")
	require.Empty(t, s.must("tenant", "list", "--prune", "-y").stdout)
}

func TestWhatStopsTheStoringStopsTheAskingFirst(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"tenant rotate-credentials t-9 -y", "tenant rotate-sync-token t-9 -y", "tenant delete t-9 -y", "tenant create --region iad --name n"} {
		s, p := withTheirs(t)
		s.write(".systemprompt/tenants.json", `{"tenants": [`)
		p.asked = nil
		o := s.run(strings.Fields(line)...)
		require.Equal(t, 6, o.exit, "%s: %s", line, o.stderr)
		for _, asked := range p.asked {
			require.True(t, strings.HasPrefix(asked, "GET "), "%s: %s", line, asked)
		}
	}
}

func TestCredentialsThatTheFilesCannotFollowAreKept(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	path := s.dir + "/.systemprompt/tenants.json"
	p.answers(http.MethodPost, "/api/v1/tenants/t-9/rotate-credentials", func(w http.ResponseWriter, r *http.Request) {
		_ = os.WriteFile(path, []byte(`{"tenants": [`), 0o600)
		rotated(w, r)
	})
	o := s.run("tenant", "rotate-credentials", "t-9", "-y")
	require.Equal(t, 8, o.exit, o.stderr)
	require.Contains(t, s.must("tenant", "show", "t-9", "--offline", "--reveal").stdout, "postgres://u2:p2@h/d")
}

func TestAWaitForTheControlPlaneIsShown(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	s.terminal, s.stdin = true, "y\n"
	host := p.Listener.Addr().String()
	p.answers(http.MethodPost, "/api/v1/tenants/t-9/rotate-credentials", rotated)
	p.answers(http.MethodPost, "/api/v1/tenants/t-9/rotate-sync-token", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "rotated", "sync_token": "sp_sync_new"})
	})
	for line, want := range map[string]string{
		"tenant rotate-credentials t-9 -y": "sp: tenant rotate-credentials: rotating the password at " + host,
		"tenant rotate-sync-token t-9 -y":  "sp: tenant rotate-sync-token: rotating the sync token at " + host,
		"tenant list --prune":              "sp: tenant list: asking " + host,
		"tenant provision t-9":             "sp: tenant provision: asking " + host,
		"tenant cancel t-9 -y":             "sp: tenant cancel: asking " + host,
		"tenant delete t-9 -y":             "sp: tenant delete: asking " + host,
	} {
		s.must("tenant", "list")
		require.Contains(t, s.run(strings.Fields(line)...).stderr, "\r"+want, line)
	}
}

func TestProvisionSaysWhatComesNext(t *testing.T) {
	t.Parallel()
	s, _ := withTheirs(t)
	require.Contains(t, s.must("tenant", "provision", "t-9").stderr, "sp: next: sp tenant select t-9\n")
	s.must("tenant", "select", "t-9")
	require.Contains(t, s.must("tenant", "provision", "t-9").stderr, "sp: next: sp profile create NAME\n")
	s.must("profile", "create", "p", "-y")
	require.NotContains(t, s.must("tenant", "provision", "t-9").stderr, "next:")
}

// ofThisMachine is a database URL that no control plane can have.
const ofThisMachine = "postgres://u3:p3@/d?host=/tmp"

func TestARotationWhoseURLWouldBeRefusedIsNotBegun(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	p.publishes(ofThisMachine, "postgres://u:***@h/d")
	asked := p.answers(http.MethodPost, "/api/v1/tenants/t-9/rotate-credentials", rotated)
	s.terminal = true
	o := s.run("tenant", "rotate-credentials", "t-9")
	require.Equal(t, 9, o.exit, o.stderr)
	require.NotContains(t, o.stderr, "[y/N]")
	s.terminal = false
	o = s.run("tenant", "rotate-credentials", "t-9", "-y")
	require.Equal(t, 9, o.exit, o.stderr)
	require.Equal(t, "sp: tenant t-9 (theirs): "+p.Listener.Addr().String()+" gave a database URL that leads to a socket of this machine: refused, and not stored\n"+
		"sp: hint: nothing was changed; tell whoever runs the control plane: the server of a region needs an address that other machines reach\n", o.stderr)
	require.Empty(t, *asked)
}

func TestARotationKeepsWhatIsGoodAndTellsTheRest(t *testing.T) {
	t.Parallel()
	const internal, external = "postgres://u2:p2@h/d", "postgres://u2:p2@out/d"
	for what, one := range map[string]struct{ internal, external, shownInternal, shownExternal, message string }{
		"the internal one": {ofThisMachine, external, "postgres://u:p@h/d", external, "a database URL that leads to a socket of this machine"},
		"the external one": {internal, ofThisMachine, internal, "postgres://u:p@out/d", "an external database URL that leads to a socket of this machine"},
		"both":             {ofThisMachine, ofThisMachine, "postgres://u:p@h/d", "postgres://u:p@out/d", "a database URL that leads to a socket of this machine"},
		"a mask":           {"postgres://u2:***@h/d", "postgres://u2:***@out/d", "postgres://u:p@h/d", "postgres://u:p@out/d", "a database URL without its password"},
	} {
		s, p := withTheirs(t)
		s.write("in.json", strings.Replace(strings.Replace(theirs, "false", "true", 1), `"internal`, `"database_url":"postgres://u:p@out/d","internal`, 1))
		s.must("import", "in.json")
		s.must("tenant", "list") // and is from there
		asked := p.answers(http.MethodPost, "/api/v1/tenants/t-9/rotate-credentials", func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, map[string]string{"status": "rotated", "internal_database_url": one.internal, "external_database_url": one.external})
		})
		o := s.run("tenant", "rotate-credentials", "t-9", "-y")
		require.Equal(t, 8, o.exit, "%s: %s", what, o.stderr)
		require.Equal(t, one.shownInternal == internal || one.shownExternal == external, strings.Contains(o.stderr, "sp: tenant t-9 (theirs) has new credentials\n"), o.stderr)
		require.Contains(t, o.stderr, "sp: the old ones stop working in 10 minutes\n")
		require.Contains(t, o.stderr, "tenant t-9 (theirs): its password was changed, and "+p.Listener.Addr().String()+" gave "+one.message+": refused, and not stored\n", what)
		require.Contains(t, o.stderr, "sp: hint: the control plane has the new password: once whoever runs it has mended the address of the region's server, sp tenant provision t-9 fetches it\n")
		require.NotContains(t, o.stderr, "u3")
		shown := s.must("tenant", "show", "t-9", "--offline", "--reveal").stdout
		require.Contains(t, shown, one.shownInternal+"\n", what)
		require.Contains(t, shown, one.shownExternal+"\n", what)

		o = s.run("tenant", "rotate-credentials", "t-9", "-y", "--json")
		require.Equal(t, 8, o.exit)
		require.Contains(t, o.stdout, `"code": "incomplete"`)
		require.NotContains(t, o.stderr, "going on with", "that one came to its end")
		require.Len(t, *asked, 2)
		p.publishes(internal, external)
		s.must("tenant", "provision", "t-9")
		require.Contains(t, s.must("tenant", "show", "t-9", "--offline", "--reveal").stdout, internal+"\n")
	}
}

func TestAnExternalURLThatIsRefusedKeepsNobodyFromTheInternalOne(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	s.must("tenant", "list")
	p.publishes("postgres://u2:p2@h/d", ofThisMachine)
	const warning = " gave an external database URL that leads to a socket of this machine: refused, and not stored"
	require.NotContains(t, s.must("tenant", "provision", "t-9").stderr, warning, "it can't be reached from outside")
	p.answers(http.MethodGet, "/api/v1/tenants/t-9", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"data": map[string]any{"id": "t-9", "name": "theirs", "external_db_access": true, "database_url": ""}})
	})
	o := s.must("tenant", "provision", "t-9")
	require.Contains(t, o.stderr, "sp: warning: tenant t-9 (theirs): "+p.Listener.Addr().String()+warning+"; tell whoever runs the control plane, then sp tenant provision t-9\n")
	require.Contains(t, s.must("tenant", "show", "t-9", "--offline", "--reveal").stdout, "postgres://u2:p2@h/d\n")
}

// The grant may come back at any time: then a deletion would drop the team's database.
func TestATenantThatTheControlPlaneDoesNotShowIsNotToBeDeleted(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	p.tenants = `[{"id":"t-1","name":"shop","external_db_access":false,"database_url":""}]`
	s.must("init")
	s.login(p)
	s.must("tenant", "list")
	for _, line := range []string{"tenant provision t-1", "tenant rotate-credentials t-1 -y", "tenant rotate-sync-token t-1 -y", "tenant cancel t-1 -y"} {
		o := s.run(strings.Fields(line)...)
		require.Equal(t, 3, o.exit, o.stderr)
		require.Contains(t, o.stderr, "hint: if it is gone for good, sp tenant list --prune removes it here\n", line)
	}
	s.must("tenant", "select", "t-1")
	require.Contains(t, s.run("tenant", "provision").stderr, "hint: it stays here while it is selected; after that sp tenant list --prune removes it\n")
	s.must("profile", "create", "p", "-y")
	require.Contains(t, s.run("tenant", "provision").stderr, "hint: it stays here while it is selected and profile p uses it; after that ")
}

// outside has the plane know the tenant t-1, and say whether its database may be reached from outside.
func (p *plane) outside() (enabled *bool, asked *[]string) {
	enabled = new(bool)
	one := func() string {
		return fmt.Sprintf(`{"id":"t-1","name":"shop","external_db_access":%t,"database_url":""}`, *enabled)
	}
	says := func(method, path string, text func() string) *[]string {
		return p.answers(method, "/api/v1/tenants/t-1"+path, func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, json.RawMessage(text()))
		})
	}
	p.tenants = `[` + one() + `]`
	says(http.MethodGet, "", func() string { return `{"data":` + one() + `}` })
	says(http.MethodGet, "/status", func() string {
		return `{"data":{"status":"ready","secrets_url":"` + p.URL + `/api/v1/tenants/t-1/credentials"}}`
	})
	says(http.MethodGet, "/credentials", func() string {
		url := "postgres://u:***@out/d"
		if *enabled {
			url = "postgres://u:p@out/d"
		}
		return `{"database_url":"` + url + `","internal_database_url":"postgres://u:p@in/d","app_url":""}`
	})
	asked = p.answers(http.MethodPut, "/api/v1/tenants/t-1/external-db-access", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*enabled = string(body) == `{"enabled":true}`
		answer(w, http.StatusOK, json.RawMessage(fmt.Sprintf(`{"data":{"tenant_id":"t-1","external_db_access":%t,"database_url":""}}`, *enabled)))
	})
	return enabled, asked
}

func TestAccessFromOutsideIsAskedForAtTheControlPlane(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	enabled, asked := p.outside()
	s.must("init")
	s.login(p)
	s.must("tenant", "provision", "shop")
	o := s.run("resolve", "--tenant", "t-1", "--network", "external")
	require.Equal(t, 5, o.exit)
	require.Contains(t, o.stderr, "hint: sp tenant edit t-1 --external-db-access turns it on, at the control plane too\n")

	o = s.must("tenant", "edit", "t-1", "--external-db-access")
	require.Contains(t, o.stderr, "tenant t-1 (shop) changed: external_db_access, database_url\n")
	require.Equal(t, "postgres://u:p@out/d\n", s.must("resolve", "--tenant", "t-1", "--network", "external").stdout)
	s.must("tenant", "edit", "t-1", "--external-db-access=false")
	require.False(t, *enabled)
	require.Equal(t, []string{`{"enabled":true}`, `{"enabled":false}`}, *asked)
	s.now = s.now.Add(time.Hour)
	require.NotContains(t, s.must("tenant", "list").stderr, "differs")

	p.answers(http.MethodPut, "/api/v1/tenants/t-1/external-db-access", func(w http.ResponseWriter, _ *http.Request) {
		p.refuse(w, http.StatusForbidden, "denied", "this needs the scope write")
	})
	require.Equal(t, 9, s.run("tenant", "edit", "t-1", "--external-db-access").exit)
	require.Contains(t, s.must("tenant", "show", "t-1", "--offline").stdout, "external access\tno\n")
}

// TestAnEditThatWouldBeRefusedAsksNobody: what is changed at the control plane can't be taken back with it.
func TestAnEditThatWouldBeRefusedAsksNobody(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	_, asked := p.outside()
	s.must("init")
	s.login(p)
	s.must("tenant", "provision", "shop")
	s.must("tenant", "create", "--name", "taken", "--no-check", "--database-url", "postgres://localhost/d")
	before := s.must("export", "-").stdout
	require.Equal(t, 4, s.run("tenant", "edit", "t-1", "--name", "taken", "--external-db-access").exit)
	require.Empty(t, *asked)
	require.Equal(t, before, s.must("export", "-").stdout)
	s.must("tenant", "edit", "t-1", "--name", "free", "--external-db-access")
	require.Len(t, *asked, 1)
}

func TestAccessFromOutsideThatIsOnlyHereIsSaid(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	_, asked := p.outside()
	s.must("init")
	s.login(p)
	s.must("tenant", "provision", "shop")
	o := s.must("tenant", "edit", "t-1", "--external-db-access", "--offline")
	require.Contains(t, o.stderr, "external_db_access of tenant t-1 (shop) changes only here; the control plane is not asked\n")
	o = s.run("resolve", "--tenant", "t-1", "--network", "external")
	require.Contains(t, o.stderr, "hint: sp tenant provision t-1 fetches it from the control plane, sp tenant edit t-1 --database-url-stdin takes it from you\n")
	require.Contains(t, s.must("tenant", "provision", "t-1").stderr, "its control plane gives no URL from outside; sp tenant edit t-1 --external-db-access asks for it\n")
	s.must("logout")
	o = s.must("tenant", "edit", "t-1", "--external-db-access=false")
	require.Contains(t, o.stderr, "changes only here: not logged in; to change it there too: sp login "+p.URL+", then the same command\n")
	s.write("in.json", theirs)
	s.must("import", "in.json")
	require.Contains(t, s.must("tenant", "edit", "t-9", "--external-db-access").stderr, "changes only here: nothing says which control plane it is from\n")
	require.Empty(t, *asked)
}

func TestStatusSaysWhyThereIsNone(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	s.login(p)
	p.access["sp_pat_good"] = false
	o := s.run("cloud", "status")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "sp: "+p.Listener.Addr().String()+": the token is not known\n")
	s.env["SP_OFFLINE"] = "1"
	o = s.run("cloud", "status")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "sp: SP_OFFLINE is set\n")
}

func TestALoginAtAnotherControlPlaneIsToldInOneSentence(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	p.tenants = `[{"id":"t-1","name":"shop","external_db_access":false,"database_url":""}]`
	s.must("init")
	s.login(p)
	s.must("tenant", "list")
	other := newPlane(t)
	s.must("logout")
	s.login(other)
	o := s.run("tenant", "provision", "t-1")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "sp: tenant t-1 (shop) is from "+p.URL+", and you are logged in to "+other.URL+"\nsp: hint: sp login "+p.URL+"\n")
	s.env["SP_CLOUD_URL"] = p.URL
	o = s.run("cloud", "status")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "sp: SP_CLOUD_URL names "+p.URL+", and you are logged in to "+other.URL+"\n")
}

func TestARotationWithAnotherGraceGoesOnUnderANewKey(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	s.patience = 10 * time.Second // so that a key is used once
	status, keys := http.StatusInternalServerError, map[string]bool{}
	bodies := p.answers(http.MethodPost, "/api/v1/tenants/t-9/rotate-credentials", func(w http.ResponseWriter, r *http.Request) {
		known := keys[r.Header.Get("Idempotency-Key")]
		keys[r.Header.Get("Idempotency-Key")] = true
		switch {
		case status != http.StatusOK:
			p.refuse(w, status, "internal", "tripped")
		case known:
			p.refuse(w, http.StatusUnprocessableEntity, "invalid", "the key is known with another body")
		default:
			rotated(w, r)
		}
	})
	require.Equal(t, 9, s.run("tenant", "rotate-credentials", "t-9", "-y").exit)
	status = http.StatusOK
	s.must("tenant", "rotate-credentials", "t-9", "-y", "--grace", "1h")
	require.Len(t, keys, 2)
	require.Len(t, *bodies, 3)
	require.Contains(t, s.must("tenant", "show", "t-9", "--offline", "--reveal").stdout, "postgres://u2:p2@h/d")
}

func TestAnotherAccountGetsItsOwnListAndPrunesNobodyElses(t *testing.T) {
	t.Parallel()
	s, _ := online(t)
	p := newSpd(t, "anna", "bert")
	p.create("anna", "shop")
	p.create("bert", "his")
	s.must("init")
	s.loginAs(p, "anna")
	s.must("tenant", "list")
	s.must("logout")
	s.loginAs(p, "bert")
	o := s.must("tenant", "list")
	require.Contains(t, o.stdout, "\this\t", "within the minute")
	for range 2 {
		o = s.must("tenant", "list", "--prune", "-y")
		require.Contains(t, o.stdout, "\tshop\t")
		require.Contains(t, o.stderr, "does not show it to this account; it stays")
	}
	s.loginAs(p, "anna")
	o = s.must("tenant", "list")
	require.Contains(t, o.stderr, "(his): "+p.Listener.Addr().String()+" does not show it to this account")

	s.env["SP_TOKEN"], s.env["SP_CLOUD_URL"] = p.tokens["bert"], p.URL
	p.create("bert", "new")
	require.Contains(t, s.must("tenant", "list").stdout, "\tnew\t", "a token of nobody knows whom is asked with at once")
}

func TestPruningAsksFirst(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	p.tenants = `[{"id":"t-1","name":"one","external_db_access":false,"database_url":""}]`
	s.must("init")
	s.login(p)
	s.must("tenant", "list")
	p.tenants = `[]`
	o := s.run("tenant", "list", "--prune")
	require.Equal(t, 2, o.exit)
	require.Contains(t, o.stderr, "no longer has, with the credentials: t-1 (one)")
	require.Contains(t, s.must("tenant", "list", "--offline").stdout, "t-1")
	o = s.must("tenant", "list", "--prune", "-y")
	require.Contains(t, o.stderr, "tenant t-1 (one) removed")
	require.Empty(t, o.stdout)
}

// A login in which somebody put another's token under one's own name has a receipt.
func TestALoginWhoseTokenIsAnothersFillsNothing(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	p.tenants = `[{"id":"t-1","name":"evil","external_db_access":false,"database_url":""}]`
	s.must("init")
	s.login(p)
	file := s.read(".systemprompt/credentials.json")
	s.write(".systemprompt/credentials.json", strings.Replace(file, "ada@example.com", "bob@example.com", 1))
	o := s.must("tenant", "list")
	require.Empty(t, o.stdout)
	require.Contains(t, o.stderr, "credentials.json is of bob@example.com, and "+p.Listener.Addr().String()+" says that its token is of ada@example.com")
	require.Contains(t, o.stderr, "sp login "+p.URL)
	require.Equal(t, 6, s.run("tenant", "list", "--prune").exit)
}

func TestAListWarnsOfWhatKeepsItFromSyncingAndLists(t *testing.T) {
	t.Parallel()
	for what, prepare := range map[string]func(*sandbox){
		"a login that others read": func(s *sandbox) { require.NoError(t, os.Chmod(s.dir+"/.systemprompt/credentials.json", 0o644)) },
		"an odd proxy":             func(s *sandbox) { s.env["HTTPS_PROXY"] = "http://u:p%zz@proxy" },
		"a token for nowhere":      func(s *sandbox) { s.env["SP_TOKEN"] = "sp_pat_x" },
		"a broken tenants.json":    func(s *sandbox) { s.write(".systemprompt/tenants.json", `{"tenants": [`) },
	} {
		s, _ := withTheirs(t)
		prepare(s)
		o := s.must("tenant", "list")
		require.Contains(t, o.stdout, "t-9", what)
		require.Contains(t, o.stderr, "warning: no sync: ", what)
		require.NotZero(t, s.run("tenant", "list", "--prune").exit, what)
	}
}

func TestAListWithoutALoginReadsNoProxy(t *testing.T) {
	t.Parallel()
	s, _ := online(t)
	s.must("init")
	s.env["HTTPS_PROXY"] = "http://u:p%zz@proxy"
	require.Empty(t, s.must("tenant", "list").stderr)
}

// What the control plane says comes in its words, with its host, and with what helps.
func TestARefusalOfTheControlPlaneSaysWhoRefusesAndWhatHelps(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]struct {
		exit int
		hint string
	}{
		401: {9, "sp login URL logs in again"},
		403: {9, "your role or your token does not allow it: ask whoever runs the control plane; sp whoami shows your account"},
		429: {9, "it takes only so many requests in a while: try again later"},
		503: {9, "try again; if it lasts, tell whoever runs the control plane"},
	} {
		s, p := withTheirs(t)
		s.patience = 10 * time.Second
		p.answers(http.MethodPost, "/api/v1/tenants/t-9/rotate-sync-token", func(w http.ResponseWriter, _ *http.Request) { p.refuse(w, status, "code", "in my words") })
		o := s.run("tenant", "rotate-sync-token", "t-9", "-y")
		require.Equal(t, want.exit, o.exit, o.stderr)
		require.Contains(t, o.stderr, "sp: "+p.Listener.Addr().String()+": in my words\nsp: hint: "+strings.Replace(want.hint, "URL", p.URL, 1)+"\n", status)
	}
	s, p := withTheirs(t)
	p.Close()
	o := s.run("tenant", "provision", "t-9")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "sp: "+p.Listener.Addr().String()+": connection refused\nsp: hint: see that the control plane runs; if its URL is another one now: sp login URL\n")
	require.Contains(t, s.must("tenant", "show", "t-9").stderr, "connection refused\nsp: hint: see that the control plane runs; if its URL is another one now: sp login URL\n")
	s.env["SP_OFFLINE"] = "1"
	o = s.run("tenant", "provision", "t-9")
	require.Contains(t, o.stderr, "SP_OFFLINE is set")
	require.NotContains(t, o.stderr, "see that")
}

// strangers is a sandbox with that tenant, logged in at a plane that does not have it.
func strangers(t *testing.T) (*sandbox, *plane) {
	t.Helper()
	s, p := online(t)
	s.must("init")
	s.write("in.json", theirs)
	s.must("import", "in.json")
	s.login(p)
	p.asked = nil
	return s, p
}

func TestNobodyIsAskedToChangeATenantOfAnotherControlPlane(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"sync pull t-9", "sync push t-9", "tenant rotate-credentials t-9 -y", "tenant rotate-sync-token t-9 -y",
		"tenant cancel t-9 -y", "tenant cancel t-9 --undo", "tenant provision t-9",
	} {
		s, p := strangers(t)
		o := s.run(strings.Fields(line)...)
		require.Equal(t, 3, o.exit, "%s: %s", line, o.stderr)
		require.Contains(t, o.stderr, p.Listener.Addr().String()+" does not have it, and nothing here says where it is from")
		require.Contains(t, o.stderr, "sp login URL")
		require.Equal(t, []string{"GET /api/v1/tenants/t-9"}, p.asked, line)
	}
}

func TestADeletionOfATenantOfAnotherControlPlaneSaysWhatItLeaves(t *testing.T) {
	t.Parallel()
	s, p := strangers(t)
	o := s.must("tenant", "delete", "t-9", "-y")
	require.Contains(t, o.stderr, "only the record here goes, its database stays where it is")
	require.Equal(t, []string{"GET /api/v1/tenants/t-9"}, p.asked)
	require.Equal(t, 3, s.run("tenant", "show", "t-9").exit)
}

// TestADeletedTenantTakesWhatASyncKnewOfItAlong, whoever removes it.
func TestADeletedTenantTakesWhatASyncKnewOfItAlong(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	p.tenants = `[{"id":"t-8","name":"gone","external_db_access":false,"database_url":""}]`
	s.must("tenant", "list")
	require.NoError(t, os.Mkdir(s.dir+"/.systemprompt/sync", 0o700))
	for _, name := range []string{"t-8", "t-9", "other"} {
		s.write(".systemprompt/sync/"+name+".json", "{}")
	}
	s.must("tenant", "delete", "t-9", "--keep-database", "-y")
	require.NoFileExists(t, s.dir+"/.systemprompt/sync/t-9.json")
	p.tenants = "[]"
	s.must("tenant", "list", "--prune", "-y")
	require.NoFileExists(t, s.dir+"/.systemprompt/sync/t-8.json")
	require.FileExists(t, s.dir+"/.systemprompt/sync/other.json")
}

func TestATenantThatIsKeptThereOrBeingDeletedIsToldOfRightly(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	const one = `{"id":"t-1","name":"one","external_db_access":false,"database_url":""}`
	p.tenants = `[` + one + `,{"id":"t-2","name":"two","status":"deleted","external_db_access":false,"database_url":""}]`
	s.login(p)
	require.NotContains(t, s.must("tenant", "list").stdout, "t-2", "its database is being dropped")
	require.Contains(t, s.must("tenant", "delete", "t-1", "--keep-database", "-y").stderr, "sp: its control plane keeps it, with its database; sp tenant list adds it again")
	p.access["sp_pat_good"] = false
	o := s.run("cloud", "status")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "hint: sp login "+p.URL+" logs in again\n")
}

func TestASyncTokenGoesToThePlaneThatHasTheTenant(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	o := s.run("sync", "pull", "t-9")
	require.True(t, p.asks("GET /api/v1/tenants/t-9/files"), o.stderr)
}

func TestACancellationIsTakenBack(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	p.answers(http.MethodPost, "/api/v1/tenants/t-9/subscription/cancel", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, nil) })
	o := s.must("tenant", "cancel", "t-9", "-y")
	require.Contains(t, o.stderr, "unless a client overrides that")
	require.Contains(t, o.stderr, "sp: sp tenant cancel t-9 --undo takes the cancellation back\n")
	matched := ""
	bodies := p.answers(http.MethodPatch, "/api/v1/tenants/t-9", func(w http.ResponseWriter, r *http.Request) {
		matched = r.Header.Get("If-Match")
		answer(w, http.StatusOK, map[string]any{"data": map[string]any{"id": "t-9", "name": "theirs", "external_db_access": false, "database_url": ""}})
	})
	o = s.must("tenant", "cancel", "t-9", "--undo")
	require.Contains(t, o.stderr, "the subscription of tenant t-9 (theirs) goes on")
	require.Equal(t, `"v1"`, matched)
	require.Equal(t, []string{"{}"}, *bodies)
}

// TestAnAnswerAboutAnotherTenantChangesNone: not that one, whose credentials a control plane would replace.
func TestAnAnswerAboutAnotherTenantChangesNone(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	p.tenants = `[{"id":"mine-1","name":"mine","external_db_access":false,"database_url":""}]`
	s.must("tenant", "list")
	before := s.must("export", "-").stdout
	another := map[string]any{"data": map[string]any{"id": "t-9", "name": "theirs", "external_db_access": false, "database_url": ""}}
	p.answers(http.MethodGet, "/api/v1/tenants/mine-1", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, another) })
	o := s.run("tenant", "provision", "mine-1")
	require.Equal(t, 9, o.exit, o.stderr)
	require.Contains(t, o.stderr, "does not answer as a control plane does: its answer is about another tenant")

	p.answers(http.MethodPost, "/api/v1/tenants", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusAccepted, another) })
	for range 2 { // the first one leaves nothing to go on with
		o = s.run("tenant", "create", "--type", "cloud", "--name", "theirs", "--allow-duplicate-name", "--region", "iad")
		require.Equal(t, 4, o.exit, o.stderr)
		require.Contains(t, o.stderr, "tenant t-9 (theirs) exists already, and the control plane gave its id to a new one")
		require.Contains(t, o.stderr, "sp tenant provision t-9")
		require.NotContains(t, o.stderr, "going on with")
	}
	require.False(t, p.asks("POST /api/v1/tenants/t-9/rotate-sync-token"))
	require.Equal(t, before, s.must("export", "-").stdout)
}

// TestARealURLOfNobodyKnowsWhereStays, whatever a control plane says that has a tenant of that id.
func TestARealURLOfNobodyKnowsWhereStays(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	p.answers(http.MethodGet, "/api/v1/tenants/t-9/status", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"data": map[string]string{"status": "ready", "secrets_url": p.URL + "/api/v1/tenants/t-9/credentials"}})
	})
	p.answers(http.MethodGet, "/api/v1/tenants/t-9/credentials", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"database_url": "postgres://u:***@h/d", "internal_database_url": "postgres://u:planted@h/d"})
	})
	for range 2 {
		require.Contains(t, s.must("tenant", "provision", "t-9").stderr, "tenant t-9 (theirs) has credentials, and nothing here says that it is from "+p.Listener.Addr().String()+": yours stays; if it is, sp tenant list takes it over, then sp tenant provision t-9 fetches them\n")
		require.Contains(t, s.must("export", "-").stdout, "postgres://u:p@h/d")
	}
	s.must("tenant", "list")
	require.Contains(t, s.must("tenant", "provision", "t-9").stderr, "tenant t-9 (theirs) has its credentials\n")
}

// TestAPersonalTokenIsNoSyncToken: it would lie in tenants.json, and open every tenant of its user.
func TestAPersonalTokenIsNoSyncToken(t *testing.T) {
	t.Parallel()
	s, _ := withTheirs(t)
	before := s.must("export", "-").stdout
	for _, text := range []string{"sp_pat_hunter2", "sp_sync_hunter2 sp_sync_hunter2", "the token is hunter2"} {
		s.stdin = text
		o := s.run("tenant", "edit", "t-9", "--sync-token-stdin")
		require.Equal(t, 2, o.exit)
		require.NotContains(t, o.stderr, "hunter2")
	}
	require.Equal(t, before, s.must("export", "-").stdout)
}

// TestAListWarnsOfATenantThatWouldTakeAWord, and leaves it out.
func TestAListWarnsOfATenantThatWouldTakeAWord(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	p.tenants = `[{"id":"t-","name":"short","external_db_access":false,"database_url":""},{"id":"x-1","name":"t","external_db_access":false,"database_url":""}]`
	o := s.must("tenant", "list")
	require.NotContains(t, o.stdout, "short")
	at := " of " + p.Listener.Addr().String() + " is left out: "
	require.Contains(t, o.stderr, "warning: tenant t- (short)"+at+"t- means tenant t-9 (theirs), and would mean that one; sp tenant provision id:t- changes that\n")
	require.Contains(t, o.stderr, "warning: tenant x-1 (t)"+at+"t means tenant t-9 (theirs), and would mean that one; sp tenant provision id:x-1 changes that\n")
	require.Contains(t, s.must("tenant", "show", "t-").stdout, "theirs")
	for _, word := range []string{"x-1", "id:t-"} { // who names it by its whole id means it
		require.Equal(t, 3, s.run("tenant", "show", word, "--offline").exit)
		s.must("tenant", "show", word)
	}
	require.Contains(t, s.must("tenant", "show", "t").stdout, "x-1")
	require.NotContains(t, s.must("tenant", "list").stderr, "left out")
}

// TestACreationMayTakeAWord: who creates names it, as with a local tenant.
func TestACreationMayTakeAWord(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	bodies := p.answers(http.MethodPost, "/api/v1/tenants", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusAccepted, map[string]any{"data": map[string]any{"id": "x-1", "name": "t", "external_db_access": false, "database_url": ""}})
	})
	s.run("tenant", "create", "--region", "iad", "--name", "t")
	require.NotEmpty(t, *bodies)
}

// TestAURLThatTakesFilesOfThisMachineAlongIsNotStored: psql would log in with the user's own password.
func TestAURLThatTakesFilesOfThisMachineAlongIsNotStored(t *testing.T) {
	t.Parallel()
	s, p := online(t)
	const one = `{"id":"t-1","name":"one","external_db_access":true,"database_url":""}`
	p.tenants = `[` + one + `]`
	s.login(p)
	s.must("tenant", "list")
	before := s.must("export", "-").stdout
	p.answers(http.MethodGet, "/api/v1/tenants/t-1", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"data": json.RawMessage(one)})
	})
	p.answers(http.MethodGet, "/api/v1/tenants/t-1/status", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"data": map[string]string{"status": "ready", "secrets_url": p.URL + "/api/v1/tenants/t-1/credentials"}})
	})
	internal := ""
	p.answers(http.MethodGet, "/api/v1/tenants/t-1/credentials", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"database_url": internal, "internal_database_url": internal})
	})
	for url, why := range map[string]string{
		"postgres://postgres@127.0.0.1:5432/d?passfile=/x":      "has the parameter passfile, which is for this machine to say",
		"postgres://postgres:pw@127.0.0.1:5432/d?sslrootcert=x": "has the parameter sslrootcert",
		"postgres://postgres@127.0.0.1:5432/d":                  "has no password",
	} {
		internal = url
		o := s.run("tenant", "provision", "t-1")
		require.Equal(t, 9, o.exit, o.stderr)
		require.Contains(t, o.stderr, "gave a database URL that "+why)
		require.Equal(t, before, s.must("export", "-").stdout)
	}
}
