package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// mustShop is a place with a tenant and a profile that has a secret.
func mustShop(t *testing.T) harness.Place {
	t.Helper()
	p := newPlace(t)
	p.Env = append(p.Env, "SP_OFFLINE=1", "SP_TRUST="+p.Dir)
	require.NoError(t, os.WriteFile(filepath.Join(p.Dir, "url"), []byte("postgres://u:canary-password@h/d"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(p.Dir, "secret"), []byte("canary-secret"), 0o600))
	p.Must("tenant", "create", "--name", "shop", "--no-check", "--database-url-file", "url")
	p.Must("profile", "create", "dev", "-y")
	p.Must("secrets", "set", "openai", "--file", "secret")
	return p
}

// TestExecBecomesTheCommand: it has sp's process, whose arguments say no secret, and gets its signals itself.
func TestExecBecomesTheCommand(t *testing.T) {
	t.Parallel()
	p := mustShop(t)
	for _, sent := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGKILL} {
		if signal.Ignored(sent) { // as below nohup: then the command ignores it, too
			continue
		}
		cmd := p.Command("exec", "--", "sh", "-c", `echo $$ $OPENAI_API_KEY; while :; do sleep 0.05; done`)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("%d canary-secret\n", cmd.Process.Pid), line)
		arguments, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(arguments), "sh\x00-c\x00echo"))
		require.NotContains(t, string(arguments), "canary")
		require.NoError(t, cmd.Process.Signal(sent))
		var ended *exec.ExitError
		require.ErrorAs(t, cmd.Wait(), &ended)
		require.Equal(t, sent, ended.Sys().(syscall.WaitStatus).Signal(), "it ended by itself")
	}

	caught := p.Command("exec", "--", "sh", "-c", `trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.05; done`)
	out, err := caught.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, caught.Start())
	lines := bufio.NewReader(out)
	_, err = lines.ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, caught.Process.Signal(syscall.SIGTERM))
	said, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "caught\n", said)
	require.Error(t, caught.Wait())
	require.Equal(t, 7, caught.ProcessState.ExitCode())
}

// TestExecLeavesTheProcessAsItWas: the command has the umask, the limits, the open files and the ignored signals that
// it would have without sp.
func TestExecLeavesTheProcessAsItWas(t *testing.T) {
	t.Parallel()
	p := mustShop(t)
	const look = `umask; ulimit -S -n; ulimit -H -n; ulimit -S -c; ulimit -H -c; grep -E '^(Sig(Blk|Ign)|ShdPnd)' /proc/self/status; cd /proc/self/fd; echo *`
	without := exec.CommandContext(t.Context(), "sh", "-c", "umask 022; ulimit -S -n 200; ulimit -S -c 1; trap '' HUP; exec sh -c \"$0\"", look)
	with := exec.CommandContext(t.Context(), "sh", "-c", "umask 022; ulimit -S -n 200; ulimit -S -c 1; trap '' HUP; exec \"$1\" exec -- sh -c \"$0\"", look, p.SP)
	with.Dir, with.Env = p.Dir, append(os.Environ(), p.Env...)
	want, err := without.Output()
	require.NoError(t, err)
	var told strings.Builder
	with.Stderr = &told
	got, err := with.Output()
	require.NoError(t, err, told.String())
	require.Equal(t, string(want), string(got))
}
