package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// faults are what is made to fail in a command, at its first, second, … call, or from
// that one on (+): some of the calls of a commit and of what follows it. The harness in
// torture has them all.
var faults = []struct{ call, errno, onward string }{
	{"fsync", "EIO", ""}, {"fsync", "EIO", "+"}, {"ftruncate", "EIO", ""}, {"renameat2", "EIO", ""}, {"fcntl", "EIO", "+"},
}

// TestAFailedCommitIsReportedAsWhatItWas injects every fault at every point of a change
// that a file follows. Whatever fails, the exit code says truly whether the change was
// made: 0 or 8 if it was, another if not; and only where even looking fails, that it is
// not known.
func TestAFailedCommitIsReportedAsWhatItWas(t *testing.T) {
	t.Parallel()
	strace := straceHere(t)
	followed, seen := mustFollowed(t), map[string]int{}
	for _, fault := range faults {
		for n := 1; ; n++ {
			inject := fmt.Sprintf("inject=%s:error=%s:when=%d%s", fault.call, fault.errno, n, fault.onward)
			if !failOnce(t, followed, []string{strace, "-f", "-qq", "-e", "trace=" + fault.call, "-e", inject}, seen) {
				require.Greater(t, n, 1, "nothing was injected")
				break
			}
		}
	}
	t.Logf("%v", seen) // "not known" depends on the thread that strace counts in
	for _, outcome := range []string{"not made", "made after all", "made, not followed"} {
		require.NotZero(t, seen[outcome], "no fault led to %q: %v", outcome, seen)
	}
}

// spIn is sp, or a program before it, in dir. What can't be locked looks busy to SQLite.
func spIn(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SP_LOCK_TIMEOUT=100ms", "GOMAXPROCS=16", "HOME=/no-home", "XDG_STATE_HOME=", "SP_TRUST="+dir) // room to stay on one thread, whose calls strace counts
	return cmd
}

// mustFollowed is a directory with a registry of one tenant, a, and its tenants.json.
func mustFollowed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	file := `{"tenants": [{"id": "a", "name": "a"}], "synced_at": "2026-02-01T10:00:00Z"}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), []byte(file), 0o600))
	require.NoError(t, spIn(t, dir, "sp", "import", "a.json").Run())
	require.NoError(t, spIn(t, dir, "sp", "export").Run())
	return dir
}

// failOnce makes one change with a fault, in a copy of the directory followed, and
// tells whether the fault was injected at all.
func failOnce(t *testing.T, followed string, strace []string, seen map[string]int) bool {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, exec.CommandContext(t.Context(), "cp", "-a", followed+"/.", dir).Run())
	trace := filepath.Join(dir, "trace")
	cmd := spIn(t, dir, append(strace, "-o", trace, "sp", "tenant", "edit", "a", "--name", "b")...)
	said, failed := cmd.CombinedOutput()
	calls, err := os.ReadFile(trace)
	require.NoError(t, err)
	if !strings.Contains(string(calls), "(INJECTED)") {
		require.NoError(t, failed, string(said))
		return false
	}
	listed, err := spIn(t, dir, "sp", "tenant", "list").Output()
	require.NoError(t, err)
	judge(t, strace[len(strace)-1], string(listed) == "a\t\tlocal\tb\n", cmd.ProcessState.ExitCode(), string(said), seen)
	require.NoError(t, spIn(t, dir, "sp", "export").Run())
	entries, err := os.ReadDir(filepath.Join(dir, ".systemprompt"))
	require.NoError(t, err)
	require.Len(t, entries, 6, "nothing is left: %v", entries)
	return true
}

func judge(t *testing.T, inject string, made bool, exit int, said string, seen map[string]int) {
	t.Helper()
	switch {
	case exit == 0:
		require.True(t, made, "%s: %s", inject, said)
		seen["made"]++
	case strings.Contains(said, "whether the change was made is not known"):
		require.Equal(t, 8, exit, inject)
		seen["not known"]++
	case exit == 8:
		require.True(t, made, "%s: %s", inject, said)
		if strings.Contains(said, "it may not outlast a power cut") {
			seen["made after all"]++
		} else {
			seen["made, not followed"]++
		}
	default:
		require.False(t, made, "%s: exit %d: %s", inject, exit, said)
		seen["not made"]++
	}
}

// straceHere returns the path of strace, where it is there and may trace.
func straceHere(t *testing.T) string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("skipped: there is no strace")
	}
	if exec.Command(strace, "-qq", "-o", "/dev/null", "true").Run() != nil {
		t.Skip("skipped: strace may not trace here")
	}
	return strace
}
