package cloud

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

func TestTheURLOfAControlPlane(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://cloud.example":       "https://cloud.example",
		"https://cloud.example/":      "https://cloud.example",
		"https://cloud.example/sp/":   "https://cloud.example/sp",
		"http://127.0.0.1:8080":       "http://127.0.0.1:8080",
		"http://127.8.8.8":            "http://127.8.8.8",
		"http://[::1]:1":              "http://[::1]:1",
		"http://localhost:8080/":      "http://localhost:8080",
		"":                            "",
		"cloud.example":               "",
		"ftp://cloud.example":         "",
		"https://":                    "",
		"http://cloud.example":        "",
		"http://127.0.0.1.evil.test":  "",
		"http://[::ffff:8.8.8.8]":     "",
		"https://u:pw@cloud.example":  "",
		"https://cloud.example/?x=1":  "",
		"https://cloud.example/#x":    "",
		"postgres://u:pw@h/d":         "",
		"https://cloud.example:x":     "",
		"http://localhost.evil.test/": "",
	} {
		got, err := CheckURL(text)
		require.Equal(t, want, got, text)
		if want == "" {
			require.ErrorIs(t, err, ErrInvalid, text)
			require.NotContains(t, err.Error(), "pw")
		}
	}
}

// failing is a handler that fails in a way first, and then answers.
func failing(times int, fail http.HandlerFunc, good string) (http.HandlerFunc, *atomic.Int32) {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if int(n.Add(1)) <= times {
			fail(w, r)
			return
		}
		answerText(w, http.StatusOK, "application/json", good)
	}, &n
}

