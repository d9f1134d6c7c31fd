package torture

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// newDisk is a place on a file system of its own, of so many bytes.
func newDisk(t *testing.T, size int) place {
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
	for _, e := range mustList(p.t, p.store("")) {
		if e.Name() != ".lock" {
			fmt.Fprintf(&text, "%s %x\n", e.Name(), sha256.Sum256(mustRead(p.t, p.store(e.Name()))))
		}
	}
	return text.String()
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

// writes are changes of each shape, which all must fail where nothing can be written.
var writes = []string{
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
	p := newDisk(t, 1<<20)
	answers := p.settle()
	p.copies()
	p.writeDocument()
	refused, done := 0, 0
	for level := range levels {
		for i, write := range writes {
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
	p := newDisk(t, 1<<20)
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

// mustRefuseWrites makes sure that every change is refused and leaves all as it is.
func (p place) mustRefuseWrites(answers func() string, words string, sp func(args ...string) outcome) {
	p.t.Helper()
	before, said := p.contents(), answers()
	for i, write := range writes {
		if strings.Contains(write, "%") {
			write = fmt.Sprintf(write, fmt.Sprintf("n%d", i))
		}
		o := sp(strings.Fields(write)...)
		require.Equal(p.t, 6, o.exit, "%s: %s", write, o.stderr)
		require.Regexp(p.t, words, o.stderr, write)
	}
	require.Equal(p.t, before, p.contents())
	require.Equal(p.t, said, answers())
}

// TestAReadOnlyMountIsRead (B9, fault 16): reads go on, changes are refused; where a crash
// left something to be taken back, that is said, and done as soon as it can be.
func TestAReadOnlyMountIsRead(t *testing.T) {
	sized(t, 1, 1)
	p := newDisk(t, 4<<20)
	answers := p.settle()
	p.copies()
	p.writeDocument()
	said := answers()
	remount := func(flags uintptr) { require.NoError(t, unix.Mount("", p.dir, "", unix.MS_REMOUNT|flags, "")) }

	remount(unix.MS_RDONLY)
	p.mustRefuseWrites(answers, `read-only`, p.run)
	remount(0)
	p.must("tenant", "select", "a")

	interrupt(t, p.store("sp.db"))
	remount(unix.MS_RDONLY)
	before := p.contents()
	for _, command := range []string{"tenant list", "resolve", "tenant edit a --region x", "export"} {
		o := p.run(strings.Fields(command)...)
		require.Equal(t, 6, o.exit, "%s: %s", command, o.stderr)
		require.Contains(t, o.stderr, "a change that was interrupted must be taken back", command)
		require.Contains(t, o.stderr, "hint: ", command)
	}
	require.Equal(t, before, p.contents())
	remount(0)
	require.Equal(t, said, answers())
	require.NoFileExists(t, p.store("sp.db-journal"))
}

// interrupt leaves a database as a killed writer does: half written, with the journal
// that undoes it.
func interrupt(t *testing.T, path string) {
	t.Helper()
	conn := mustOpenRaw(t, path)
	for _, s := range []string{
		"PRAGMA cache_size = 2", "BEGIN IMMEDIATE", "DELETE FROM sessions", "UPDATE registry_meta SET revision = 666",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO files SELECT 'path' || i, hex(zeroblob(200)), 'x', 0 FROM n",
	} {
		_, err := conn.Exec(s)
		require.NoError(t, err, s)
	}
	half, journal := mustRead(t, path), mustRead(t, path+"-journal")
	_, err := conn.Exec("ROLLBACK")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NotEqual(t, half, mustRead(t, path), "nothing was written before the commit")
	require.NoError(t, os.WriteFile(path+"-journal", journal, 0o600))
	require.NoError(t, os.WriteFile(path, half, 0o600))
}

// TestADirectoryThatCannotBeWrittenIsRead (fault 16): the same for a directory of mode
// 0500. Nothing is read-only to root, so another user runs it.
func TestADirectoryThatCannotBeWrittenIsRead(t *testing.T) {
	sized(t, 1, 1)
	needRoot(t)
	p := newPlace(t)
	for dir := p.dir; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	p.sp = filepath.Join(t.TempDir(), "sp") // where that user can run it
	require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(p.sp)), 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(p.sp), 0o755))
	require.NoError(t, os.WriteFile(p.sp, mustRead(t, spPath), 0o755))
	require.NoError(t, os.Chown(p.dir, nobody, nobody))
	user := func(args ...string) outcome {
		cmd := p.command(args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		o, err := runToEnd(cmd)
		require.NoError(t, err)
		return o
	}
	for _, command := range []string{"init", "export", "tenant create --id a --name a --database-url postgres://h/a", "profile create p --tenant a", "session switch p"} {
		o := user(strings.Fields(command)...)
		require.Zero(t, o.exit, o.stderr)
	}
	p.copies()
	p.writeDocument()
	require.NoError(t, os.Chown(filepath.Join(p.dir, "in.json"), nobody, nobody))
	answers := func() (all string) {
		for _, command := range []string{"tenant list", "resolve", "status --max-age 876000h", "export -", "export --check"} {
			o := user(strings.Fields(command)...)
			require.Zero(t, o.exit, "%s: %s", command, o.stderr)
			all += o.stdout
		}
		return all
	}
	for _, dir := range []string{p.store(""), p.dir} {
		require.NoError(t, os.Chmod(dir, 0o500))
	}
	p.mustRefuseWrites(answers, `read-only|denied`, user)

	require.NoError(t, os.Chmod(p.store(""), 0o700))
	require.NoError(t, os.Chmod(p.store("sp.db"), 0o400)) // the file alone
	o := user("tenant", "edit", "a", "--region", "x")
	require.Equal(t, 6, o.exit, o.stderr)
	require.Contains(t, o.stderr, "read-only")
	answers()
	require.NoError(t, os.Chmod(p.store("sp.db"), 0o600))
	require.Zero(t, user("tenant", "edit", "a", "--region", "x").exit)
}
