package main

import (
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

	"github.com/sp-registry/sp/internal/harness"
)

// waiting is sp as it waits for the rest of a secret on stdin, with other secrets in
// its environment and nothing but itself against core files.
type waiting struct {
	*exec.Cmd
	stderr strings.Builder
}

func mustWait(t *testing.T, dir, program string, as *syscall.Credential) *waiting {
	t.Helper()
	stdin, typed, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = typed.Close() })
	w := &waiting{Cmd: exec.Command("sh", "-c", `ulimit -c unlimited && exec "$0" tenant create --name x --database-url-stdin`, program)}
	w.Dir, w.Stdin, w.Stderr = dir, stdin, &w.stderr
	w.Env = append(os.Environ(), "SP_TOKEN=canary-token", "SP_POSTGRES_ADMIN_URL=postgres://a:canary-admin@h/d", "GOTRACEBACK=crash")
	w.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	require.NoError(t, w.Start())
	t.Cleanup(func() { _ = w.Process.Kill(); _ = w.Wait() })
	_, err = io.WriteString(typed, "postgres://app:canary-stdin@h/d") // and no end of it
	require.NoError(t, err)
	require.Eventually(t, func() bool { // it reads only when it has started
		left, err := unix.IoctlGetInt(int(stdin.Fd()), unix.TIOCINQ)
		return err == nil && left == 0
	}, 20*time.Second, time.Millisecond)
	return w
}

func (w *waiting) mustDieOf(t *testing.T, signal unix.Signal) {
	t.Helper()
	require.NoError(t, w.Process.Signal(signal))
	require.Error(t, w.Wait())
}

// coresIn lists the core files in dir.
func coresIn(t *testing.T, dir string) []string {
	t.Helper()
	cores, err := filepath.Glob(filepath.Join(dir, "core*"))
	require.NoError(t, err)
	return cores
}

func TestACrashLeavesNoCoreFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	control := exec.Command("sh", "-c", "ulimit -c unlimited && kill -ABRT $$")
	control.Dir = dir
	if require.Error(t, control.Run()); len(coresIn(t, dir)) == 0 {
		t.Skip("skipped: this system keeps core files elsewhere or nowhere")
	}
	dir = t.TempDir()
	sp := mustWait(t, dir, "sp", nil)
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", sp.Process.Pid))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^Max core file size +0 +unlimited`, string(limits))
	sp.mustDieOf(t, unix.SIGABRT)
	require.Empty(t, coresIn(t, dir))
}

// TestADumpOfTheStackShowsNoSecret asks for the most that a user can ask for.
func TestADumpOfTheStackShowsNoSecret(t *testing.T) {
	t.Parallel()
	sp := mustWait(t, t.TempDir(), "sp", nil)
	sp.mustDieOf(t, unix.SIGQUIT)
	require.Contains(t, sp.stderr.String(), "goroutine ")
	require.NotContains(t, sp.stderr.String(), "canary")
}

// TestNobodyElseLooksIntoTheProcess: what it was given in the environment is not even
// for other processes of its user, to whom that of any other process belongs.
func TestNobodyElseLooksIntoTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	program, uid := harness.CopyProgram(t, self), os.Getuid()
	var as *syscall.Credential
	if uid == 0 { // to whom everything belongs anyway
		uid = 12345
		as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
	}
	control := exec.Command("sleep", "60")
	control.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	require.NoError(t, control.Start())
	defer func() { _ = control.Process.Kill(); _ = control.Wait() }()
	sp := mustWait(t, dir, program, as)
	require.Equal(t, uid, ownerOfEnvironment(t, control.Process.Pid))
	require.Zero(t, ownerOfEnvironment(t, sp.Process.Pid))
}

func ownerOfEnvironment(t *testing.T, pid int) int {
	t.Helper()
	var stat unix.Stat_t
	require.NoError(t, unix.Stat(fmt.Sprintf("/proc/%d/environ", pid), &stat))
	return int(stat.Uid)
}
