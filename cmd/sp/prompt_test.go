package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

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

			state := interruptAt(t, s.dir, "[y/N] ", strings.Fields(line)...)
			ended := state.Signaled() && state.Signal() == syscall.SIGINT || state.ExitStatus() == 130
			require.True(t, ended, "sp %s: exit %d, signal %d (9: it went on waiting)", line, state.ExitStatus(), state.Signal())
			require.Equal(t, before, s.must("export", "-").stdout)
			s.must("session", "show")
		})
	}
}

// interruptAt runs sp on a terminal until it shows the prompt, and presses Ctrl-C.
func interruptAt(t *testing.T, dir, prompt string, args ...string) syscall.WaitStatus {
	t.Helper()
	control, cmd := startOnTerminal(t, dir, args...)
	readUntil(t, control, prompt)
	_, err := control.Write([]byte{3})
	require.NoError(t, err)
	_ = cmd.Wait() // how it ended is in its state
	return cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// startOnTerminal runs sp on a terminal, for ten seconds at most.
func startOnTerminal(t *testing.T, dir string, args ...string) (*os.File, *exec.Cmd) {
	t.Helper()
	control, terminal, err := openTerminal()
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
			state := interruptAt(t, s.dir, prompt, strings.Fields(line)...)
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
		{"gemini (Enter for none): ", "AIza-s3cret"},
		{"anthropic (Enter for none): ", ""},
		{"openai (Enter for none): ", ""},
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
