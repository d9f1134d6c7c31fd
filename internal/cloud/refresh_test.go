package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// What makes this test binary one of many processes that use a login.
const roleVariable = "CLOUD_TEST_DIRECTORY"

func TestMain(m *testing.M) {
	if dir := os.Getenv(roleVariable); dir != "" {
		os.Exit(askAsProcess(dir))
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the real control plane's library logs there
	os.Exit(m.Run())
}

// askAsProcess asks who is logged in, with the login of a directory.
func askAsProcess(dir string) int {
	c, _, err := Open(LoginFile{dir}, Options{Now: func() time.Time { return noon }, Random: rand.NewChaCha8([32]byte{})})
	if err == nil {
		_, _, err = c.Me(context.Background(), "")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// loggedIn is a directory with a login that has expired.
func (p *plane) loggedIn() LoginFile {
	f := LoginFile{p.t.TempDir()}
	p.fresh = "refresh-0"
	mustStore(p.t, f, goodLogin(p.URL))
	return f
}

func (p *plane) open(f LoginFile) *Client {
	p.t.Helper()
	c, _, err := Open(f, p.options())
	require.NoError(p.t, err)
	return c
}

func TestSixteenProcessesAtOnceRefreshOnce(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*plane, LoginFile){
		"expired": func(*plane, LoginFile) {},
		"refused": func(p *plane, f LoginFile) { // it has not expired, and was revoked
			l := goodLogin(p.URL)
			l.Token = secret.New(newJWT("revoked", noon.Add(time.Hour)))
			mustStore(p.t, f, l)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlane(t)
			f := p.loggedIn()
			prepare(p, f)
			self, err := os.Executable()
			require.NoError(t, err)
			ended := make(chan error)
			for range 16 {
				go func() {
					cmd := exec.CommandContext(t.Context(), self)
					cmd.Env = append(os.Environ(), roleVariable+"="+f.Dir)
					out, err := cmd.CombinedOutput()
					if err != nil {
						err = fmt.Errorf("%w: %s", err, out)
					}
					ended <- err
				}()
			}
			for range 16 {
				require.NoError(t, <-ended)
			}
			require.Equal(t, 1, p.count("POST /oauth/token"))
			l, err := f.Read()
			require.NoError(t, err)
			require.Equal(t, "refresh-1", l.Refresh.Reveal())
			require.Equal(t, noon, *l.ValidatedAt)
			require.Equal(t, noon, l.AuthenticatedAt)
		})
	}
}

func TestATokenThatHoldsIsNotRefreshed(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	f := p.loggedIn()
	for range 3 {
		_, _, err := p.open(f).Me(t.Context(), "")
		require.NoError(t, err)
	}
	require.Equal(t, 1, p.count("POST /oauth/token"))
	require.Equal(t, 3, p.count("GET /api/v1/auth/me"))
}

func TestUnknownMembersOutliveARefresh(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	f := p.loggedIn()
	text := append(goodLogin(p.URL).Text(), ' ')
	text = append(text[:len(text)-3], []byte(",\n  \"theirs\": 1.0\n}")...)
	require.NoError(t, os.WriteFile(f.Path(), text, 0o600))
	_, _, err := p.open(f).Me(t.Context(), "")
	require.NoError(t, err)
	now, err := os.ReadFile(f.Path())
	require.NoError(t, err)
	require.Contains(t, string(now), "\"refresh_token\": \"refresh-1\",\n  \"theirs\": 1.0\n}")
}

func TestARefreshThatIsRefusedEndsTheLogin(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	f := p.loggedIn()
	p.fresh = "another"
	_, _, err := p.open(f).Me(t.Context(), "")
	require.ErrorIs(t, err, ErrUnauthenticated)
	require.EqualError(t, err, "the login has ended: "+strings.TrimPrefix(p.URL, "http://")+": the family has ended (invalid_grant)")
	require.NotContains(t, err.Error(), "refresh-0")
	require.Equal(t, 1, p.count("POST /oauth/token"))
	require.Zero(t, p.count("GET /api/v1/auth/me"))
}

func TestARefreshThatIsPutOffSaysWhyInTheWordsOfTheControlPlane(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{http.StatusTooManyRequests: ErrUnavailable, http.StatusForbidden: ErrDenied} {
		p := newPlane(t)
		f := p.loggedIn()
		p.handle("POST /oauth/token", func(w http.ResponseWriter, _ *http.Request) {
			answerProblem(w, status, "rate_limited", "60 logins a minute")
		})
		_, _, err := p.open(f).Me(t.Context(), "")
		require.ErrorIs(t, err, want)
		require.EqualError(t, err, strings.TrimPrefix(p.URL, "http://")+": 60 logins a minute")
	}
}

func TestARefreshThatGetsNoAnswerIsRepeated(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]http.HandlerFunc{"503": status(503), "hang up": hangUp} {
		p := newPlane(t)
		f := p.loggedIn()
		n := 0
		p.handle("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
			if n++; n < 3 {
				fail(w, r)
				return
			}
			p.grant(w, r)
		})
		_, _, err := p.open(f).Me(t.Context(), "")
		require.NoError(t, err, name)
	}
}

