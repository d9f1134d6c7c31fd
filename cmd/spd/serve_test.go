package main

import (
	"errors"
	"net"
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