func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func cutShort(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"data":`)
	panic(http.ErrAbortHandler)
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answerProblem(w, code, "x", "why") }
}

const tenantText = `{"data":{"id":"t1","name":"one","status":"active","external_db_access":false,"database_url":""}}`

func TestWhatPassesIsTriedFiveTimes(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]http.HandlerFunc{
		"429": status(429), "502": status(502), "503": status(503), "504": status(504), "hang up": hangUp, "cut": cutShort,
		"502 of a proxy": func(w http.ResponseWriter, _ *http.Request) { answerText(w, 502, "text/html", "<html>") },
	} {
		for _, call := range []struct {
			name string
			do   func(context.Context, *Client) error
		}{
			{"GET /api/v1/tenants/t1", func(ctx context.Context, c *Client) error { _, err := c.Tenant(ctx, "t1"); return err }},
			{"DELETE /api/v1/tenants/t1", func(ctx context.Context, c *Client) error { return c.Delete(ctx, "t1") }},
			{"POST /api/v1/tenants", func(ctx context.Context, c *Client) error {
				_, err := c.Create(ctx, "a-key-of-16-bytes", NewTenant{Name: "one"}, false)
				return err
			}},
		} {
			p := newPlane(t)
			handler, n := failing(4, fail, tenantText)
			p.handle(call.name, handler)
			require.NoError(t, call.do(t.Context(), p.client()), "%s: %s", name, call.name)
			require.EqualValues(t, 5, n.Load())

			handler, n = failing(5, fail, tenantText)
			p.handle(call.name, handler)
			require.ErrorIs(t, call.do(t.Context(), p.client()), ErrUnavailable, "%s: %s", name, call.name)
			require.EqualValues(t, 5, n.Load())
		}
	}
}

func TestWhatIsFinalIsTriedOnce(t *testing.T) {
	t.Parallel()
	for code, kind := range map[int]error{
		400: ErrInvalid, 403: ErrDenied, 404: ErrNotFound, 405: ErrAnswer, 409: ErrConflict, 412: ErrConflict, 413: ErrInvalid, 422: ErrInvalid,
		423: ErrUnavailable, 428: ErrConflict, 500: ErrUnavailable, 501: ErrUnavailable,
	} {
		p := newPlane(t)
		handler, n := failing(9, status(code), "")
		p.handle("GET /api/v1/tenants/t1", handler)
		_, err := p.client().Tenant(t.Context(), "t1")
		require.ErrorIs(t, err, kind, code)
		require.EqualValues(t, 1, n.Load(), code)
	}
	p := newPlane(t) // without a key, nobody knows whether it was done
	handler, n := failing(9, hangUp, "")
	p.handle("POST /api/v1/tenants/t1/subscription/cancel", handler)
	require.ErrorIs(t, p.client().Cancel(t.Context(), "t1"), ErrUnavailable)
	require.EqualValues(t, 1, n.Load())
}

func TestWaitsAreJitterOrWhatTheServerAsksFor(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		after     string
		code      int
		low, high time.Duration
	}{
		{"", 503, 0, firstPause},
		{"7", 503, 7 * time.Second, 7 * time.Second},
		{"7", 409, 7 * time.Second, 7 * time.Second}, // the first with this key is under way
		{noon.Add(9 * time.Second).Format(http.TimeFormat), 429, 9 * time.Second, 9 * time.Second},
		{noon.Add(-time.Hour).Format(http.TimeFormat), 429, 0, firstPause},
		{"86400", 429, 30 * time.Second, 30 * time.Second},
		{"99999999999999999999", 429, 0, firstPause},
		{noon.Add(24 * time.Hour).Format(http.TimeFormat), 429, 30 * time.Second, 30 * time.Second},
		{"-1", 503, 0, firstPause},
	} {
		p := newPlane(t)
		handler, _ := failing(1, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", row.after)
			status(row.code)(w, r)
		}, tenantText)
		p.handle("POST /api/v1/tenants", handler)
		var pauses []time.Duration
		o := p.client().Options
		o.Sleep = func(_ context.Context, d time.Duration) error { pauses = append(pauses, d); return nil }
		_, err := mustNew(t, o).Create(t.Context(), "a-key-of-16-bytes", NewTenant{Name: "one"}, false)
		require.NoError(t, err)
		require.Len(t, pauses, 1)
		require.GreaterOrEqual(t, pauses[0], row.low, row.after)
		require.LessOrEqual(t, pauses[0], row.high, row.after)
	}
}

func TestTheContextEndsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	cause := errors.New("told to end")
	p := newPlane(t)
	for name, handler := range map[string]http.HandlerFunc{
		"before the header": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"in the body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		p.handle("GET /api/v1/tenants/t1", handler)
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(30*time.Millisecond, func() { cancel(cause) })
		_, err := p.client().Tenant(ctx, "t1")
		require.ErrorIs(t, err, cause, name)

		ctx, stop := context.WithTimeout(t.Context(), 30*time.Millisecond)
		_, err = p.client().Tenant(ctx, "t1")
		require.ErrorIs(t, err, ErrUnavailable, name)
		require.ErrorContains(t, err, "no answer in time")
		stop()
	}
	p.handle("GET /api/v1/tenants/t1", status(503))
	o := p.client().Options
	o.Sleep = nil // while it waits for the next try
	ctx, cancel := context.WithCancelCause(t.Context())
	p.handle("GET /api/v1/tenants/t1", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "30")
		time.AfterFunc(30*time.Millisecond, func() { cancel(cause) })
		status(503)(w, r)
	})
	_, err := mustNew(t, o).Tenant(ctx, "t1")
	require.ErrorIs(t, err, cause)
}

// Bad input, of the other side.
func TestWhatIsNoAnswerOfAControlPlaneIsOneSentence(t *testing.T) {
	t.Parallel()
	kind := func(kind, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { answerText(w, http.StatusOK, kind, text) }
	}
	for name, row := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"HTML":              {kind("text/html", "<html>CANARY</html>"), "it answers with text/html"},
		"HTML as JSON":      {kind("application/json", "<html>CANARY</html>"), "its JSON can't be read"},
		"no type":           {kind("", "CANARY"), "it answers with"},
		"an array":          {kind("application/json", `["CANARY"]`), "its JSON can't be read"},
		"cut JSON":          {kind("application/json", `{"data":{"id":"CANARY`), "its JSON can't be read"},
		"wrong types":       {kind("application/json", `{"data":{"id":7}}`), "its JSON can't be read"},
		"null":              {kind("application/json", `null`), "its answer has no id"},
		"nothing":           {kind("application/json", ``), "its JSON can't be read"},
		"nothing of a name": {kind("application/json", `{"data":{"id":"t1","region":"CANARY"}}`), "its answer has no name"},
		"another tenant":    {kind("application/json", `{"data":{"id":"CANARY","name":"one"}}`), "its answer is about another tenant"},
		"200 and a problem": {kind("application/problem+json", `{"title":"CANARY","status":500}`), "its answer has no id"},
		"a redirect away": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusFound)
		}, "it redirects to another host"},
		"a bare redirect": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(302) }, ""},
		"304 unasked":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, "it answers with"},
		"204":             {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "it answers with no JSON"},
		"401 of a portal": {func(w http.ResponseWriter, _ *http.Request) { answerText(w, 401, "text/html", "CANARY") }, "status 401 and text/html"},
		"403 of a proxy":  {func(w http.ResponseWriter, _ *http.Request) { answerText(w, 403, "text/html", "CANARY") }, "status 403 and text/html"},
		"404 of a server": {func(w http.ResponseWriter, _ *http.Request) { answerText(w, 404, "text/plain", "CANARY") }, "status 404 and text/plain"},
		"too long": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(bytes.Repeat([]byte(" "), maxAnswer+1))
		}, "more than 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlane(t)
			p.handle("GET /api/v1/tenants/t1", row.handler)
			_, err := p.client().Tenant(t.Context(), "t1")
			require.ErrorIs(t, err, ErrAnswer)
			require.ErrorContains(t, err, row.says)
			require.NotContains(t, err.Error(), "CANARY")
			require.NotContains(t, err.Error(), "\n")
			require.Contains(t, err.Error(), strings.TrimPrefix(p.URL, "http://"))
			require.Equal(t, 1, p.count("GET /api/v1/tenants/t1"))
		})
	}
}

