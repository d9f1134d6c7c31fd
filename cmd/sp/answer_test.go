package main

import (
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestABrokenPipeIsNoSuccess answers into a pipe that nobody reads. What only reads
// ends by the signal, as every program in a pipe does; after a change, that it was
// made is reported, for it must not be repeated.
func TestABrokenPipeIsNoSuccess(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("import", s.write("one.json", `{"tenants": [{"id": "a", "name": "a"}], "synced_at": "2026-02-01T10:00:00Z"}`))
	into := func(args ...string) (syscall.WaitStatus, string) {
		read, write, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, read.Close())
		var stderr strings.Builder
		cmd := exec.CommandContext(t.Context(), "sp", args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, write, &stderr
		require.Error(t, cmd.Run(), "sp %v", args)
		require.NoError(t, write.Close())
		return cmd.ProcessState.Sys().(syscall.WaitStatus), stderr.String()
	}
	for _, line := range []string{"tenant list", "tenant show a --json", "status", "export -", "--help"} {
		status, _ := into(strings.Fields(line)...)
		require.True(t, status.Signaled() && status.Signal() == syscall.SIGPIPE, "sp %s: %v", line, status)
	}
	status, stderr := into("tenant", "create", "--id", "b", "--name", "b", "--database-url", "postgres://h/b")
	require.Equal(t, 8, status.ExitStatus(), stderr)
	require.Contains(t, stderr, "do not repeat the command")
	s.must("tenant", "show", "b")
}

// TestPasswordsAreKeptToTheByteOrRefused gives passwords of every kind, once encoded
// as a URL wants them and once as they are. What is taken comes out again as it went
// in; nothing but resolve shows any of it.
func TestPasswordsAreKeptToTheByteOrRefused(t *testing.T) {
	t.Parallel()
	plain := 0
	for _, password := range []string{
		"@", ":", "/", "?", "#", "%", " ", `\`, "'", `"`, "\n", "\x00", "é", "名", "%41", "%zz", "a@b:c/d?e#f%g h\\i'j\"k", "p%20w", "$(id)", "`id`", "&", "=", "+", ";",
		strings.Repeat("x", 4096), "*", "***", "\u202e", "\x1b[31m", "[secret]", "postgres://u:p@h/d",
	} {
		password = "c4n4ry" + password + "yr4n4c"
		for _, u := range []string{(&url.URL{Scheme: "postgres", User: url.UserPassword("u", password), Host: "h", Path: "/d"}).String(), "postgres://u:" + password + "@h/d"} {
			s := newSandbox(t)
			s.stdin = u + "\n"
			o := s.run("tenant", "create", "--name", "n", "--id", "i", "--database-url-stdin")
			require.NotContains(t, o.stdout+o.stderr, "4n4", u)
			encoded := !strings.Contains(u, password)
			if o.exit != 0 {
				require.Equal(t, 2, o.exit, u)
				require.True(t, !encoded || strings.Contains(password, "\x00"), "%s: %s", u, o.stderr)
				continue
			}
			if !encoded {
				plain++
			}
			require.Equal(t, u+"\n", s.must("resolve", "--tenant", "i").stdout)
			require.NotContains(t, s.must("tenant", "show", "i").stdout, "4n4", u)
			s.must("export")
			require.NotContains(t, s.must("status").stdout, "4n4", u)
			read := newSandbox(t) // and by way of the file
			read.must("import", read.write("tenants.json", s.read(".systemprompt/tenants.json")))
			require.Equal(t, u+"\n", read.must("resolve", "--tenant", "i").stdout)
		}
	}
	require.Greater(t, plain, 10, "some need no encoding")
}
