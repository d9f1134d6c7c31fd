package main

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/server"
)

// TestRootIsToldHowToTryItAsAnotherUser: by a command that can be pasted, and before anything is made.
func TestRootIsToldHowToTryItAsAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root is refused")
	}
	s := newSandbox(t)
	o := s.run("--dev", "--listen", "127.0.0.1:0", "--dir", "tried here")
	require.Equal(t, 9, o.exit, o.stderr)
	require.Contains(t, o.stderr, "spd: --dev runs a PostgreSQL server: PostgreSQL does not run as root\n")
	require.Contains(t, o.stderr, "hint: as another user: runuser -u postgres -- spd --dev --dir 'tried here' --listen 127.0.0.1:0\n")
	require.NotContains(t, o.stderr, "sp as another user")
	left, err := os.ReadDir(s.home)
	require.NoError(t, err)
	require.Empty(t, left)

	require.Contains(t, s.run("--stop").stderr, "runuser -u postgres -- spd --dev --stop\n")

	s.env["SUDO_USER"] = "anna"
	require.Contains(t, s.run("--dev").stderr, "runuser -u anna -- spd --dev\n")
}

// TestHelpShowsTheFlagsWithWhichItServes: spd alone serves, so its own help has them.
func TestHelpShowsTheFlagsWithWhichItServes(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	help := s.must("--help").stdout
	require.Contains(t, help, "  spd [--dir DIRECTORY] [--dev] ")
	for _, flag := range []string{"--dir DIRECTORY", "--dev ", "--listen ADDRESS", "--url URL", "--domain DOMAIN", "--log error|warn|info", "--json"} {
		require.Contains(t, help, "\n  "+flag)
	}
	for line := range strings.Lines(help + s.must("help", "serve").stdout) {
		require.LessOrEqual(t, len(line), 81, line)
	}
}

// TestASecondSpdIsToldOfTheFirst, which has the port, too.
func TestASecondSpdIsToldOfTheFirst(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	release, err := server.Hold(s.dir())
	require.NoError(t, err)
	first, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	o := s.run("--listen", first.Addr().String())
	require.Equal(t, 4, o.exit, o.stderr)
	require.Contains(t, o.stderr, "spd: "+s.dir()+": another spd runs on this directory\n")
	require.Equal(t, 2, s.run("--listen", "0.0.0.0:1").exit)
	require.Equal(t, 2, s.run("--url", "nowhere").exit)
	require.NoError(t, errors.Join(first.Close(), release()))
}

// TestNothingOfWhatAStrangerSendsToALoginIsLogged: it may be a token in the wrong place, and as long as he likes.
func TestNothingOfWhatAStrangerSendsToALoginIsLogged(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	const canary = "sp_pat_canary"
	answered := 0
	stays := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.asks = func(to string) {
		for _, form := range []url.Values{
			{"grant_type": {canary}}, {"grant_type": {"authorization_code"}, "client_assertion_type": {canary}}, {"grant_type": {"password"}, canary: {canary}},
		} {
			if got, err := stays.PostForm(to+"/oauth/token", form); err == nil && got.StatusCode >= 400 && got.StatusCode < 500 && got.Body.Close() == nil {
				answered++
			}
		}
		if got, err := stays.Get(to + "/oauth/authorize?client_id=sp_cli&response_type=" + canary + "&redirect_uri=http://127.0.0.1:9/&state=" + canary); err == nil && got.Body.Close() == nil {
			answered++
		}
	}
	o := s.must("--listen", "127.0.0.1:0", "--log", "info")
	require.Equal(t, 4, answered)
	require.Contains(t, o.stderr, "path=/oauth/token status=400")
	require.NotContains(t, o.stderr, canary)
}