func TestTenGibibytesAreNotRead(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	var sent atomic.Int64
	p.handle("GET /api/v1/auth/me", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for piece := bytes.Repeat([]byte(" "), 1<<20); sent.Load() < 10<<30; sent.Add(1 << 20) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	_, _, err := p.client().Me(t.Context(), "")
	require.ErrorContains(t, err, "more than 64 MiB")
	require.ErrorIs(t, err, ErrAnswer)
	require.Less(t, sent.Load(), int64(128<<20))
}

func TestAServerThatStopsInTheMiddleIsLeft(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.handle("GET /api/v1/tenants/t1", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	o := p.client().Options
	o.Patience = 20 * time.Millisecond
	_, err := mustNew(t, o).Tenant(t.Context(), "t1")
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "stopped halfway")
	require.Equal(t, 5, p.count("GET /api/v1/tenants/t1"))
}

// TestAnAnswerThatDripsIsLeft: something comes now and then, for ever.
func TestAnAnswerThatDripsIsLeft(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	}
	p.handle("GET /api/v1/tenants/t1", drip)
	p.handle("POST /api/v1/tenants/t1/retry-provision", drip)
	p.handle("POST /oauth/device_authorization", drip)
	o := p.client().Options
	o.most = 100 * time.Millisecond
	c := mustNew(t, o)
	_, err := c.Tenant(t.Context(), "t1")
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "takes too long")
	require.Equal(t, 5, p.count("GET /api/v1/tenants/t1"))
	require.ErrorContains(t, c.Retry(t.Context(), "t1"), "takes too long")
	require.Equal(t, 1, p.count("POST /api/v1/tenants/t1/retry-provision"), "it may have been done")
	_, _, err = c.LogInByDevice(t.Context(), func(Device) {})
	require.ErrorContains(t, err, "takes too long")
}

