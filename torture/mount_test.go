package torture

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// readOnly makes the working directory so.
const readOnly = "mount --bind . . && mount -o remount,bind,ro ."

// TestAReadOnlyFileSystemCanBeRead in a mount namespace of its own: what reads works,
// what writes says so, and nothing changes.
func TestAReadOnlyFileSystemCanBeRead(t *testing.T) {
	sized(t, 1, 1)
	p := trackedPlace(t)
	before := p.files()
	for _, line := range [][]string{{"tenant", "list"}, {"tenant", "show", "a"}, {"resolve", "--tenant", "a"}, {"status"}, {"explain"}, {"export", "-"}, {"export", "--check"}} {
		o := p.mounted(readOnly, line...)
		require.Zero(t, o.exit, "sp %v: %s", line, o.stderr)
		require.Equal(t, p.run(line...).stdout, o.stdout, "sp %v", line)
	}
	for _, line := range [][]string{{"tenant", "edit", "a", "--region", "x"}, {"export", "--force"}, {"import"}, {"tenant", "delete", "a", "-y"}, {"profile", "create", "p", "--tenant", "a"}} {
		o := p.mounted(readOnly, line...)
		require.Equal(t, 6, o.exit, "sp %v: %s", line, o.stderr)
		require.Contains(t, o.stderr, "read-only", "sp %v", line)
		require.Equal(t, before, p.files(), "sp %v", line)
	}
}

// TestAnInterruptedChangeOnAReadOnlyFileSystemIsToldSo: what a crash left has to be
// taken back before anything can be read, and can't be there.
func TestAnInterruptedChangeOnAReadOnlyFileSystemIsToldSo(t *testing.T) {
	sized(t, 1, 1)
	c := newCanaryPlace(t)
	c.must("import", c.give("one.json", markedDocument(0)))
	c.endInTheMiddle(9, "import", c.give("many.json", markedDocument(8_000)))
	before := c.files()
	o := c.mounted(readOnly, "tenant", "list")
	require.Equal(t, 6, o.exit, o.stdout)
	require.Contains(t, o.stderr, "read-only")
	require.Equal(t, before, c.files())
	require.Equal(t, "a\t\tlocal\ta\n", c.must("tenant", "list"), "where it can be written, nobody notices")
}

// TestAFileThatIsAMountPointIsNotReplaced: the change is made, the file stays, and it
// is said; once it can be replaced, the next change catches up.
func TestAFileThatIsAMountPointIsNotReplaced(t *testing.T) {
	sized(t, 1, 1)
	p := trackedPlace(t)
	o := p.mounted("mount --bind .systemprompt/tenants.json .systemprompt/tenants.json", "tenant", "edit", "a", "--region", "x")
	require.Equal(t, 8, o.exit, o.stderr)
	require.Contains(t, o.stderr, "tenants.json")
	require.Contains(t, p.must("tenant", "list"), "\tx\n", "the registry has it")
	require.Contains(t, p.must("status"), "export\tbehind")
	p.must("tenant", "edit", "a", "--hostname", "h")
	p.must("export", "--check")
	left, err := filepath.Glob(p.store(".tenants.json.*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func trackedPlace(t *testing.T) place {
	t.Helper()
	p := newPlace(t)
	file := filepath.Join(t.TempDir(), "tenants.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"tenants": [{"id": "a", "name": "a", "database_url": "postgres://u:p@h/a"}], "synced_at": "2026-02-01T10:00:00Z"}`), 0o600))
	p.must("import", file)
	p.must("export")
	return p
}

// mounted runs sp where a shell has changed the mounts, for that one process.
func (p place) mounted(prepare string, args ...string) outcome {
	p.t.Helper()
	unshare := need(p.t, "unshare")
	if os.Geteuid() != 0 {
		missing(p.t, "only root can mount")
	}
	cmd := exec.Command(unshare, append([]string{"--mount", "sh", "-c", "cd \"$PWD\" && " + prepare + ` || exit 99; cd "$PWD"; exec "$@"`, "sh", p.sp}, args...)...)
	cmd.Dir, cmd.Env = p.dir, p.env
	o, err := runToEnd(cmd)
	require.NoError(p.t, err)
	if o.exit == 99 {
		missing(p.t, "no mounts: "+o.stderr)
	}
	return o
}

// files is what .systemprompt holds, by name, but for who held the lock last.
func (p place) files() map[string]string {
	p.t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(p.store(""))
	require.NoError(p.t, err)
	for _, entry := range entries {
		if entry.Type().IsRegular() && entry.Name() != ".lock" {
			text, err := os.ReadFile(p.store(entry.Name()))
			require.NoError(p.t, err)
			found[entry.Name()] = string(text)
		}
	}
	return found
}
