package main

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
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

// TestAChangeOfAProfileOrSessionAnswersLikeShow compares the profile or session that a change answers with what
// show says right after it.
func TestAChangeOfAProfileOrSessionAnswersLikeShow(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("tenant", "create", "--id", "a", "--name", "first", "--database-url", "postgres://h/a", "--no-check")
	s.must("tenant", "create", "--id", "b", "--name", "second", "--database-url", "postgres://h/b", "--no-check")
	read := func(text string) (document map[string]any) {
		require.NoError(t, json.Unmarshal([]byte(text), &document))
		return document
	}
	seen := map[bool]bool{}
	for _, line := range []string{
		"profile create one --tenant a -y", "profile create two --tenant b -y", "session switch one", "profile edit one --name uno", "session switch two",
		"profile edit uno --set server.port=8081", "profile edit two --set server.port=8081", "session switch uno",
	} {
		answer := read(s.must(append(strings.Fields(line), "--json")...).stdout)
		show := []string{"session", "show", "--json"}
		if name, is := answer["name"].(string); is {
			show = []string{"profile", "show", name, "--json"}
		}
		require.Equal(t, read(s.must(show...).stdout), answer, line)
		seen[answer["active"].(bool)] = true
		if line == "session switch one" {
			s.must("profile", "default", "one")
		}
	}
	require.Len(t, seen, 2, "both are tried")
}

// shell runs a line in which sp is started with odd streams; it must not hang.
func (s *sandbox) shell(line string, stdout *os.File) (int, string) {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = s.dir, harness.Environment(s.dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if stdout != nil {
		cmd.Stdout = stdout
	}
	err := cmd.Run()
	require.NoError(s.t, ctx.Err(), "it hangs: %s", line)
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal()), stderr.String()
	}
	require.True(s.t, err == nil || status.Exited(), "%v", err)
	return status.ExitStatus(), stderr.String()
}

// TestOddStreamsNeitherHangNorLie (fault 40): an answer that nobody can read is no
// success, and a question that nobody can answer is a no. Go opens /dev/null where a stream
// is closed, so that no file of ours ever becomes one; an answer is lost then as it
// is in /dev/null.
func TestOddStreamsNeitherHangNorLie(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("init")
	s.must("tenant", "create", "--id", "a", "--name", "a", "--database-url", "postgres://h/a")
	reader, broken, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, reader.Close())
	defer func() { _ = broken.Close() }()
	for line, want := range map[string]int{
		"exec sp tenant list":        128 + int(syscall.SIGPIPE), // as any other filter
		"exec sp --json tenant list": 128 + int(syscall.SIGPIPE),
		"exec sp tenant create --id b --name b --database-url postgres://h/b": 8, // it must be told all the same
	} {
		exit, said := s.shell(line, broken)
		require.Equal(t, want, exit, "%s: %s", line, said)
	}
	require.Contains(t, s.must("tenant", "show", "b").stdout, "b")

	before := s.must("export", "-").stdout
	for line, want := range map[string]int{
		"exec sp tenant delete a <&-":                    2,
		"exec sp tenant delete a </dev/null":             2,
		"exec sp session logout --all <&- >&-":           2,
		"exec sp tenant edit a --database-url-stdin <&-": 2,
		"exec sp import - <&-":                           6,
		"exec sp import - </dev/null":                    6,
		"exec sp import --prune in.json </dev/null":      6,
		"exec sp nosuch <&- >&- 2>&-":                    2,
		"exec sp tenant list <&- 2>&-":                   0,
	} {
		exit, said := s.shell(line, nil)
		require.Equal(t, want, exit, "%s: %s", line, said)
		require.Equal(t, before, s.must("export", "-").stdout, line)
	}
	exit, said := s.shell("exec sp tenant edit a --region closed <&- >&- 2>&-", nil)
	require.Zero(t, exit, said)
	require.Contains(t, s.must("tenant", "show", "a").stdout, "closed")
}
