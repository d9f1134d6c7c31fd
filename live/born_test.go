package live

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestWhatAServerIsMadeOfIsBornPrivate: under no umask at all nothing of a server of this
// machine's programs, of a container's files or of a rotation is another user's to open, in
// sp nor in the programs that it runs.
func TestWhatAServerIsMadeOfIsBornPrivate(t *testing.T) {
	needStrace(t)
	t.Parallel()
	s := newScene(t, "born")
	script := filepath.Join(s.Dir, "script")
	require.NoError(t, os.WriteFile(script, []byte(`#!/bin/sh -e
trap 'sp db down' EXIT
umask 0
sp init
sp export
sp tenant create --name born --id born --provider local
sp profile create p --tenant born
sp tenant rotate-credentials born -y
sp db down
sp db up
`), 0o700))
	// To the end of the server, too, for strace waits for all that it follows.
	own := s.Place
	own.SP = script
	o, log := own.Traced(nil, "-e", "trace=umask,open,openat,mkdir,mkdirat,execve", "--seccomp-bpf")
	require.Zero(t, o.Exit, o.Stderr)
	open, made := harness.BornOpen(log, sp())
	require.Empty(t, open)
	require.Greater(t, made, 100, "an initdb makes more")
}
