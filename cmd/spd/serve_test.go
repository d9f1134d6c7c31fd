package main

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/server"
)

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

// TestWhereItCantListenIsRefused, with why and the way on.
func TestWhereItCantListenIsRefused(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	for address, why := range map[string]string{
		"127.0.0.1:abc": "a port is a number from 0 to 65535", "127.0.0.1:99999": "a port is a number from 0 to 65535", "127.0.0.1:": "a port is",
		"127.0.0.1": "not a loopback address", "0.0.0.0:80": "not a loopback address", "8787": "not a loopback address",
	} {
		o := s.run("--listen", address)
		require.Equal(t, 2, o.exit, address)
		require.Contains(t, o.stderr, why, address)
	}
}

// TestAnURLThatNobodyCouldUseIsRefused: sp takes plain http for its own machine only.
func TestAnURLThatNobodyCouldUseIsRefused(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	require.Contains(t, s.run("--url", "http://cloud.example").stderr, "--url: plain http is for this machine only")
	for _, wrong := range []string{"http://cloud.example", "http://10.0.0.1:8787", "https://:8787", "https://u:p@cloud.example", "ftp://cloud.example", "https://cloud.example/x"} {
		require.Equal(t, 2, s.run("--listen", "127.0.0.1:0", "--url", wrong).exit, wrong)
	}
	for _, wrong := range []string{"a b", "", "-a.example", "a..b", "a.", "http://a.example", "a_b", "ä.example", strings.Repeat("a", 64)} {
		require.Equal(t, 2, s.run("--listen", "127.0.0.1:0", "--domain", wrong).exit, wrong)
	}
	require.Contains(t, s.run("--domain", "a b").stderr, "--domain: not a domain, such as tenants.example.org")
	s.must("--listen", "127.0.0.1:0", "--domain", "Tenants.example.org", "--url", "http://localhost:8787")
}

// TestServingSaysWhereItListens, and which URL leads there.
func TestServingSaysWhereItListens(t *testing.T) {
	t.Parallel()
	o := newSandbox(t).must("--listen", "127.0.0.1:0", "--url", "https://cloud.example/")
	require.Regexp(t, `spd: listening on http://127\.0\.0\.1:[0-9]+, which users reach at https://cloud\.example\n$`, o.stderr)
}

// TestServingHasNoDocument: --json is for the commands that answer.
func TestServingHasNoDocument(t *testing.T) {
	t.Parallel()
	require.Equal(t, "serve: --json is for the other commands of spd: serving has no answer", newSandbox(t).refuses(2, "usage", "--dev").Message)
}

// TestAPasswordInTheArgumentsIsWarnedOf, as sp does.
func TestAPasswordInTheArgumentsIsWarnedOf(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	o := s.run("region", "add", "iad", "--server", "postgres://u:canary@127.0.0.1:1/d")
	require.Equal(t, 9, o.exit, o.stderr)
	require.Contains(t, o.stderr, "spd: warning: a password in --server shows in the list of processes and the shell's history; --server-stdin keeps it out\n")
	s.stdin = "postgres://u:canary@127.0.0.1:1/d"
	require.NotContains(t, s.run("region", "add", "iad", "--server-stdin").stderr, "warning")
}
