package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// deaths are the calls at which a restore is killed, each at every one of them: all
// that makes something durable, gives it a name, or takes it away.
var deaths = []string{"fsync", "renameat", "renameat2", "unlink", "unlinkat"}

// TestARestoreThatIsKilledLeavesTheOldOrTheNew kills a restore wherever it could hurt.
// After that the registry is the old or the new one, whole; the next commands work, and
// tenants.json follows.
func TestARestoreThatIsKilledLeavesTheOldOrTheNew(t *testing.T) {
	t.Parallel()
	harness.NeedStrace(t)
	followed := mustFollowed(t)
	followed.Must("backup", "b.db")
	followed.Must("tenant", "edit", "a", "--name", "b")
	seen := map[string]int{}
	for _, call := range deaths {
		for n := 1; dieRestoring(t, followed.Dir, []string{"-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)}, seen); n++ {
		}
	}
	require.NotZero(t, seen["b"], "%v", seen)
	// strace counts the calls of each thread by itself, so that where a count strikes is
	// up to the scheduler; the file that comes last is one sure place.
	require.True(t, dieRestoring(t, followed.Dir, []string{"-P", "tenants.json", "-e", "trace=renameat2", "-e", "inject=renameat2:signal=KILL"}, seen))
	require.NotZero(t, seen["a"], "%v", seen)
}

// dieRestoring is one such death, in a copy of the directory followed; it tells whether
// it came to that.
func dieRestoring(t *testing.T, followed string, strace []string, seen map[string]int) bool {
	t.Helper()
	p, inject := followedIn(t, followed), strace[len(strace)-1]
	for i, word := range strace {
		if word == "tenants.json" {
			strace[i] = p.Store(word)
		}
	}
	o, _ := p.Traced([]string{"restore", "-y", "b.db"}, strace...)
	if o.Exit == 0 {
		return false
	}
	require.Equal(t, -1, o.Exit, "%s: %s", inject, o.Stderr)
	name := strings.TrimSpace(strings.TrimPrefix(p.Must("tenant", "list"), "a\t\tlocal\t"))
	require.Contains(t, []string{"a", "b"}, name, inject)
	seen[name]++

	p.Must("tenant", "edit", "a", "--region", "x")
	p.Must("export", "--check")
	for _, name := range p.Names() {
		if strings.Contains(name, ".bak-restore-") {
			continue
		}
		require.Contains(t, []string{".gitignore", ".lock", ".place", "sp.db", "sp.db-journal", "tenants.json"}, name, inject)
	}
	return true
}

// TestARestoreRemovesWhatLayBesideDurablyFirst: after a power cut SQLite would play a
// journal of the old registry back into the new one, unless its removal is on the disk
// before the new one has its name.
func TestARestoreRemovesWhatLayBesideDurablyFirst(t *testing.T) {
	t.Parallel()
	harness.NeedStrace(t)
	p := mustFollowed(t)
	store := p.Store("")
	p.Must("backup", "b.db")
	require.NoError(t, os.WriteFile(filepath.Join(store, "sp.db"), []byte("of no registry any more"), 0o600))
	sides := []string{"sp.db-journal", "sp.db-wal", "sp.db-shm"}
	for _, side := range sides {
		require.NoError(t, os.WriteFile(filepath.Join(store, side), []byte("of the old one"), 0o600))
	}
	o, text := p.Traced([]string{"restore", "-y", "b.db"}, "-y", "-e", "trace=fsync,unlink,unlinkat,rename,renameat,renameat2")
	require.Zero(t, o.Exit, o.Stderr)
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
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
	harness.NeedStrace(t)
	p := mustFollowed(t)
	store := p.Store("")
	p.Must("backup", "b.db")
	p.Must("tenant", "edit", "a", "--name", "later")
	o, _ := p.Traced([]string{"restore", "-y", "b.db"}, "-P", p.Store("sp.db"),
		"-e", "trace=rename,renameat,renameat2", "-e", "inject=rename,renameat,renameat2:error=EIO")
	require.NotZero(t, o.Exit)
	copies, err := filepath.Glob(filepath.Join(store, "sp.db.bak-restore-*"))
	require.NoError(t, err)
	require.Len(t, copies, 1, o.Stderr)
	require.Contains(t, o.Stderr, "what was there is kept: "+copies[0])
	require.NoFileExists(t, filepath.Join(store, "sp.db.new"))
	require.Equal(t, "a\t\tlocal\tlater\n", p.Must("tenant", "list"), "nothing is restored")

	p.Must("restore", "-y", "b.db")
	p.Must("restore", "-y", copies[0])
	require.Equal(t, "a\t\tlocal\tlater\n", p.Must("tenant", "list"))
}
