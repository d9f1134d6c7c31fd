package torture

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// readOnly makes the working directory so.
const readOnly = "mount --bind . . && mount -o remount,bind,ro ."

// TestAReadOnlyFileSystemCanBeRead in a mount namespace of its own: what reads works,
// what writes says so, and nothing changes.
func TestAReadOnlyFileSystemCanBeRead(t *testing.T) {
	sized(t, 1, 1)
	p := trackedPlace(t)
	before := harness.Snapshot(p.Store(""), nil)
	for _, line := range [][]string{{"tenant", "list"}, {"tenant", "show", "a"}, {"resolve", "--tenant", "a"}, {"status"}, {"explain"}, {"export", "-"}, {"export", "--check"}} {
		o := p.mounted(readOnly, line...)
		require.Zero(t, o.Exit, "sp %v: %s", line, o.Stderr)
		require.Equal(t, p.Run(line...).Stdout, o.Stdout, "sp %v", line)
		require.Equal(t, before, harness.Snapshot(p.Store(""), nil), "sp %v", line)
	}
	p.Must("tenant", "edit", "a", "--hostname", "h", "--no-export") // for the export to have something to do
	before = harness.Snapshot(p.Store(""), nil)
	for _, line := range [][]string{{"tenant", "edit", "a", "--region", "x"}, {"export"}, {"export", "--force"}, {"import"}, {"tenant", "delete", "a", "-y"}, {"profile", "create", "p", "--tenant", "a"}} {
		o := p.mounted(readOnly, line...)
		require.Equal(t, 6, o.Exit, "sp %v: %s", line, o.Stderr)
		require.Contains(t, o.Stderr, "read-only", "sp %v", line)
		require.Equal(t, before, harness.Snapshot(p.Store(""), nil), "sp %v", line)
	}
}

// TestAnInterruptedChangeOnAReadOnlyFileSystemIsToldSo: what a crash left has to be
// taken back before anything can be read, and can't be there.
func TestAnInterruptedChangeOnAReadOnlyFileSystemIsToldSo(t *testing.T) {
	sized(t, 1, 1)
	c := newCanaryPlace(t)
	c.Must("import", c.give("one.json", markedDocument(0)))
	c.endInTheMiddle(9, "import", c.give("many.json", markedDocument(8_000)))
	before := harness.Snapshot(c.Store(""), nil)
	o := c.mounted(readOnly, "tenant", "list")
	require.Equal(t, 6, o.Exit, o.Stdout)
	require.Contains(t, o.Stderr, "read-only")
	require.Equal(t, before, harness.Snapshot(c.Store(""), nil))
	require.Equal(t, "a\t\tlocal\ta\n", c.Must("tenant", "list"), "where it can be written, nobody notices")
}

// TestAFileThatIsAMountPointIsNotReplaced: the change is made, the file stays, and it
// is said; once it can be replaced, the next change catches up.
func TestAFileThatIsAMountPointIsNotReplaced(t *testing.T) {
	sized(t, 1, 1)
	p := trackedPlace(t)
	o := p.mounted("mount --bind .systemprompt/tenants.json .systemprompt/tenants.json", "tenant", "edit", "a", "--region", "x")
	require.Equal(t, 8, o.Exit, o.Stderr)
	require.Contains(t, o.Stderr, "tenants.json")
	require.Contains(t, p.Must("tenant", "list"), "\tx\n", "the registry has it")
	require.Contains(t, p.Must("status"), "export\tbehind")
	p.Must("tenant", "edit", "a", "--hostname", "h")
	p.Must("export", "--check")
	left, err := filepath.Glob(p.Store(".tenants.json.*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func trackedPlace(t *testing.T) place {
	t.Helper()
	p := newPlace(t)
	file := filepath.Join(t.TempDir(), "tenants.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"tenants": [{"id": "a", "name": "a", "database_url": "postgres://u:p@h/a"}], "synced_at": "2026-02-01T10:00:00Z"}`), 0o600))
	p.Must("import", file)
	p.Must("export")
	return p
}

// mounted runs sp where a shell has changed the mounts, for that one process.
func (p place) mounted(prepare string, args ...string) harness.Outcome {
	p.T.Helper()
	harness.NeedRoot(p.T)
	cmd := p.After("cd \"$PWD\" && { "+prepare+"; } || exit 99; cd \"$PWD\"", args...)
	cmd.Path, cmd.Args = harness.Need(p.T, "unshare"), append([]string{"unshare", "--mount"}, cmd.Args...)
	o := p.Ran(cmd)
	if o.Exit == 99 {
		harness.Missing(p.T, "no mounts: "+o.Stderr)
	}
	return o
}