func TestARedirectWithinTheOriginIsFollowedAndNoOther(t *testing.T) {
	t.Parallel()
	p, other := newPlane(t), newPlane(t)
	p.handle("GET /api/v1/tenants/t1", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/moved", http.StatusTemporaryRedirect)
	})
	p.handle("GET /moved", func(w http.ResponseWriter, _ *http.Request) { answerText(w, 200, "application/json", tenantText) })
	_, err := p.client().Tenant(t.Context(), "t1")
	require.NoError(t, err)

	for _, code := range []int{301, 302, 303, 307, 308} {
		p.handle("GET /api/v1/tenants/t1", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+"/api/v1/auth/me", code) })
		_, err = p.client().Tenant(t.Context(), "t1")
		require.ErrorIs(t, err, ErrAnswer)
		p.handle("POST /api/v1/tenants", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/moved", code) })
		_, err = p.client().Create(t.Context(), "a-key-of-16-bytes", NewTenant{Name: "one"}, false)
		require.ErrorIs(t, err, ErrAnswer)
	}
	require.Empty(t, other.asked)
	p.handle("GET /moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/moved", http.StatusFound) })
	p.handle("GET /api/v1/tenants/t1", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/moved", http.StatusFound) })
	_, err = p.client().Tenant(t.Context(), "t1")
	require.ErrorIs(t, err, ErrAnswer)
}

func TestAProblemIsToldShortAndWithoutSecrets(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	answers := map[string]string{
		`{"title":"Unprocessable","status":422,"detail":"no","errors":[{"pointer":"/region","detail":"there is no xyz"},{"pointer":"/name","detail":"too long"}],"error":{"code":"invalid","message":"not valid"}}`: "not valid: region there is no xyz; name too long",
		`{"error":{"code":"invalid","message":"of the original"}}`:                            "of the original",
		`{"title":"T","error":{"code":"x","message":"a\nb\u001b[31m\u202ec sp_pat_good"}}`:    "a b [31m?c [secret]",
		`{"title":"T","detail":"see postgres://u:pw@h/d and eyJhbGciOi.x.y"}`:                 "see [secret] and [secret]",
		`{"title":"T","detail":"no login u:pw@h with password=pw of SP_PAT_1 and sp_sync_1"}`: "no login [secret] with [secret] of SP_PAT_1 and [secret]",
		`{"title":"` + strings.Repeat("é", 300) + `"}`:                                        strings.Repeat("é", 200) + "…",
	}
	for text, want := range answers {
		p.handle("GET /api/v1/tenants/t1", func(w http.ResponseWriter, _ *http.Request) { answerText(w, 422, "application/problem+json", text) })
		_, err := p.client().Tenant(t.Context(), "t1")
		require.ErrorIs(t, err, ErrInvalid)
		require.EqualError(t, err, strings.TrimPrefix(p.URL, "http://")+": "+want)
	}
	p.handle("GET /api/v1/tenants/t1", status(500))
	_, err := p.client().Tenant(t.Context(), "t1")
	var told *Error
	require.ErrorAs(t, err, &told)
	require.Equal(t, "req-1", told.RequestID)
	require.ErrorContains(t, err, "why (request req-1)")
	p.handle("GET /api/v1/tenants/t1", func(w http.ResponseWriter, _ *http.Request) {
		answerProblem(w, 500, "internal", "its log says more about request req-1")
	})
	_, err = p.client().Tenant(t.Context(), "t1")
	require.EqualError(t, err, strings.TrimPrefix(p.URL, "http://")+": its log says more about request req-1")
}

func TestARefusedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	o := p.options()
	tokens := &twoTokens{}
	o.Tokens = tokens
	_, _, err := mustNew(t, o).Me(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []string{"sp_pat_old"}, tokens.refused)

	p.access = map[string]bool{}
	_, _, err = mustNew(t, o).Me(t.Context(), "")
	require.ErrorIs(t, err, ErrUnauthenticated)
	require.Equal(t, 4, p.count("GET /api/v1/auth/me"))
}

type twoTokens struct{ refused []string }

func (*twoTokens) Token(context.Context) (secret.Secret, error) { return secret.New("sp_pat_old"), nil }

func (s *twoTokens) Another(_ context.Context, refused secret.Secret) (secret.Secret, error) {
	s.refused = append(s.refused, refused.Reveal())
	return secret.New("sp_pat_good"), nil
}

// secure is a control plane behind TLS, and a client that knows its authority.
func secure(t *testing.T) (*plane, Options) {
	t.Helper()
	p := newPlane(t)
	tls := httptest.NewUnstartedServer(p)
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	t.Cleanup(tls.Close)
	p.Server = tls
	o := p.client().Options
	o.Base = tls.URL
	o.roots = x509.NewCertPool()
	o.roots.AddCert(tls.Certificate())
	return p, o
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	p, o := secure(t)
	_, _, err := mustNew(t, o).Me(t.Context(), "")
	require.NoError(t, err)

	unknown := o
	unknown.roots = x509.NewCertPool()
	_, _, err = mustNew(t, unknown).Me(t.Context(), "")
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "an authority that this machine does not know")

	certificate := p.Certificate()
	for _, now := range []time.Time{certificate.NotAfter.Add(time.Hour), certificate.NotBefore.Add(-time.Hour)} {
		off := o
		off.Now = func() time.Time { return now }
		_, _, err = mustNew(t, off).Me(t.Context(), "")
		require.ErrorIs(t, err, ErrUnavailable)
		require.ErrorContains(t, err, "the clock of this machine says "+now.UTC().Format("2006-01-02T15:04:05Z"))
	}

	others := o
	others.Base = strings.Replace(p.URL, "127.0.0.1", "localhost", 1)
	_, _, err = mustNew(t, others).Me(t.Context(), "")
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "its certificate is for another host, example.com, *.example.com, 127.0.0.1")
	require.Equal(t, 1, p.count("GET /api/v1/auth/me"))
}

func TestHTTPSOfAServerThatHasNone(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	o := p.client().Options
	o.Base = strings.Replace(p.URL, "http:", "https:", 1)
	_, _, err := mustNew(t, o).Me(t.Context(), "")
	require.ErrorIs(t, err, ErrAnswer)
	require.ErrorContains(t, err, "it does not speak https")
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.Close()
	_, _, err := p.client().Me(t.Context(), "")
	require.ErrorIs(t, err, ErrUnavailable)
	require.EqualError(t, err, strings.TrimPrefix(p.URL, "http://")+": connection refused")
}

// A proxy is asked for what is elsewhere, and never for what is on this machine in plain http.
func TestTheProxyIsUsedForHTTPSOnly(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	o := p.client().Options
	o.Proxy = func(*url.URL) (*url.URL, error) { return nil, errors.New("not to be asked") }
	_, _, err := mustNew(t, o).Me(t.Context(), "")
	require.NoError(t, err)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	asked := make(chan string, 9)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			line := make([]byte, 512)
			n, _ := conn.Read(line)
			asked <- string(line[:n])
			fmt.Fprint(conn, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
			_ = conn.Close()
		}
	}()
	o.Base = "https://cloud.example"
	o.Proxy = func(*url.URL) (*url.URL, error) { return url.Parse("http://u:pw@" + listener.Addr().String()) }
	_, _, err = mustNew(t, o).Me(t.Context(), "")
	require.ErrorIs(t, err, ErrUnavailable)
	require.NotContains(t, err.Error(), "pw")
	require.Contains(t, <-asked, "CONNECT cloud.example:443")
}
