package torture

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAFullDiskEndsNoLogin: the control plane makes the next tokens only if there is room for them, since
// after that the old ones end.
func TestAFullDiskEndsNoLogin(t *testing.T) {
	sized(t, 1, 1)
	p := newSmallDisk(t, 1<<20)
	var made atomic.Int32
	var plane *httptest.Server
	plane = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/.well-known/oauth-authorization-server":
			_ = json.NewEncoder(w).Encode(map[string]string{
				"issuer": plane.URL, "authorization_endpoint": plane.URL, "token_endpoint": plane.URL + "/token",
				"device_authorization_endpoint": plane.URL, "revocation_endpoint": plane.URL,
			})
		case "/token":
			made.Add(1)
			_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "e30.eyJleHAiOjk5OTk5OTk5OTl9.x", "token_type": "Bearer", "refresh_token": "second"})
		default:
			_ = json.NewEncoder(w).Encode(map[string]any{"user": map[string]string{"id": "u", "email": "ada@example.com"}, "tenants": []any{}})
		}
	}))
	t.Cleanup(plane.Close)
	p.Must("init")
	p.Env = append(p.Env, "SP_OFFLINE=", "SP_TRUST="+p.Dir)
	login := `{"api_token": "e30.eyJleHAiOjF9.x", "api_url": "` + plane.URL + `", "authenticated_at": "2026-02-01T12:00:00Z",
		"user_email": "ada@example.com", "last_validated_at": null, "refresh_token": "first"}`
	require.NoError(t, os.WriteFile(p.Store("credentials.json"), []byte(login), 0o600))
	require.NoError(t, os.WriteFile(p.Store(".login.lock"), nil, 0o600))

	p.fill(0)
	o := p.Run("cloud", "status")
	require.NotZero(t, o.Exit)
	require.Contains(t, o.Stdout+o.Stderr, "no space left")
	require.Zero(t, made.Load())
	require.NoError(t, os.Remove(filepath.Join(p.Dir, "filler")))
	p.Must("cloud", "status")
	require.EqualValues(t, 1, made.Load())
	require.Contains(t, string(mustRead(t, p.Store("credentials.json"))), "second")
}
