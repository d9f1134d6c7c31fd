package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// watchSaves runs commands that write, in a project that anybody may look into, and
// returns what others could see of their files. The registry's directory is opened to
// all after its making, so that the modes of the files stand alone.
func watchSaves(p place, saves int) (found []string, w *watch) {
	harness.Open(p.T, p.Dir)
	copies := p.copies()
	in := `{"tenants": [{"id": "a", "name": "a", "database_url": "postgres://u:s3cret@h/a"}], "synced_at": "2026-02-01T10:00:00Z"}`
	require.NoError(p.T, os.WriteFile(filepath.Join(p.Dir, "in.json"), []byte(in), 0o600))
	w = startWatch(p, p.Store(""), copies, filepath.Join(p.Dir, "other", ".systemprompt"))
	must := func(args ...string) {
		o := p.Ran(p.After("umask 000", args...)) // which lets all in
		require.Zero(p.T, o.Exit, "sp %v: %s", args, o.Stderr)
	}
	must("init")
	must("--dir", "other/.systemprompt", "import", "in.json")
	if info, err := os.Stat(p.Store("")); err != nil || info.Mode().Perm() != 0o700 {
		w.find(".systemprompt is made with mode %v %v", info.Mode(), err)
	}
	require.NoError(p.T, os.Chmod(p.Store(""), 0o755))
	must("import", "in.json", "--no-export")
	must("export")
	for i := range saves {
		switch i % 5 {
		case 0:
			must("export", "--path", filepath.Join(copies, fmt.Sprintf("copy%d.json", i%3)))
		case 1:
			must("profile", "create", fmt.Sprintf("p%d", i), "--tenant", "a")
			must("session", "switch", fmt.Sprintf("p%d", i))
		case 2:
			must("tenant", "edit", "a", "--database-url", fmt.Sprintf("postgres://u:s3cret@h/%d", i))
			for _, dir := range []string{"profiles", "sessions", fmt.Sprintf("profiles/p%d", i-1)} {
				if info, err := os.Stat(p.Store(dir)); err != nil || info.Mode().Perm() != 0o700 {
					w.find("%s is made with mode %v", dir, info)
				}
			}
		default:
			must("tenant", "edit", "a", "--region", fmt.Sprint(i))
		}
	}
	return w.end(), w
}

// TestNobodyElseSeesAFile (B8, fault 1): another user, who knows every name, never gets
// to read a file, and none is ever there with a mode that would let him.
func TestNobodyElseSeesAFile(t *testing.T) {
	saves := sized(t, 200, 20_000)
	harness.NeedRoot(t)
	found, w := watchSaves(newPlace(t), saves)
	t.Logf("%d saves, %d looks, %d tries by another user, %d names", saves, w.looks.Load(), w.tries.Load(), len(w.paths))
	require.Empty(t, found)
	require.Greater(t, w.tries.Load(), int64(saves))
	for _, name := range []string{"sp.db", "sp.db-journal", "tenants.json", ".lock"} {
		require.True(t, w.paths[w.Store(name)], "%s was never seen", name)
	}
}

// A watch that sees nothing proves nothing: it must see a file that is made open to
// all and closed at once, as the original tool does it.
func TestTheWatchSeesAFileThatIsOpenForAnInstant(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedRoot(t)
	p := newPlace(t)
	harness.Open(p.T, p.Dir)
	w := startWatch(p, p.Dir)
	path := filepath.Join(p.Dir, "secret")
	for range 2000 {
		require.NoError(t, os.WriteFile(path, []byte("s3cret"), 0o644))
		require.NoError(t, os.Chmod(path, 0o600))
		require.NoError(t, os.Remove(path))
	}
	require.Contains(t, w.end(), "another user reads secret")
}
