package login

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
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
	"golang.org/x/oauth2"

	"github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/secret"
)

// logged is what all tests together log.
var logged lockedBuffer

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})))
	os.Exit(m.Run())
}

// callback is where the program waits; nobody listens there.
const callback = "http://127.0.0.1:9/callback"

var birth = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// world is a control plane's login over a real file, at a clock that a test moves.
type world struct {
	t         *testing.T
	db        *server.DB
	login     *Login
	path, url string
	client    *http.Client // which trusts it

	mu    sync.Mutex
	now   time.Time
	notes []Event
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldBy(t, httptest.NewTLSServer)
}

// newPlainWorld is one without TLS, as on one's own machine.
func newPlainWorld(t *testing.T) *world {
	t.Helper()
	return newWorldBy(t, httptest.NewServer)
}

func newWorldBy(t *testing.T, serve func(http.Handler) *httptest.Server) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "serve.db")
	db, err := server.Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	w := &world{t: t, path: path, db: db, now: birth}
	var handler http.Handler
	s := serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	t.Cleanup(s.Close)
	w.url, w.client = s.URL, s.Client()
	w.login, err = New(t.Context(), w.options(s.URL))
	require.NoError(t, err)
	handler = w.login.Handler()
	return w
}

func (w *world) options(issuer string) Options {
	return Options{DB: w.db, Issuer: issuer, Now: w.clock, Random: rand.Reader, Note: func(_ context.Context, e Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.notes = append(w.notes, e)
	}}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) told() []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Event(nil), w.notes...)
}

func (w *world) write(fn func(q *server.Queries) error) {
	w.t.Helper()
	require.NoError(w.t, w.db.Write(w.t.Context(), fn))
}

// user adds a user, whose id is the name.
func (w *world) user(name, role string) string {
	w.t.Helper()
	w.write(func(q *server.Queries) error {
		return q.InsertUser(w.t.Context(), server.InsertUserParams{ID: name, Name: name, NameKey: strings.ToLower(name), Email: name + "@example.com", Role: role, Active: true})
	})
	return name
}

func (w *world) change(user, role string, active bool) {
	w.t.Helper()
	w.write(func(q *server.Queries) error {
		return q.UpdateUser(w.t.Context(), server.UpdateUserParams{ID: user, Role: role, Active: active})
	})
}

func (w *world) joinCode(user string) string {
	w.t.Helper()
	shown, hash, err := JoinCode(rand.Reader)
	require.NoError(w.t, err)
	w.write(func(q *server.Queries) error {
		return q.InsertJoinCode(w.t.Context(), server.InsertJoinCodeParams{Hash: hash, UserID: user, ExpiresAt: w.clock().Add(24 * time.Hour).UnixMicro()})
	})
	return shown
}

// personal adds a personal token, whose id is its text without the secret part.
func (w *world) personal(user, id, scopes, tenants string, life time.Duration) string {
	w.t.Helper()
	text := "sp_pat_" + id + strings.Repeat("x", 40)
	until := w.clock().Add(life).UnixMicro()
	w.write(func(q *server.Queries) error {
		return q.InsertToken(w.t.Context(), server.InsertTokenParams{ID: id, Kind: "personal", Hash: secret.Hash(text), UserID: &user, Scopes: scopes, Tenants: tenants, ExpiresAt: &until})
	})
	return text
}

// row is the row of a token, nil if there is none.
func (w *world) row(token string) (row *server.Token) {
	w.t.Helper()
	err := w.db.Read(w.t.Context(), func(q *server.Queries) error {
		found, err := q.TokenByHash(w.t.Context(), secret.Hash(token))
		row = &found
		return err
	})
	if server.IsMissing(err) {
		return nil
	}
	require.NoError(w.t, err)
	return row
}

// browser is one that keeps cookies, and does not go to where a program waits.
func (w *world) browser() *http.Client {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	return &http.Client{Transport: w.client.Transport, Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), w.url) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	at     *url.URL // what was asked last
	body   string
}

