package cloud

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// noon is the time of every test.
var noon = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

// plane is a control plane of the tests. It follows the contract as far as a client sees it.
type plane struct {
	*httptest.Server
	t  *testing.T
	mu sync.Mutex

	handlers map[string]http.HandlerFunc // "METHOD /path", in place of what is below
	asked    []string                    // "METHOD /path"
	access   map[string]bool             // tokens that are good
	fresh    string                      // the refresh token of the family; empty if that has ended
	grants   int
	lasts    time.Duration // of an access token
}

func newPlane(t *testing.T) *plane {
	t.Helper()
	p := &plane{t: t, handlers: map[string]http.HandlerFunc{}, access: map[string]bool{"sp_pat_good": true}, lasts: 24 * time.Hour}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *plane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	name := r.Method + " " + r.URL.Path
	p.asked = append(p.asked, name)
	handler := p.handlers[name]
	p.mu.Unlock()
	if handler != nil {
		handler(w, r)
		return
	}
	switch name {
	case "GET /.well-known/oauth-authorization-server":
		answerJSON(w, http.StatusOK, map[string]string{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/oauth/authorize", "token_endpoint": p.URL + "/oauth/token",
			"device_authorization_endpoint": p.URL + "/oauth/device_authorization", "revocation_endpoint": p.URL + "/oauth/revoke",
		})
	case "POST /oauth/token":
		p.grant(w, r)
	case "GET /api/v1/auth/me":
		if p.authorised(w, r) {
			w.Header().Set("ETag", `"r1.1"`)
			if r.Header.Get("If-None-Match") == `"r1.1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			answerText(w, http.StatusOK, "application/json", meText)
		}
	default:
		answerProblem(w, http.StatusNotFound, "not_found", "there is no "+r.URL.Path)
	}
}

const meText = `{"user":{"id":"u1","email":"ada@example.com","name":"Ada"},"customer":{"id":"c1"},"tenants":[
  {"id":"7f000001-aaaa-4bbb-8ccc-000000000001","name":"one","app_id":"sp-one","hostname":"one.example","region":"iad","status":"active",
   "subscription_status":"active","external_db_access":true,"database_url":"postgres://u:***@h/one","plan":{"name":"x","memory_mb":1,"volume_gb":1}},
  {"id":"7f000001-aaaa-4bbb-8ccc-000000000002","name":"two","external_db_access":false,"database_url":""}]}`

func (p *plane) authorised(w http.ResponseWriter, r *http.Request) bool {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	ok := p.access[token]
	p.mu.Unlock()
	if !ok {
		answerProblem(w, http.StatusUnauthorized, "unauthenticated", "that token is not known")
	}
	return ok
}

// grant has the grants of the token endpoint. Whoever comes with a refresh token that was used ends the
// family.
func (p *plane) grant(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Form.Get("client_id") != clientID || r.Header.Get("Authorization") != "" {
		answerJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	if r.Form.Get("grant_type") == "refresh_token" && (p.fresh == "" || r.Form.Get("refresh_token") != p.fresh) {
		p.fresh = ""
		answerJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": "the family has ended"})
		return
	}
	p.grants++
	p.fresh = fmt.Sprintf("refresh-%d", p.grants)
	token := newJWT(fmt.Sprint(p.grants), noon.Add(p.lasts))
	p.access[token] = true
	answerJSON(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "refresh_token": p.fresh, "expires_in": 86400})
}

// newJWT is a token that says when it expires.
func newJWT(id string, expires time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(fmt.Appendf(nil, `{"jti":%q,"exp":%d}`, id, expires.Unix())) + "." + encode([]byte("x"))
}

// handle answers a question in the test's way.
func (p *plane) handle(name string, fn http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[name] = fn
}

// count tells how often something was asked.
func (p *plane) count(name string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, asked := range p.asked {
		if asked == name {
			n++
		}
	}
	return n
}

func answerText(w http.ResponseWriter, status int, kind, text string) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

func answerJSON(w http.ResponseWriter, status int, value any) {
	text, _ := json.Marshal(value)
	answerText(w, status, "application/json", string(text))
}

func answerProblem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Request-Id", "req-1")
	answerText(w, status, "application/problem+json", fmt.Sprintf(
		`{"type":"about:blank","title":%q,"status":%d,"detail":%q,"error":{"code":%q,"message":%q}}`, http.StatusText(status), status, detail, code, detail))
}

// options are those of a client of the tests. It never really sleeps.
func (p *plane) options() Options {
	return Options{
		Base: p.URL, Now: func() time.Time { return noon }, Random: rand.NewChaCha8([32]byte{}), UserAgent: "sp/test",
		Sleep: func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) },
	}
}

// client is logged in with a personal token.
func (p *plane) client() *Client {
	o := p.options()
	o.Tokens = Fixed{secret.New("sp_pat_good")}
	return mustNew(p.t, o)
}

func mustNew(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := New(o)
	require.NoError(t, err)
	return c
}

// challenge is what PKCE makes of a verifier.
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// mustQuery is the query of a URL.
func mustQuery(t *testing.T, text string) url.Values {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u.Query()
}
