package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/harness"
)

// TestInterruptEndsAQuestion types Ctrl-C where sp waits for an answer: that has to
// end the command at once, with nothing done.
func TestInterruptEndsAQuestion(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"tenant delete a", "profile delete p", "import --prune empty.json", "session logout --all"} {
		t.Run(strings.Fields(line)[0], func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			s.must("import", s.write("one.json", `{"tenants": [{"id": "a", "name": "a"}], "synced_at": "2026-02-01T10:00:00Z"}`))
			s.must("profile", "create", "p", "--tenant", "a")
			s.must("session", "switch", "p")
			s.write("empty.json", `{"tenants": [], "synced_at": "2026-02-01T10:00:00Z"}`)
			before := s.must("export", "-").stdout

			state, shown := interruptAt(t, s.dir, "[y/N] ", strings.Fields(line)...)
			ended := state.Signaled() && state.Signal() == syscall.SIGINT || state.ExitStatus() == 130
			require.True(t, ended, "sp %s: exit %d, signal %d (9: it went on waiting)", line, state.ExitStatus(), state.Signal())
			require.Equal(t, "^C\r\nsp: ended by SIGINT\r\n", shown, "what comes next begins a line")
			require.Equal(t, before, s.must("export", "-").stdout)
			s.must("session", "show")
		})
	}
}

// interruptAt runs sp on a terminal until it shows the prompt, and presses Ctrl-C. It returns how sp ended,
// and what it showed after that.
func interruptAt(t *testing.T, dir, prompt string, args ...string) (state syscall.WaitStatus, shown string) {
	t.Helper()
	control, cmd := startOnTerminal(t, dir, args...)
	readUntil(t, control, prompt)
	_, err := control.Write([]byte{3})
	require.NoError(t, err)
	_ = cmd.Wait()                 // how it ended is in its state
	rest, _ := io.ReadAll(control) // which fails where the terminal has gone
	return cmd.ProcessState.Sys().(syscall.WaitStatus), string(rest)
}

// startOnTerminal runs sp on a terminal, for ten seconds at most.
func startOnTerminal(t *testing.T, dir string, args ...string) (*os.File, *exec.Cmd) {
	t.Helper()
	control, terminal, err := harness.OpenTerminal()
	require.NoError(t, err)
	t.Cleanup(func() { _ = control.Close() })
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(stop)
	cmd := exec.CommandContext(ctx, "sp", args...)
	cmd.Dir, cmd.Env = dir, harness.Environment(dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	require.NoError(t, terminal.Close())
	return control, cmd
}

// readUntil reads what a terminal shows, up to the prompt.
func readUntil(t *testing.T, control *os.File, prompt string) string {
	t.Helper()
	shown, buffer := "", make([]byte, 256)
	for !strings.HasSuffix(shown, prompt) {
		n, err := control.Read(buffer)
		require.NoError(t, err, "shown: %s", shown)
		shown += string(buffer[:n])
	}
	return shown
}

// TestInterruptEndsTheWaitForASecret leaves the terminal showing again what is typed.
func TestInterruptEndsTheWaitForASecret(t *testing.T) {
	t.Parallel()
	for line, prompt := range secretPrompts {
		t.Run(strings.Fields(line)[0], func(t *testing.T) {
			t.Parallel()
			s := promptingSandbox(t)
			before := s.read(".systemprompt/sp.db")
			state, _ := interruptAt(t, s.dir, prompt, strings.Fields(line)...)
			ended := state.Signaled() && state.Signal() == syscall.SIGINT || state.ExitStatus() == 130
			require.True(t, ended, "sp %s: exit %d, signal %d (9: it went on waiting)", line, state.ExitStatus(), state.Signal())
			require.Equal(t, before, s.read(".systemprompt/sp.db"))
		})
	}
}

// secretPrompts are the commands that ask for a secret, and how.
var secretPrompts = map[string]string{
	"secrets set openai":                   "Value of openai of profile p: ",
	"session login --email me@example.com": "Token for profile p: ",
}

func promptingSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(t)
	s.must("import", s.write("one.json", `{"tenants": [{"id": "a", "name": "a"}], "synced_at": "2026-02-01T10:00:00Z"}`))
	s.must("profile", "create", "p", "--tenant", "a")
	return s
}