// location is where an answer sends the browser.
func (r reply) location(t *testing.T) *url.URL {
	t.Helper()
	require.Contains(t, []int{http.StatusFound, http.StatusSeeOther}, r.status, r.body)
	u, err := url.Parse(r.header.Get("Location"))
	require.NoError(t, err)
	return u
}

func (w *world) do(b *http.Client, r *http.Request) reply {
	w.t.Helper()
	resp, err := b.Do(r)
	require.NoError(w.t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	return reply{resp.StatusCode, resp.Header, resp.Request.URL, string(body)}
}

func (w *world) get(b *http.Client, path string) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+path, nil)
	require.NoError(w.t, err)
	return w.do(b, r)
}

func (w *world) post(b *http.Client, path string, form url.Values) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+path, strings.NewReader(form.Encode()))
	require.NoError(w.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.do(b, r)
}

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

const verifier = "a-verifier-of-at-least-forty-three-characters-0123"

// asks are the parameters of a good request, changed by pairs.
func asks(pairs ...string) url.Values {
	v := values("response_type", "code", "client_id", "sp_cli", "redirect_uri", callback, "state", "the-state",
		"code_challenge", oauth2.S256ChallengeFromVerifier(verifier), "code_challenge_method", "S256", "hostname", "laptop")
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// page opens the page of a new request.
func (w *world) page(b *http.Client, pairs ...string) reply {
	w.t.Helper()
	got := w.get(b, "/oauth/authorize?"+asks(pairs...).Encode())
	require.Equal(w.t, http.StatusOK, got.status, got.body)
	return got
}

var hidden = regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`)

// form is a page's form as the browser would send it.
func form(page reply, pairs ...string) url.Values {
	v := values(pairs...)
	for _, input := range hidden.FindAllStringSubmatch(page.body, -1) {
		v.Set(input[1], input[2])
	}
	return v
}

// enter types a code on a page.
func (w *world) enter(b *http.Client, page reply, typed string) reply {
	w.t.Helper()
	return w.post(b, page.at.Path, form(page, "action", "sign-in", "code", typed))
}

// code logs in through a browser up to the code that the program gets.
func (w *world) code(typed string, pairs ...string) string {
	w.t.Helper()
	b := w.browser()
	at := w.enter(b, w.page(b, pairs...), typed).location(w.t)
	require.NotEmpty(w.t, at.Query().Get("code"), at)
	return at.Query().Get("code")
}

// tokens is the answer to a program.
type tokens struct {
	status       int
	Access       string `json:"access_token"`
	Refresh      string `json:"refresh_token"`
	Expires      int    `json:"expires_in"`
	Scope, Error string
	Why          string `json:"error_description"`
	Type         string `json:"token_type"`
}

func (w *world) ask(path string, pairs ...string) (got tokens) {
	w.t.Helper()
	v := values("client_id", "sp_cli")
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	answer := w.post(w.client, path, v)
	if answer.body != "" {
		require.NoError(w.t, json.Unmarshal([]byte(answer.body), &got), answer.body)
	}
	require.Equal(w.t, "no-store", answer.header.Get("Cache-Control"))
	got.status = answer.status
	return got
}

func (w *world) exchange(code string, pairs ...string) tokens {
	w.t.Helper()
	return w.ask("/oauth/token", append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier}, pairs...)...)
}

func (w *world) refresh(token string, pairs ...string) tokens {
	w.t.Helper()
	return w.ask("/oauth/token", append([]string{"grant_type", "refresh_token", "refresh_token", token}, pairs...)...)
}

// loggedIn is a program that acts for a user.
func (w *world) loggedIn(user string, pairs ...string) tokens {
	w.t.Helper()
	got := w.exchange(w.code(w.joinCode(user), pairs...))
	require.Equal(w.t, http.StatusOK, got.status, got.Why)
	return got
}

func (w *world) requireRefused(got tokens, code string) {
	w.t.Helper()
	require.Equal(w.t, http.StatusBadRequest, got.status)
	require.Equal(w.t, code, got.Error, got.Why)
	require.Empty(w.t, got.Access+got.Refresh)
	require.NotEmpty(w.t, got.Why)
}