// The control plane has used the refresh token by the time of its answer, so nobody may stop listening.
func TestARefreshThatWasBegunIsStoredThoughNobodyWaits(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	f := p.loggedIn()
	ctx, cancel := context.WithCancelCause(t.Context())
	p.handle("POST /oauth/token", func(w http.ResponseWriter, r *http.Request) {
		cancel(context.DeadlineExceeded)
		time.Sleep(100 * time.Millisecond) // until the client would have given up
		p.grant(w, r)
	})
	_, _, err := p.open(f).Me(ctx, "")
	require.ErrorIs(t, err, ErrUnavailable)
	require.Zero(t, p.count("GET /api/v1/auth/me"))
	_, _, err = p.open(f).Me(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, 1, p.count("POST /oauth/token"))
}

func TestARefreshThatWasNotBegunEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	f := p.loggedIn()
	ctx, cancel := context.WithCancelCause(t.Context())
	p.handle("GET /.well-known/oauth-authorization-server", func(w http.ResponseWriter, _ *http.Request) {
		cancel(context.DeadlineExceeded)
		time.Sleep(100 * time.Millisecond)
		status(503)(w, nil)
	})
	_, _, err := p.open(f).Me(ctx, "")
	require.ErrorIs(t, err, ErrUnavailable)
	require.Zero(t, p.count("POST /oauth/token"))
}

// What a token endpoint says that is none is no reason to end a login.
func TestATokenEndpointThatIsNoneEndsNoLogin(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"HTML": "<html>CANARY</html>", "no token": `{"token_type":"CANARY"}`, "nothing": "", "an error of no kind": `{"error":7,"x":"CANARY"}`,
	} {
		p := newPlane(t)
		f := p.loggedIn()
		before, err := os.ReadFile(f.Path())
		require.NoError(t, err)
		p.handle("POST /oauth/token", func(w http.ResponseWriter, _ *http.Request) { answerText(w, 200, "application/json", text) })
		_, _, err = p.open(f).Me(t.Context(), "")
		require.ErrorIs(t, err, ErrAnswer, name)
		require.NotContains(t, err.Error(), "CANARY")
		after, err := os.ReadFile(f.Path())
		require.NoError(t, err)
		require.Equal(t, string(before), string(after))
	}
}

func TestWhoLogsOutMeanwhileIsLoggedOut(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	f := p.loggedIn()
	c := p.open(f)
	require.NoError(t, f.Remove(t.Context()))
	_, _, err := c.Me(t.Context(), "")
	require.ErrorIs(t, err, ErrNotLoggedIn)
	_, err = os.Lstat(f.Path())
	require.ErrorIs(t, err, os.ErrNotExist)
	_, _, err = Open(f, p.options())
	require.ErrorIs(t, err, ErrNotLoggedIn)
}

func TestAPersonalTokenThatIsRefusedIsNotRefreshed(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	f := LoginFile{t.TempDir()}
	mustStore(t, f, Login{Token: secret.New("sp_pat_gone"), URL: p.URL, Email: "a@b.cd", AuthenticatedAt: noon})
	_, _, err := p.open(f).Me(t.Context(), "")
	require.ErrorIs(t, err, ErrUnauthenticated)
	require.ErrorContains(t, err, "that token is not known")
	require.Equal(t, 1, len(p.asked))
}

func TestWaitingForAnotherRefreshEnds(t *testing.T) {
	t.Parallel()
	f := LoginFile{t.TempDir()}
	require.NoError(t, f.Locked(t.Context(), func() error {
		cause := errors.New("told to end")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
		require.ErrorIs(t, f.Locked(ctx, func() error { return nil }), cause)
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		require.ErrorIs(t, f.Locked(ctx, func() error { return nil }), ErrBusy)
		return nil
	}))
}
