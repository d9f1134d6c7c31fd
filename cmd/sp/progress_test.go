package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/cli"
)

// newLongWork is a sandbox in which importing and exporting takes seconds, by the clock
// that it sees: it goes on by 0.3 s with every piece of a file.
func newLongWork(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(t)
	s.must("init")
	var tenants []string
	for i := range 3000 {
		tenants = append(tenants, fmt.Sprintf(`{"id": "t%d", "name": "%0200d"}`, i, i))
	}
	s.write("many.json", `{"tenants": [`+strings.Join(tenants, ",\n")+`], "synced_at": "2026-02-01T10:00:00Z"}`)
	s.step = 300 * time.Millisecond
	return s
}

// onScreen runs sp with a real terminal for stderr, and returns all that was written
// to it.
func (s *sandbox) onScreen(args ...string) (outcome, string) {
	s.t.Helper()
	control, terminal, err := openTerminal()
	require.NoError(s.t, err)
	s.screen, s.terminal = terminal, true
	defer func() { s.screen, s.terminal = nil, false }()
	written := make(chan string)
	go func() {
		text, _ := io.ReadAll(control) // it ends with EIO when nobody has the terminal open
		written <- string(text)
	}()
	o := s.must(args...)
	require.NoError(s.t, terminal.Close())
	text := <-written
	require.NoError(s.t, control.Close())
	return o, text
}

// shown is what stands on a screen in the end.
func shown(written string) string {
	var lines []string
	for line := range strings.SplitSeq(written, "\n") {
		var cells []byte
		for part := range strings.SplitSeq(line, "\r") {
			cells = append([]byte(part), cells[min(len(part), len(cells)):]...)
		}
		lines = append(lines, strings.TrimRight(string(cells), " "))
	}
	return strings.Join(lines, "\n")
}

// TestLongWorkShowsHowFarItHasCome on a terminal, and what stands there in the end is what
// any other file would hold: the line is taken away before anything else is said.
func TestLongWorkShowsHowFarItHasCome(t *testing.T) {
	t.Parallel()
	plain, s := newLongWork(t), newLongWork(t)
	plain.dir, plain.step = s.dir, 0 // paths are in what is said
	for _, row := range []struct{ line, shows string }{
		{"import --dry-run many.json", `\rsp: import: \d+ % read`},
		{"import many.json", `\rsp: import: [1-8]\d % read`},
		{"export", `\rsp: export: 0 MB written`},
		{"export --check", ``}, // which looks at the file no more than it must
		{"export -", `\rsp: export: 0 MB written`},
		{"export --path copy.json", `\rsp: export: 0 MB written`},
		{"tenant edit t7 --region x", `\rsp: tenant edit: 0 MB written`},
		{"--json tenant edit t7 --region y", `\rsp: tenant edit: 0 MB written`},
		{"undo", `\rsp: undo: 0 MB written`},
		{"backup b.db", ``}, // SQLite writes it
		{"backup --age-recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p b.age", `\rsp: backup: \d+ MB written`},
		{"restore -y b.db", `\rsp: restore: \d+ % read`},
	} {
		args := strings.Fields(row.line)
		o, written := s.onScreen(args...)
		require.Regexp(t, row.shows, written, row.line)
		require.NotContains(t, o.stdout, "\r", row.line)
		require.NotContains(t, shown(written), "%", row.line)
		require.NotContains(t, shown(written), "MB", row.line)
		if strings.HasPrefix(row.line, "export") { // which can be repeated
			require.Equal(t, plain.must(args...).stderr, strings.ReplaceAll(shown(written), "\n    ", " "), row.line)
		}
	}
}

