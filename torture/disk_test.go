package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

// newSmallDisk is a place on a file system of its own, of so many bytes.
func newSmallDisk(t *testing.T, size int) place {
	t.Helper()
	harness.NeedRoot(t)
	p := newPlace(t)
	if err := unix.Mount("tmpfs", p.Dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size)); err != nil {
		harness.Missing(t, fmt.Sprintf("can't mount: %v", err))
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(p.Dir, unix.MNT_DETACH)) })
	return p
}

// fill leaves so many bytes of the disk.
func (p place) fill(left int) {
	p.T.Helper()
	path := filepath.Join(p.Dir, "filler")
	require.NoError(p.T, os.WriteFile(path, nil, 0o600))
	var fs unix.Statfs_t
	require.NoError(p.T, unix.Statfs(p.Dir, &fs))
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(p.T, err)
	if more := int64(fs.Bavail)*fs.Bsize - int64(left); more > 0 {
		require.NoError(p.T, unix.Fallocate(int(file.Fd()), 0, 0, more))
	}
	require.NoError(p.T, file.Close())
}

// contents is all that must not change.
func (p place) contents() string {
	return harness.Snapshot(p.Store(""), func(path string) bool { return filepath.Base(path) == ".place" || isEmptyJournal(path) })
}

// isEmptyJournal tells of the journal that stays between changes, unless somebody rolled one back.
func isEmptyJournal(path string) bool {
	info, err := os.Stat(path)
	return filepath.Base(path) == "sp.db-journal" && err == nil && info.Size() == 0
}

// settle makes a registry with a tenant whose export is tracked, and returns what
// commands that read answer.
func (p place) settle() (answers func() string) {
	p.Must("init")
	p.Must("export")
	p.Must("tenant", "create", "--id", "a", "--name", "a", "--database-url", "postgres://u:s3cret@h/a")
	p.Must("profile", "create", "p", "--tenant", "a")
	p.Must("session", "switch", "p")
	return func() (all string) {
		for _, command := range []string{"tenant list", "resolve", "explain", "status --max-age 876000h", "export -", "export --check", "profile list"} {
			all += p.Must(strings.Fields(command)...)
		}
		return all
	}
}

// changingLines are changes of each shape, which all must fail where nothing can be written.
var changingLines = []string{
	"tenant create --id %s --name %[1]s --database-url postgres://h/x",
	"tenant edit a --region %s",
	"profile create %s --tenant a",
	"session switch p",
	"tenant select a",
	"export --path copies/copy.json",
	"import in.json",
}

func (p place) writeDocument() {
	in := `{"tenants": [{"id": "a", "name": "a"}, {"id": "more", "name": "more", "x": "` + strings.Repeat("x", 9000) + `"}], "synced_at": "2026-02-01T10:00:00Z"}`
	require.NoError(p.T, os.WriteFile(filepath.Join(p.Dir, "in.json"), []byte(in), 0o600))
}

// TestAFullDiskChangesNothing (B9): at any level of fullness a change is made or refused
// with honest words, reads go on, and all is well again when there is room.
func TestAFullDiskChangesNothing(t *testing.T) {
	levels := sized(t, 10, 300)
	t.Parallel()
	p := newSmallDisk(t, 1<<20)
	answers := p.settle()
	p.copies()
	p.writeDocument()
	refused, done := 0, 0
	for level := range levels {
		for i, write := range changingLines {
			if strings.Contains(write, "%") {
				write = fmt.Sprintf(write, fmt.Sprintf("n%d-%d", level, i))
			}
			p.fill(level * 64 << 10 / levels)
			before, said := p.contents(), answers()
			o := p.Run(strings.Fields(write)...)
			switch o.Exit {
			case 0:
				done++
			case 6:
				refused++
				require.Equal(t, before, p.contents(), write)
				require.Equal(t, said, answers(), write)
				require.Regexp(t, `disk full|no space left`, o.Stderr, write)
				require.Contains(t, o.Stderr, "space", write)
			default:
				t.Fatalf("%s: exit %d: %s", write, o.Exit, o.Stderr)
			}
		}
		p.fill(1 << 20)
		require.NoError(t, os.Remove(filepath.Join(p.Dir, "filler")))
		p.Must("tenant", "edit", "a", "--region", fmt.Sprintf("there is room %d", level))
		p.Must("export", "--check")
	}
	t.Logf("%d changes refused, %d made", refused, done)
	require.Greater(t, refused, levels)
	require.True(t, isWhole(t, mustRead(t, p.Store("sp.db"))))
}

// The first start on a full disk leaves nothing that is in the way of the second.
func TestAFullDiskTakesNoRegistry(t *testing.T) {
	levels := sized(t, 5, 60)
	t.Parallel()
	p := newSmallDisk(t, 1<<20)
	p.writeDocument()
	for level := range levels {
		for _, command := range []string{"init", "import in.json", "tenant create --name x --database-url postgres://h/x"} {
			p.fill(level * 80 << 10 / levels)
			o := p.Run(strings.Fields(command)...)
			require.Equal(t, 6, o.Exit, "%s: %s", command, o.Stderr)
			require.Regexp(t, `disk full|no space left`, o.Stderr)
			require.NoFileExists(t, p.Store("sp.db"))
			require.NoError(t, os.Remove(filepath.Join(p.Dir, "filler")))
			p.Must(strings.Fields(command)...)
			require.NoError(t, os.RemoveAll(p.Store("")))
		}
	}
}