// TestASecretThatIsTypedDoesNotShow types where the terminal has stopped to show it.
func TestASecretThatIsTypedDoesNotShow(t *testing.T) {
	t.Parallel()
	for line, prompt := range secretPrompts {
		t.Run(strings.Fields(line)[0], func(t *testing.T) {
			t.Parallel()
			s := promptingSandbox(t)
			control, cmd := startOnTerminal(t, s.dir, strings.Fields(line)...)
			shown := readUntil(t, control, prompt)
			require.Eventually(t, func() bool {
				state, err := unix.IoctlGetTermios(int(control.Fd()), unix.TCGETS)
				return err == nil && state.Lflag&unix.ECHO == 0
			}, 5*time.Second, time.Millisecond)
			_, err := control.WriteString("s3cret-typed\n")
			require.NoError(t, err)
			rest, _ := io.ReadAll(control) // it ends with an error where nobody has the terminal open any more
			require.NoError(t, cmd.Wait(), "%s%s", shown, rest)
			require.NotContains(t, shown+string(rest), "s3cret")
			require.Contains(t, s.read(".systemprompt/sp.db"), "s3cret-typed")
		})
	}
}

// TestTheWizardShowsNoSecret answers each question when it is asked.
func TestTheWizardShowsNoSecret(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("import", s.write("one.json", `{"tenants": [{"id": "a", "name": "a"}], "synced_at": "2026-02-01T10:00:00Z"}`))
	control, cmd := startOnTerminal(t, s.dir, "profile", "create", "p")
	shown := ""
	for _, qa := range [][2]string{
		{"yet): ", "postgres://u:s3cret@h/d"},
		{"gemini (not shown; Enter for none): ", "AIza-s3cret"},
		{"anthropic (not shown; Enter for none): ", ""},
		{"openai (not shown; Enter for none): ", ""},
	} {
		shown += readUntil(t, control, qa[0])
		time.Sleep(50 * time.Millisecond) // the question comes before the echo is off
		_, err := control.Write([]byte(qa[1] + "\n"))
		require.NoError(t, err)
	}
	rest, _ := io.ReadAll(control) // it ends in an error: nobody has the terminal open any more
	require.NoError(t, cmd.Wait())
	require.Contains(t, string(rest), "profile p of tenant a created")
	require.NotContains(t, shown+string(rest), "s3cret")
	require.Contains(t, s.read(".systemprompt/profiles/p/secrets.json"), "AIza-s3cret")
}

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
	control, terminal, err := harness.OpenTerminal()
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
		{"tenant edit t1 --region x --no-export", ``},
		{"export", `\rsp: export: writing`},
		{"export --check", ``}, // which looks at the file no more than it must
		{"export -", `\rsp: export: writing`},
		{"export --path copy.json", `\rsp: export: writing`},
		{"tenant edit t7 --region x", `\rsp: tenant edit: writing`},
		{"--json tenant edit t7 --region y", `\rsp: tenant edit: writing`},
		{"undo", `\rsp: undo: writing`},
		{"backup b.db", ``}, // SQLite writes it
		{"backup --age-recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p b.age", `\rsp: backup: \d+ MB written`},
		{"restore -y b.db", `\rsp: restore: \d+ % read`},
	} {
		args := strings.Fields(row.line)
		o, written := s.onScreen(args...)
		require.Regexp(t, row.shows, written, row.line)
		require.NotContains(t, o.stdout, "\r", row.line)
		require.NotContains(t, shown(written), "%", row.line)
		require.NotRegexp(t, "MB|: writing", shown(written), row.line)
		if strings.HasPrefix(row.line, "export") { // which can be repeated
			require.Equal(t, plain.must(args...).stderr, strings.ReplaceAll(shown(written), "\n    ", " "), row.line)
		}
	}
}

// TestOnlyAWaitingTerminalIsShownProgress: not a pipe, a file or a terminal that can't go back to the
// start of a line, and nobody whose command is done within a second.
func TestOnlyAWaitingTerminalIsShownProgress(t *testing.T) {
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
	control, terminal, err := harness.OpenTerminal()
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
		said, exit, err := harness.OnTerminal(exec.CommandContext(t.Context(), "sh", "-mc", line), strings.NewReader(""))
		require.NoError(t, err)
		require.Zero(t, exit, said)
		require.Contains(t, said, want, line)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	require.True(t, cli.MayDraw(file))
}

// runOnTerminal is the program `pty`: it runs a command whose three streams are a
// terminal, types what stdin holds, prints what the screen would show, and ends
// with the command's exit code. COLUMNS is how wide the terminal is; without it, it does not say.
func runOnTerminal(args []string) int {
	screen, code, err := harness.OnTerminal(exec.Command(args[0], args[1:]...), os.Stdin)
	fmt.Print(strings.ReplaceAll(screen, "\r\n", "\n"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "pty:", err)
		return 125
	}
	return code
}
