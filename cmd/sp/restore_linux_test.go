package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// deaths are the calls at which a restore is killed, each at every one of them: all
// that makes something durable, gives it a name, or takes it away.
var deaths = []string{"fsync", "renameat", "renameat2", "unlink", "unlinkat"}

// TestARestoreThatIsKilledLeavesTheOldOrTheNew kills a restore wherever it could hurt.
// After that the registry is the old or the new one, whole; the next commands work, and
// tenants.json follows.
func TestARestoreThatIsKilledLeavesTheOldOrTheNew(t *testing.T) {
	t.Parallel()
	strace := straceHere(t)
	followed := mustFollowed(t)
	require.NoError(t, spIn(t, followed, "sp", "backup", "b.db").Run())
	require.NoError(t, spIn(t, followed, "sp", "tenant", "edit", "a", "--name", "b").Run())
	seen := map[string]int{}
	for _, call := range deaths {
		for n := 1; dieRestoring(t, followed, []string{strace, "-f", "-qq", "-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)}, seen); n++ {
		}
	}
	require.NotZero(t, seen["b"], "%v", seen)
	// strace counts the calls of each thread by itself, so that where a count strikes is
	// up to the scheduler; the file that comes last is one sure place.
	require.True(t, dieRestoring(t, followed, []string{strace, "-f", "-qq", "-P", "tenants.json", "-e", "trace=renameat2", "-e", "inject=renameat2:signal=KILL"}, seen))
	require.NotZero(t, seen["a"], "%v", seen)
}

// dieRestoring is one such death, in a copy of the directory followed; it tells whether
// it came to that.
func dieRestoring(t *testing.T, followed string, strace []string, seen map[string]int) bool {
	t.Helper()
	dir, inject := t.TempDir(), strace[len(strace)-1]
	require.NoError(t, exec.CommandContext(t.Context(), "cp", "-a", followed+"/.", dir).Run())
	for i, word := range strace {
		if word == "tenants.json" {
			strace[i] = filepath.Join(dir, ".systemprompt", word)
		}
	}
	restore := spIn(t, dir, append(strace, "-o", "/dev/null", "sp", "restore", "-y", "b.db")...)
	said, err := restore.CombinedOutput()
	if err == nil {
		return false
	}
	require.True(t, restore.ProcessState.Sys().(syscall.WaitStatus).Signaled(), "%s: %s", inject, said)
	listed, err := spIn(t, dir, "sp", "tenant", "list").CombinedOutput()
	require.NoError(t, err, "%s: %s", inject, listed)
	name := strings.TrimSpace(strings.TrimPrefix(string(listed), "a\t\tlocal\t"))
	require.Contains(t, []string{"a", "b"}, name, inject)
	seen[name]++

	said, err = spIn(t, dir, "sp", "tenant", "edit", "a", "--region", "x").CombinedOutput()
	require.NoError(t, err, "%s: %s", inject, said)
	require.NoError(t, spIn(t, dir, "sp", "export", "--check").Run(), inject)
	entries, err := os.ReadDir(filepath.Join(dir, ".systemprompt"))
	require.NoError(t, err)
	for _, entry := range entries {
		if strings.Contains(entry.Name(), ".bak-restore-") {
			continue
		}
		require.Contains(t, []string{".gitignore", ".lock", ".place", "sp.db", "sp.db-journal", "tenants.json"}, entry.Name(), inject)
	}
	return true
}

// TestARestoreRemovesWhatLayBesideDurablyFirst: after a power cut SQLite would play a
// journal of the old registry back into the new one, unless its removal is on the disk
// before the new one has its name.
func TestARestoreRemovesWhatLayBesideDurablyFirst(t *testing.T) {
	t.Parallel()
	strace := straceHere(t)
	dir := mustFollowed(t)
	store := filepath.Join(dir, ".systemprompt")
	require.NoError(t, spIn(t, dir, "sp", "backup", "b.db").Run())
	require.NoError(t, os.WriteFile(filepath.Join(store, "sp.db"), []byte("of no registry any more"), 0o600))
	sides := []string{"sp.db-journal", "sp.db-wal", "sp.db-shm"}
	for _, side := range sides {
		require.NoError(t, os.WriteFile(filepath.Join(store, side), []byte("of the old one"), 0o600))
	}
	trace := filepath.Join(t.TempDir(), "trace")
	said, err := spIn(t, dir, strace, "-f", "-qq", "-y", "-o", trace, "-e", "trace=fsync,unlink,unlinkat,rename,renameat,renameat2", "sp", "restore", "-y", "b.db").CombinedOutput()
	require.NoError(t, err, string(said))
	text, err := os.ReadFile(trace)
	require.NoError(t, err)
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		for _, side := range sides {
			if strings.Contains(line, "unlink") && strings.Contains(line, "/"+side+`"`) {
				seen[side], seen["synced"] = true, false
			}
		}
		switch {
		case strings.Contains(line, "fsync(") && strings.Contains(line, "<"+store+">"):
			seen["synced"] = true
		case strings.Contains(line, "rename") && strings.Contains(line, `/sp.db.new"`):
			for _, side := range sides {
				require.True(t, seen[side], "%s is not removed before\n%s", side, text)
			}
			require.True(t, seen["synced"], "the directory is not synced before\n%s", text)
			seen["renamed"] = true
		}
	}
	require.True(t, seen["renamed"], "%s", text)
}

// TestARestoreThatFailsInTheMiddleKeepsTheCopy: what lay beside the old registry is gone
// then, so the copy is the one whole thing that there is of it, and is named.
func TestARestoreThatFailsInTheMiddleKeepsTheCopy(t *testing.T) {
	t.Parallel()
	strace := straceHere(t)
	dir := mustFollowed(t)
	store := filepath.Join(dir, ".systemprompt")
	require.NoError(t, spIn(t, dir, "sp", "backup", "b.db").Run())
	require.NoError(t, spIn(t, dir, "sp", "tenant", "edit", "a", "--name", "later").Run())
	said, err := spIn(t, dir, strace, "-f", "-qq", "-o", "/dev/null", "-P", filepath.Join(store, "sp.db"),
		"-e", "trace=rename,renameat,renameat2", "-e", "inject=rename,renameat,renameat2:error=EIO", "sp", "restore", "-y", "b.db").CombinedOutput()
	require.Error(t, err)
	copies, err := filepath.Glob(filepath.Join(store, "sp.db.bak-restore-*"))
	require.NoError(t, err)
	require.Len(t, copies, 1, string(said))
	require.Contains(t, string(said), "what was there is kept: "+copies[0])
	require.NoFileExists(t, filepath.Join(store, "sp.db.new"))
	listed, err := spIn(t, dir, "sp", "tenant", "list").Output()
	require.NoError(t, err)
	require.Equal(t, "a\t\tlocal\tlater\n", string(listed), "nothing is restored")

	require.NoError(t, spIn(t, dir, "sp", "restore", "-y", "b.db").Run())
	require.NoError(t, spIn(t, dir, "sp", "restore", "-y", copies[0]).Run())
	listed, err = spIn(t, dir, "sp", "tenant", "list").Output()
	require.NoError(t, err)
	require.Equal(t, "a\t\tlocal\tlater\n", string(listed))
}