// TestNobodyElseIsShownProgress: not a pipe, a file or a terminal that can't go back to the
// start of a line, and nobody whose command is done within a second.
func TestNobodyElseIsShownProgress(t *testing.T) {
	t.Parallel()
	s := newLongWork(t)
	for _, line := range []string{"import many.json", "export", "--json export", "export -"} {
		require.NotContains(t, s.must(strings.Fields(line)...).stderr, "\r", line)
	}
	s.env["TERM"] = "dumb"
	_, written := s.onScreen("export", "--path", "copy.json", "--force")
	require.NotContains(t, written, "\rsp")
	s.env["TERM"], s.step = "xterm", time.Millisecond
	_, written = s.onScreen("export", "--path", "copy.json", "--force")
	require.NotContains(t, written, "\rsp")
	s.step = 300 * time.Millisecond
	_, written = s.onScreen("export", "--path", "copy.json", "--force")
	require.Contains(t, written, "\rsp", "the same can be shown")
}

// TestAStoppedTerminalKeepsNobodyWaiting: who pressed Ctrl-S sees nothing of a change any
// more, but it is made, and the lock is free for others.
func TestAStoppedTerminalKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	s := newLongWork(t)
	control, terminal, err := openTerminal()
	require.NoError(t, err)
	defer func() { _ = control.Close(); _ = terminal.Close() }()
	const stop, goOn = 0, 1 // TCOOFF, TCOON
	require.NoError(t, unix.IoctlSetInt(int(terminal.Fd()), unix.TCXONC, stop))
	other := newSandbox(t)
	other.dir, other.env["SP_LOCK_TIMEOUT"] = s.dir, "100ms"
	s.screen, s.terminal = terminal, true
	ended := make(chan outcome)
	go func() { ended <- s.run("import", "many.json") }()
	for start := time.Now(); other.run("tenant", "edit", "t7", "--region", "x").exit != 0; {
		require.Less(t, time.Since(start), 20*time.Second, "it is never made")
	}
	require.NoError(t, unix.IoctlSetInt(int(terminal.Fd()), unix.TCXONC, goOn))
	require.Zero(t, (<-ended).exit)
}

// TestAWarningThatNobodyReadsKeepsNobodyWaiting: what reads the registry warns when it has
// let go of it, for a change would wait for as long as stderr does.
func TestAWarningThatNobodyReadsKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("import", s.write("cloud.json", `{"tenants": [{"id": "a", "name": "a", "tenant_type": "cloud", "internal_database_url": "postgres://h/a"}], "synced_at": "2026-02-01T10:00:00Z"}`))
	s.must("profile", "create", "p", "--tenant", "a")
	for _, line := range []string{"tenant show a", "status"} {
		reader, full, err := os.Pipe()
		require.NoError(t, err)
		size, err := unix.FcntlInt(full.Fd(), unix.F_GETPIPE_SZ, 0)
		require.NoError(t, err)
		_, err = full.Write(make([]byte, size))
		require.NoError(t, err)
		other := newSandbox(t)
		other.dir, other.env["SP_LOCK_TIMEOUT"] = s.dir, "1s"
		s.screen = full
		ended := make(chan outcome)
		go func() { ended <- s.run(strings.Fields(line)...) }()
		for i := range 20 {
			other.must("tenant", "edit", "a", "--region", fmt.Sprint(i))
		}
		said := make(chan string)
		go func() {
			text, _ := io.ReadAll(reader)
			said <- string(text)
		}()
		require.Zero(t, (<-ended).exit)
		require.NoError(t, full.Close())
		require.Contains(t, <-said, "Sync token missing for cloud tenant a", line)
		require.NoError(t, reader.Close())
		s.screen = nil
	}
}

// TestAJobInTheBackgroundDoesNotDraw over what its user does in the foreground; where the
// terminal stops such a job for writing, it would keep the registry locked.
func TestAJobInTheBackgroundDoesNotDraw(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{"may-draw": "true", "may-draw & wait": "false"} {
		said, exit, err := onTerminal(exec.CommandContext(t.Context(), "sh", "-mc", line), strings.NewReader(""))
		require.NoError(t, err)
		require.Zero(t, exit, said)
		require.Contains(t, said, want, line)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	require.True(t, cli.MayDraw(file))
}
