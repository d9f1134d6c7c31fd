package torture

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// newSmallDisk is a place on a file system of its own, of so many bytes.
func newSmallDisk(t *testing.T, size int) place {
	t.Helper()
	needRoot(t)
	p := newPlace(t)
	if err := unix.Mount("tmpfs", p.dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size)); err != nil {
		missing(t, fmt.Sprintf("can't mount: %v", err))
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(p.dir, unix.MNT_DETACH)) })
	return p
}

// fill leaves so many bytes of the disk.
func (p place) fill(left int) {
	p.t.Helper()
	path := filepath.Join(p.dir, "filler")
	require.NoError(p.t, os.WriteFile(path, nil, 0o600))
	var fs unix.Statfs_t
	require.NoError(p.t, unix.Statfs(p.dir, &fs))
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(p.t, err)
	if more := int64(fs.Bavail)*fs.Bsize - int64(left); more > 0 {
		require.NoError(p.t, unix.Fallocate(int(file.Fd()), 0, 0, more))
	}
	require.NoError(p.t, file.Close())
}

// contents is all that must not change, but for the lock file.
func (p place) contents() string {
	var text strings.Builder
	require.NoError(p.t, filepath.WalkDir(p.store(""), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && e.Name() != ".lock" && e.Name() != ".place" && !isEmptyJournal(path) {
			fmt.Fprintf(&text, "%s %x\n", path, sha256.Sum256(mustRead(p.t, path)))
		}
		return err
	}))
	return text.String()
}

// isEmptyJournal tells of the journal that stays between changes, unless somebody rolled one back.
func isEmptyJournal(path string) bool {
	info, err := os.Stat(path)
	return filepath.Base(path) == "sp.db-journal" && err == nil && info.Size() == 0
}

// settle makes a registry with a tenant whose export is tracked, and returns what
// commands that read answer.
func (p place) settle() (answers func() string) {
	p.must("init")
	p.must("export")
	p.must("tenant", "create", "--id", "a", "--name", "a", "--database-url", "postgres://u:s3cret@h/a")
	p.must("profile", "create", "p", "--tenant", "a")
	p.must("session", "switch", "p")
	return func() (all string) {
		for _, command := range []string{"tenant list", "resolve", "explain", "status --max-age 876000h", "export -", "export --check", "profile list"} {
			all += p.must(strings.Fields(command)...)
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
	require.NoError(p.t, os.WriteFile(filepath.Join(p.dir, "in.json"), []byte(in), 0o600))
}

// TestAFullDiskChangesNothing (B9): at any level of fullness a change is made or refused
// with honest words, reads go on, and all is well again when there is room.
func TestAFullDiskChangesNothing(t *testing.T) {
	levels := sized(t, 10, 300)
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
			o := p.run(strings.Fields(write)...)
			switch o.exit {
			case 0:
				done++
			case 6:
				refused++
				require.Equal(t, before, p.contents(), write)
				require.Equal(t, said, answers(), write)
				require.Regexp(t, `disk full|no space left`, o.stderr, write)
				require.Contains(t, o.stderr, "space", write)
			default:
				t.Fatalf("%s: exit %d: %s", write, o.exit, o.stderr)
			}
		}
		p.fill(1 << 20)
		require.NoError(t, os.Remove(filepath.Join(p.dir, "filler")))
		p.must("tenant", "edit", "a", "--region", fmt.Sprintf("there is room %d", level))
		p.must("export", "--check")
	}
	t.Logf("%d changes refused, %d made", refused, done)
	require.Greater(t, refused, levels)
	require.True(t, isWhole(t, mustRead(t, p.store("sp.db"))))
}

// The first start on a full disk leaves nothing that is in the way of the second.
func TestAFullDiskTakesNoRegistry(t *testing.T) {
	levels := sized(t, 5, 60)
	p := newSmallDisk(t, 1<<20)
	p.writeDocument()
	for level := range levels {
		for _, command := range []string{"init", "import in.json", "tenant create --name x --database-url postgres://h/x"} {
			p.fill(level * 80 << 10 / levels)
			o := p.run(strings.Fields(command)...)
			require.Equal(t, 6, o.exit, "%s: %s", command, o.stderr)
			require.Regexp(t, `disk full|no space left`, o.stderr)
			require.NoFileExists(t, p.store("sp.db"))
			require.NoError(t, os.Remove(filepath.Join(p.dir, "filler")))
			p.must(strings.Fields(command)...)
			require.NoError(t, os.RemoveAll(p.store("")))
		}
	}
}
