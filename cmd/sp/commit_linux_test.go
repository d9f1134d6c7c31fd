package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
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
	harness.NeedStrace(t)
	followed, seen := mustFollowed(t).Dir, map[string]int{}
	for _, fault := range faults {
		for n := 1; ; n++ {
			inject := fmt.Sprintf("inject=%s:error=%s:when=%d%s", fault.call, fault.errno, n, fault.onward)
			if !failOnce(t, followed, []string{"-e", "trace=" + fault.call, "-e", inject}, seen) {
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

// newPlace is a directory to run sp in as a process: this test binary under that name, see TestMain.
func newPlace(t *testing.T) harness.Place {
	t.Helper()
	dir := t.TempDir()
	return harness.Place{T: t, SP: harness.Need(t, "sp"), Dir: dir, Env: harness.Environment(dir)}
}

// followedIn is a place that has what is in a directory. What can't be locked looks busy to SQLite.
func followedIn(t *testing.T, dir string) harness.Place {
	t.Helper()
	p := newPlace(t)
	p.Env = append(p.Env, "HOME=/no-home", "SP_LOCK_TIMEOUT=100ms", "GOMAXPROCS=16", "SP_TRUST="+p.Dir) // room to stay on one thread, whose calls strace counts
	if dir != "" {
		require.NoError(t, exec.CommandContext(t.Context(), "cp", "-a", dir+"/.", p.Dir).Run())
	}
	return p
}

// mustFollowed is a place with a registry of one tenant, a, and its tenants.json.
func mustFollowed(t *testing.T) harness.Place {
	t.Helper()
	p := followedIn(t, "")
	file := `{"tenants": [{"id": "a", "name": "a"}], "synced_at": "2026-02-01T10:00:00Z"}`
	require.NoError(t, os.WriteFile(filepath.Join(p.Dir, "a.json"), []byte(file), 0o600))
	p.Must("import", "a.json")
	p.Must("export")
	return p
}

// failOnce makes one change with a fault, in a copy of the directory followed, and
// tells whether the fault was injected at all.
func failOnce(t *testing.T, followed string, strace []string, seen map[string]int) bool {
	t.Helper()
	p := followedIn(t, followed)
	o, calls := p.Traced([]string{"tenant", "edit", "a", "--name", "b"}, strace...)
	if !strings.Contains(calls, "(INJECTED)") {
		require.Zero(t, o.Exit, o.Stderr)
		return false
	}
	judge(t, strace[len(strace)-1], p.Must("tenant", "list") == "a\t\tlocal\tb\n", o.Exit, o.Stdout+o.Stderr, seen)
	p.Must("tenant", "edit", "a", "--region", "iad")
	require.Len(t, p.Names(), 6, "nothing is left: %v", p.Names())
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
