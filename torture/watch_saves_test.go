package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// needRoot is for what only root may do.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "it takes root to be another user")
	}
}

// open lets everybody into the place, and to it.
func (p place) open() {
	for dir := p.dir; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		require.NoError(p.t, os.Chmod(dir, 0o755))
	}
}

// underUmask runs sp with the umask that lets all in.
func (p place) underUmask(args ...string) outcome {
	p.t.Helper()
	cmd := p.command(args...)
	cmd.Args = append([]string{"sh", "-c", `umask 000; exec "$0" "$@"`, p.sp}, args...)
	cmd.Path = "/bin/sh"
	o, err := runToEnd(cmd)
	require.NoError(p.t, err)
	return o
}

// watchSaves runs commands that write, in a project that anybody may look into, and
// returns what others could see of their files. The registry's directory is opened to
// all after its making, so that the modes of the files stand alone.
func watchSaves(p place, saves int) (found []string, w *watch) {
	p.open()
	copies := p.copies()
	in := `{"tenants": [{"id": "a", "name": "a", "database_url": "postgres://u:s3cret@h/a"}], "synced_at": "2026-02-01T10:00:00Z"}`
	require.NoError(p.t, os.WriteFile(filepath.Join(p.dir, "in.json"), []byte(in), 0o600))
	w = startWatch(p, p.store(""), copies, filepath.Join(p.dir, "other", ".systemprompt"))
	must := func(args ...string) {
		o := p.underUmask(args...)
		require.Zero(p.t, o.exit, "sp %v: %s", args, o.stderr)
	}
	must("init")
	must("--dir", "other/.systemprompt", "import", "in.json")
	if info, err := os.Stat(p.store("")); err != nil || info.Mode().Perm() != 0o700 {
		w.find(".systemprompt is made with mode %v %v", info.Mode(), err)
	}
	require.NoError(p.t, os.Chmod(p.store(""), 0o755))
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
				if info, err := os.Stat(p.store(dir)); err != nil || info.Mode().Perm() != 0o700 {
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
	needRoot(t)
	found, w := watchSaves(newPlace(t), saves)
	t.Logf("%d saves, %d looks, %d tries by another user, %d names", saves, w.looks.Load(), w.tries.Load(), len(w.paths))
	require.Empty(t, found)
	require.Greater(t, w.tries.Load(), int64(saves))
	for _, name := range []string{"sp.db", "sp.db-journal", "tenants.json", ".lock"} {
		require.True(t, w.paths[w.store(name)], "%s was never seen", name)
	}
}

// A watch that sees nothing proves nothing: it must see a file that is made open to
// all and closed at once, as the original tool does it.
func TestTheWatchSeesAFileThatIsOpenForAnInstant(t *testing.T) {
	sized(t, 1, 1)
	needRoot(t)
	p := newPlace(t)
	p.open()
	w := startWatch(p, p.dir)
	path := filepath.Join(p.dir, "secret")
	for range 2000 {
		require.NoError(t, os.WriteFile(path, []byte("s3cret"), 0o644))
		require.NoError(t, os.Chmod(path, 0o600))
		require.NoError(t, os.Remove(path))
	}
	require.Contains(t, w.end(), "another user reads secret")
}
