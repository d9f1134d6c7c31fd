package cloud

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// visit asks as a browser does, and returns status and page.
func visit(t *testing.T, method, url, host string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	if host != "" {
		r.Host = host
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func TestALoginByBrowserHasPKCEAndState(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	var asked url.Values
	p.handle("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.ParseForm())
		require.Equal(t, "authorization_code the-code", r.Form.Get("grant_type")+" "+r.Form.Get("code"))
		require.Equal(t, asked.Get("redirect_uri"), r.Form.Get("redirect_uri"))
		require.Equal(t, asked.Get("code_challenge"), challenge(r.Form.Get("code_verifier")))
		require.Len(t, r.Form.Get("code_verifier"), 43)
		p.grant(w, r)
	})
	l, me, err := mustNew(t, p.options()).LogInByBrowser(t.Context(), func(_ context.Context, to string) error {
		require.True(t, strings.HasPrefix(to, p.URL+"/oauth/authorize?"), to)
		asked = mustQuery(t, to)
		require.Equal(t, "sp_cli code S256 openid offline_access read write secrets", strings.Join([]string{
			asked.Get("client_id"), asked.Get("response_type"), asked.Get("code_challenge_method"), asked.Get("scope"),
		}, " "))
		back := asked.Get("redirect_uri")
		require.Regexp(t, `^http://127\.0\.0\.1:[0-9]+/callback$`, back)
		// Whatever does not have the state ends nothing.
		for _, forged := range []string{
			"", "?code=evil", "?code=evil&state=", "?code=evil&state=x", "?error=access_denied&state=x", "?state=" + asked.Get("state"),
			"?code=evil&iss=https://evil.example&state=" + asked.Get("state"),
		} {
			status, _ := visit(t, "GET", back+forged, "")
			require.Equal(t, 400, status, forged)
		}
		good := "?code=the-code&state=" + asked.Get("state") + "&iss=" + url.QueryEscape(p.URL)
		status, _ := visit(t, "POST", back+good, "")
		require.Equal(t, 400, status)
		status, _ = visit(t, "GET", strings.Replace(back, "callback", "other", 1)+good, "")
		require.Equal(t, 400, status)
		status, _ = visit(t, "GET", back+good, "evil.example") // a name that was made to lead here
		require.Equal(t, 400, status)

		status, page := visit(t, "GET", back+good, "")
		require.Equal(t, 200, status)
		require.Contains(t, page, "Go back to the terminal")
		require.NotContains(t, page, "the-code")
		status, _ = visit(t, "GET", back+good, "")
		require.Equal(t, 400, status, "once is enough")
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, p.URL, l.URL)
	require.Equal(t, "ada@example.com", l.Email)
	require.Equal(t, "refresh-1", l.Refresh.Reveal())
	require.Equal(t, noon, l.AuthenticatedAt)
	require.Len(t, me.Tenants, 2)
	require.Equal(t, noon.Add(24*time.Hour), *l.ExpiresAt())
}

func TestALoginByBrowserThatIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	_, _, err := mustNew(t, p.options()).LogInByBrowser(t.Context(), func(_ context.Context, to string) error {
		q := mustQuery(t, to)
		status, page := visit(t, "GET", q.Get("redirect_uri")+"?error=access_denied&error_description=%3Cscript%3E&state="+q.Get("state"), "")
		require.Equal(t, 200, status)
		require.NotContains(t, page, "script")
		return nil
	})
	require.ErrorIs(t, err, ErrDenied)
	require.ErrorContains(t, err, "<script> (access_denied)")
	require.Zero(t, p.count("POST /oauth/token"))
}

func TestWithoutABrowserALoginSaysSo(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	_, _, err := mustNew(t, p.options()).LogInByBrowser(t.Context(), func(context.Context, string) error { return errors.New("exit status 3") })
	require.ErrorIs(t, err, ErrNoBrowser)
}

func TestALoginEndsWithTheContext(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	cause := errors.New("told to end")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, _, err := mustNew(t, p.options()).LogInByBrowser(ctx, func(context.Context, string) error { cancel(cause); return nil })
	require.ErrorIs(t, err, cause)
}

// Metadata that lead elsewhere would take the tokens there.
func TestMetadataOfAnotherIssuerAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]string, string){
		"issuer":       func(m map[string]string, _ string) { m["issuer"] = "https://evil.example" },
		"no issuer":    func(m map[string]string, _ string) { delete(m, "issuer") },
		"token":        func(m map[string]string, _ string) { m["token_endpoint"] = "https://evil.example/token" },
		"authorize":    func(m map[string]string, _ string) { m["authorization_endpoint"] = "https://evil.example/" },
		"device":       func(m map[string]string, _ string) { m["device_authorization_endpoint"] = "file:///etc/passwd" },
		"revoke":       func(m map[string]string, own string) { m["revocation_endpoint"] = own + ".evil.example" },
		"no endpoints": func(m map[string]string, _ string) { delete(m, "token_endpoint") },
	} {
		p := newPlane(t)
		metadata := map[string]string{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/a", "token_endpoint": p.URL + "/t", "device_authorization_endpoint": p.URL + "/d",
			"revocation_endpoint": p.URL + "/r",
		}
		change(metadata, p.URL)
		p.handle("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 200, metadata) })
		_, _, err := mustNew(t, p.options()).LogInByDevice(t.Context(), func(Device) {})
		require.ErrorIs(t, err, ErrAnswer, name)
		require.Len(t, p.asked, 1)
	}
}

