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

// mustRefuseWrites makes sure that every change is refused and leaves all as it is.
func (p place) mustRefuseWrites(answers func() string, words string, sp func(args ...string) harness.Outcome) {
	p.T.Helper()
	before, said := p.contents(), answers()
	for i, write := range changingLines {
		if strings.Contains(write, "%") {
			write = fmt.Sprintf(write, fmt.Sprintf("n%d", i))
		}
		o := sp(strings.Fields(write)...)
		require.Equal(p.T, 6, o.Exit, "%s: %s", write, o.Stderr)
		require.Regexp(p.T, words, o.Stderr, write)
	}
	require.Equal(p.T, before, p.contents())
	require.Equal(p.T, said, answers())
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
	remount := func(flags uintptr) { require.NoError(t, unix.Mount("", p.Dir, "", unix.MS_REMOUNT|flags, "")) }

	remount(unix.MS_RDONLY)
	p.mustRefuseWrites(answers, `read-only`, p.Run)
	remount(0)
	p.Must("tenant", "select", "a")

	require.NoError(t, harness.Interrupt(p.Store("sp.db"), "DELETE FROM sessions", harness.Grow))
	remount(unix.MS_RDONLY)
	before := p.contents()
	for command, words := range map[string]string{
		"tenant list": "a change that was interrupted must be taken back", "resolve": "a change that was interrupted must be taken back",
		"export": "a change that was interrupted must be taken back", "tenant edit a --region x": "lock: ", // which comes before a look
	} {
		o := p.Run(strings.Fields(command)...)
		require.Equal(t, 6, o.Exit, "%s: %s", command, o.Stderr)
		require.Contains(t, o.Stderr, "read-only", command)
		require.Contains(t, o.Stderr, words, command)
		require.Contains(t, o.Stderr, "hint: ", command)
	}
	require.Equal(t, before, p.contents())
	remount(0)
	require.Equal(t, said, answers())
	require.NoFileExists(t, p.Store("sp.db-journal"))
}

// TestADirectoryThatCannotBeWrittenIsRead (fault 16): the same for a directory of mode
// 0500. Nothing is read-only to root, so another user runs it.
func TestADirectoryThatCannotBeWrittenIsRead(t *testing.T) {
	sized(t, 1, 1)
	harness.NeedRoot(t)
	p := newPlace(t)
	harness.Open(t, p.Dir)
	require.NoError(t, os.Chown(p.Dir, harness.Nobody, harness.Nobody))
	user := p.guest().Run
	for _, command := range []string{"init", "export", "tenant create --id a --name a --database-url postgres://h/a", "profile create p --tenant a", "session switch p"} {
		o := user(strings.Fields(command)...)
		require.Zero(t, o.Exit, o.Stderr)
	}
	p.copies()
	p.writeDocument()
	require.NoError(t, os.Chown(filepath.Join(p.Dir, "in.json"), harness.Nobody, harness.Nobody))
	answers := func() (all string) {
		for _, command := range []string{"tenant list", "resolve", "status --max-age 876000h", "export -", "export --check"} {
			o := user(strings.Fields(command)...)
			require.Zero(t, o.Exit, "%s: %s", command, o.Stderr)
			all += o.Stdout
		}
		return all
	}
	for _, dir := range []string{p.Store(""), p.Dir} {
		require.NoError(t, os.Chmod(dir, 0o500))
	}
	p.mustRefuseWrites(answers, `read-only|denied`, user)

	require.NoError(t, os.Chmod(p.Store(""), 0o700))
	require.NoError(t, os.Chmod(p.Store("sp.db"), 0o400)) // the file alone
	o := user("tenant", "edit", "a", "--region", "x")
	require.Equal(t, 6, o.Exit, o.Stderr)
	require.Regexp(t, `denied \(chmod 600 .*sp\.db\)`, o.Stderr)
	answers()
	require.NoError(t, os.Chmod(p.Store("sp.db"), 0o600))
	require.Zero(t, user("tenant", "edit", "a", "--region", "x").Exit)
}
