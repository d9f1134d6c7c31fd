package torture

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// mustRefuseWrites makes sure that every change is refused and leaves all as it is.
func (p place) mustRefuseWrites(answers func() string, words string, sp func(args ...string) outcome) {
	p.t.Helper()
	before, said := p.contents(), answers()
	for i, write := range changingLines {
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
	p := newSmallDisk(t, 4<<20)
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
// that undoes it. More is what it did besides.
func interrupt(t *testing.T, path string, more ...string) {
	t.Helper()
	conn := mustOpenRaw(t, path)
	for _, s := range slices.Concat([]string{"PRAGMA journal_mode = TRUNCATE", "PRAGMA cache_size = 2", "BEGIN IMMEDIATE", "UPDATE registry_meta SET revision = 666"}, more, []string{
		"DELETE FROM sessions",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO files (path, previous, current, tenants_revision) SELECT 'path' || i, hex(zeroblob(200)), 'x', 0 FROM n",
	}) {
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

// asNobody runs sp as another user, from where that user can reach it.
func (p place) asNobody() (user func(args ...string) outcome) {
	bin := p.t.TempDir()
	require.NoError(p.t, os.Chmod(filepath.Dir(bin), 0o755))
	require.NoError(p.t, os.Chmod(bin, 0o755))
	sp := filepath.Join(bin, "sp")
	require.NoError(p.t, os.WriteFile(sp, mustRead(p.t, p.sp), 0o755))
	return func(args ...string) outcome {
		cmd := p.command(args...)
		cmd.Path = sp
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		o, err := runToEnd(cmd)
		require.NoError(p.t, err)
		return o
	}
}

// TestADirectoryThatCannotBeWrittenIsRead (fault 16): the same for a directory of mode
// 0500. Nothing is read-only to root, so another user runs it.
func TestADirectoryThatCannotBeWrittenIsRead(t *testing.T) {
	sized(t, 1, 1)
	needRoot(t)
	p := newPlace(t)
	p.open()
	require.NoError(t, os.Chown(p.dir, nobody, nobody))
	user := p.asNobody()
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
	require.Regexp(t, `denied \(chmod 600 .*sp\.db\)`, o.stderr)
	answers()
	require.NoError(t, os.Chmod(p.store("sp.db"), 0o600))
	require.Zero(t, user("tenant", "edit", "a", "--region", "x").exit)
}
