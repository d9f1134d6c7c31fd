package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEditedFilesOfAContainerAreShownAndAskedAbout, without their password, and recorded only
// for a yes at a terminal.
func TestEditedFilesOfAContainerAreShownAndAskedAbout(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	delete(s.env, "SP_OFFLINE")
	s.must("init")
	s.sql("INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('docker', 'docker', 'postgres://postgres:s3cret@127.0.0.1:1/postgres', 0)")
	s.write(".systemprompt/docker/shared.yaml", "container_name: systemprompt-shared-db\nprivileged: true\x1b[2J\n")
	s.write(".systemprompt/docker/shared.env", "POSTGRES_PASSWORD=s3cret\nPOSTGRES_HOST_AUTH_METHOD=trust\n")
	program := s.write("programs/docker", "#!/bin/sh\necho called >>"+s.dir+"/calls\necho 28\n")
	require.NoError(t, makeExecutable(program))
	s.env["PATH"] = filepath.Dir(program)

	requireRefused := func(exit int) {
		t.Helper()
		o := s.run("db", "up")
		require.Equal(t, exit, o.exit, o.stderr)
		require.Equal(t, "none none", s.answer("SELECT coalesce(compose, 'none') || ' ' || coalesce(env, 'none') FROM servers"))
		require.NotContains(t, o.stderr, "s3cret")
		_, err := os.Lstat(s.dir + "/calls")
		require.True(t, os.IsNotExist(err), "docker was called")
	}
	requireRefused(9)
	s.terminal = true
	for _, answer := range []string{"\n", "no\n"} {
		s.stdin = answer
		requireRefused(2)
	}
	s.stdin = "y\n"
	o := s.run("db", "up")
	for _, shown := range []string{"privileged: true", "POSTGRES_PASSWORD=[secret]", "POSTGRES_HOST_AUTH_METHOD=trust"} {
		require.Contains(t, o.stderr, shown)
	}
	require.NotContains(t, o.stderr, "\x1b[2J")
	require.NotContains(t, o.stderr, "s3cret")
	require.Regexp(t, "^[0-9a-f]{64} [0-9a-f]{64}$", s.answer("SELECT compose || ' ' || env FROM servers"))
	s.stdin = ""
	require.NotContains(t, s.run("db", "up").stderr, "privileged", "it was looked at")

	s.write(".systemprompt/docker/shared.yaml", "container_name: systemprompt-shared-db\nprivileged: false\n")
	require.Contains(t, s.run("db", "up").stderr, "privileged: false", "it was edited again")
}
