package server

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestABrowserSeesAPage where a program gets a problem, that says what this is and what to do.
func TestABrowserSeesAPage(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	nobody := &client{plane: p}
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	home := nobody.ask("GET", "/", "", "Accept", browser).is(200)
	require.Contains(t, string(home.text), "This is a control plane of sp")
	nowhere := nobody.ask("GET", "/favicon.ico", "", "Accept", browser).is(404)
	require.Contains(t, string(nowhere.text), "There is nothing at this address")
	for _, page := range []*answer{home, nowhere} {
		require.Contains(t, string(page.text), "<code>sp login "+p.http.URL+"</code>")
		require.Equal(t, "text/html; charset=utf-8", page.Header.Get("Content-Type"))
		require.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'none'")
		require.Empty(t, page.Header.Values("Set-Cookie"))
	}
	require.Contains(t, string(nobody.ask("GET", "/", "").is(200).text), "This is a control plane of sp")
	nobody.ask("GET", "/nowhere", "").refuses(404, "not_found")
	nobody.ask("GET", "/nowhere", "", "Accept", "*/*").refuses(404, "not_found")
	nobody.ask("POST", "/", "{}").refuses(405, "unsupported")
	nobody.ask("GET", "/api/v1/auth/me", "", "Accept", browser).refuses(401, "unauthenticated")
}
