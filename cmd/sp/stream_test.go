package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

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