// device offers a device flow that goes through these answers.
func (p *plane) device(answers ...string) {
	p.handle("POST /oauth/device_authorization", func(w http.ResponseWriter, r *http.Request) {
		require.NoError(p.t, r.ParseForm())
		require.Equal(p.t, "sp_cli openid offline_access read write secrets", r.Form.Get("client_id")+" "+r.Form.Get("scope"))
		answerJSON(w, 200, map[string]any{
			"device_code": "dc", "user_code": "BCDF-GHJK", "verification_uri": p.URL + "/device",
			"verification_uri_complete": p.URL + "/device?user_code=BCDF-GHJK", "expires_in": 5, "interval": 1,
		})
	})
	p.handle("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		require.Equal(p.t, "dc", r.Form.Get("device_code"))
		answer := answers[0]
		answers = answers[1:]
		switch answer {
		case "good":
			p.grant(w, r)
		case "cut":
			hangUp(w, r)
		default:
			answerJSON(w, 400, map[string]string{"error": answer})
		}
	})
}

func TestALoginByDeviceWaitsUntilItIsAllowed(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.device("authorization_pending", "cut", "good")
	var shown Device
	l, me, err := mustNew(t, p.options()).LogInByDevice(t.Context(), func(d Device) { shown = d })
	require.NoError(t, err)
	require.Equal(t, Device{p.URL + "/device", p.URL + "/device?user_code=BCDF-GHJK", "BCDF-GHJK"}, shown)
	require.Equal(t, "ada@example.com", me.User.Email)
	require.Equal(t, "refresh-1", l.Refresh.Reveal())
}

func TestALoginByDeviceThatIsRefusedOrTooLate(t *testing.T) {
	t.Parallel()
	for answer, kind := range map[string]error{"access_denied": ErrDenied, "expired_token": ErrUnauthenticated, "invalid_client": ErrDenied} {
		p := newPlane(t)
		p.device(answer)
		_, _, err := mustNew(t, p.options()).LogInByDevice(t.Context(), func(Device) {})
		require.ErrorIs(t, err, kind)
		require.ErrorContains(t, err, answer)
	}
	p := newPlane(t)
	p.device("authorization_pending")
	cause := errors.New("told to end")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, _, err := mustNew(t, p.options()).LogInByDevice(ctx, func(Device) { cancel(cause) })
	require.ErrorIs(t, err, cause)
}

// P8.
func TestAPersonalTokenIsTried(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	c := mustNew(t, p.options())
	l, me, err := c.LogInByToken(t.Context(), secret.New("sp_pat_good"))
	require.NoError(t, err)
	require.Nil(t, l.Refresh)
	require.Len(t, me.Tenants, 2)
	_, _, err = c.LogInByToken(t.Context(), secret.New("sp_pat_bad"))
	require.ErrorIs(t, err, ErrUnauthenticated)
	for _, bad := range []string{"", "a b", "a\r\nX: y", "é"} {
		_, _, err = c.LogInByToken(t.Context(), secret.New(bad))
		require.ErrorIs(t, err, ErrInvalid, bad)
	}
	require.Equal(t, []string{"GET /api/v1/auth/me", "GET /api/v1/auth/me"}, p.asked)
}

func TestALogoutRevokesTheRefreshToken(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.handle("POST /oauth/revoke", func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.ParseForm())
		require.Equal(t, "refresh-0 sp_cli", r.Form.Get("token")+" "+r.Form.Get("client_id"))
		require.Empty(t, r.Header.Get("Authorization"))
		w.WriteHeader(200)
	})
	c := mustNew(t, p.options())
	require.NoError(t, c.Revoke(t.Context(), goodLogin(p.URL)))
	require.Equal(t, 1, p.count("POST /oauth/revoke"))
	require.NoError(t, c.Revoke(t.Context(), Login{Token: secret.New("sp_pat_good")}))
	require.Equal(t, 1, p.count("POST /oauth/revoke"))
	p.handle("POST /oauth/revoke", status(503))
	require.ErrorIs(t, c.Revoke(t.Context(), goodLogin(p.URL)), ErrUnavailable)
}
