package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// plane is a control plane as far as these tests need one. Its answers are those of the contract.
type plane struct {
	*httptest.Server
	mu      sync.Mutex
	asked   []string        // "METHOD /path"
	access  map[string]bool // tokens that are good
	revoked []string
	pending int    // how often a device is told to wait
	down    bool   // it answers 503
	tenants string // those of auth/me, as JSON
	email   string // of who asks
}

func newPlane(t *testing.T) *plane {
	t.Helper()
	p := &plane{access: map[string]bool{"sp_pat_good": true}, tenants: `[]`, email: "ada@example.com"}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *plane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r.Method+" "+r.URL.Path)
	if p.down {
		p.refuse(w, 503, "unavailable", "closed for today")
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch path := r.URL.Path; {
	case path == "/.well-known/oauth-authorization-server":
		answer(w, 200, map[string]string{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/oauth/authorize", "token_endpoint": p.URL + "/oauth/token",
			"device_authorization_endpoint": p.URL + "/oauth/device_authorization", "revocation_endpoint": p.URL + "/oauth/revoke",
		})
	case path == "/oauth/authorize":
		http.Redirect(w, r, r.FormValue("redirect_uri")+"?code=c&state="+r.FormValue("state"), http.StatusFound)
	case path == "/oauth/device_authorization":
		answer(w, 200, map[string]any{
			"device_code": "d", "user_code": "BCDF-GHJK", "verification_uri": p.URL + "/device",
			"verification_uri_complete": p.URL + "/device?user_code=BCDF-GHJK", "expires_in": 600, "interval": 1,
		})
	case path == "/oauth/token" && r.FormValue("device_code") != "" && p.pending > 0:
		p.pending--
		answer(w, 400, map[string]string{"error": "authorization_pending"})
	case path == "/oauth/token":
		token := "e30." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, noon.Add(24*time.Hour).Unix())) + ".s3cret" + strconv.Itoa(len(p.access))
		p.access[token] = true
		answer(w, 200, map[string]any{"access_token": token, "token_type": "Bearer", "refresh_token": "refresh-s3cret", "expires_in": 86400})
	case path == "/oauth/revoke":
		p.revoked = append(p.revoked, r.FormValue("token"))
	case !p.access[token]:
		p.refuse(w, 401, "unauthenticated", "the token is not known")
	case path == "/api/v1/auth/me":
		answer(w, 200, map[string]any{"user": map[string]string{"id": "u", "email": p.email}, "tenants": json.RawMessage(p.tenants)})
	case strings.HasSuffix(path, "/status") && strings.Contains(path, "t-2"):
		answer(w, 200, map[string]any{"data": map[string]string{"status": "failed", "message": "no room in iad"}})
	default:
		p.refuse(w, 404, "not_found", "there is no such tenant")
	}
}

func (p *plane) refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]any{"title": code, "status": status, "error": map[string]string{"code": code, "message": message}})
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

// asks tells whether something was asked.
func (p *plane) asks(what string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.asked, what)
}
