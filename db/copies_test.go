package db

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func mustCopyAt(t *testing.T, path, why string, made time.Time) string {
	t.Helper()
	name, err := keepCopy(t.Context(), path, why, made, time.Second)
	require.NoError(t, err)
	return name
}

func TestAMigrationKeepsACopyOfWhatWasThere(t *testing.T) {
	t.Parallel()
	for how, use := range tries {
		path := mustCreate(t)
		mustAge(t, path)
		require.NoError(t, use(t, path), how)
		require.Equal(t, schemaVersion, mustVersion(t, path), how)

		copies, err := Copies(path)
		require.NoError(t, err)
		require.Equal(t, []Copy{{Path: path + ".bak-migration-20261121T093000.000000Z", Why: BeforeMigration, Made: today}}, copies, how)
		info, err := os.Stat(copies[0].Path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode(), how)
		require.Equal(t, 0, mustVersion(t, copies[0].Path), "it is what was there before: %s", how)
	}
}

func TestANewRegistryNeedsNoCopy(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum"}, names(t, filepath.Dir(path)))
}

func TestAMigrationWithoutACopyIsRefused(t *testing.T) {
	t.Parallel()
	for how, try := range tries {
		path := mustCreate(t)
		mustAge(t, path)
		require.NoError(t, os.MkdirAll(filepath.Join(path+copyNew, "in the way"), 0o700))
		require.Error(t, try(t, path), how)
		require.Equal(t, 0, mustVersion(t, path), how)
		require.NoError(t, os.RemoveAll(path+copyNew))
		require.NoError(t, try(t, path), how)
		require.Equal(t, schemaVersion, mustVersion(t, path), how)
	}
}

func TestCopiesAreListedByWhyAndWhen(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	later := today.Add(time.Hour + time.Microsecond)
	local := today.In(time.FixedZone("", 5*60*60))
	one := mustCopyAt(t, path, BeforeMigration, local)
	two := mustCopyAt(t, path, BeforeMigration, later)
	three := mustCopyAt(t, path, BeforeRestore, today)
	copies, err := Copies(path)
	require.NoError(t, err)
	require.Equal(t, []Copy{
		{Path: one, Why: BeforeMigration, Made: today},
		{Path: two, Why: BeforeMigration, Made: later},
		{Path: three, Why: BeforeRestore, Made: today},
	}, copies)
	for _, c := range copies {
		require.Equal(t, 0, mustRevision(t, c.Path))
	}
}

func TestTwoCopiesOfOneInstantAreBothKept(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	one := mustCopyAt(t, path, BeforeMigration, today)
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	two := mustCopyAt(t, path, BeforeMigration, today)
	require.NotEqual(t, one, two)
	require.Equal(t, 0, mustRevision(t, one))
	require.Equal(t, 1, mustRevision(t, two))
	copies, err := Copies(path)
	require.NoError(t, err)
	require.Len(t, copies, 2)
}

// notCopies are names that look like a copy's; whoever made them, they stay.
var notCopies = []string{
	"sp.db.bak", "sp.db.bak-1", "sp.db.bak-old-20261121T093000.000000Z", "sp.db.bak-migration-20261121T093000Z",
	"sp.db.bak-migration-20261121T093000.000000Z.gz", "sp.db.bak-migration-20261131T093000.000000Z",
	"sp.db.bak--20261121T093000.000000Z", "other.db.bak-migration-20261121T093000.000000Z", "sp.db.bak-migration-2026",
}

func TestOnlyOurOwnNamesAreCopies(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	dir := filepath.Dir(path)
	for _, name := range notCopies {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600))
	}
	linked := copyPath(path, BeforeRestore, today)
	require.NoError(t, os.Symlink(path, linked))
	before := names(t, dir)
	copies, err := Copies(path)
	require.NoError(t, err)
	require.Empty(t, copies)
	removed, err := RemoveCopies(path)
	require.NoError(t, err)
	require.Empty(t, removed)
	require.Equal(t, before, names(t, dir))

	_, err = Copies(filepath.Join(dir, "no", "sp.db"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A process that is killed while it copies a damaged registry leaves the journal's copy.
func TestAJournalWithoutItsCopyIsFoundAndRemoved(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	left := copyPath(path, BeforeRestore, today)
	require.NoError(t, os.WriteFile(left+"-journal", []byte("pages"), 0o600))
	copies, err := Copies(path)
	require.NoError(t, err)
	require.Equal(t, []Copy{{Path: left, Why: BeforeRestore, Made: today}}, copies)
	_, err = RemoveCopies(path)
	require.NoError(t, err)
	require.NoFileExists(t, left+"-journal")
}

func TestCopiesAreGoneAfterAWeekWithTheNextChange(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	expired := []string{
		mustCopyAt(t, path, BeforeMigration, today.Add(-CopyLife-time.Microsecond)),
		mustCopyAt(t, path, BeforeRestore, today.AddDate(-3, 0, 0)),
		mustCopyAt(t, path, BeforeRestore, today.AddDate(10, 0, 0)), // by a clock that was wrong
	}
	kept := []string{
		mustCopyAt(t, path, BeforeMigration, today.Add(-CopyLife)),
		mustCopyAt(t, path, BeforeRestore, today.Add(time.Hour)), // a clock may be set back a little
	}
	journal := expired[1] + "-journal"
	require.NoError(t, os.WriteFile(journal, []byte("its journal"), 0o600))
	require.Equal(t, 0, mustRevision(t, path))
	for _, c := range append(append(expired, kept...), journal) {
		require.FileExists(t, c, "a read removes nothing")
	}
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	for _, c := range append(expired, journal) {
		require.NoFileExists(t, c)
	}
	for _, c := range kept {
		require.FileExists(t, c)
	}
	require.Equal(t, 1, mustRevision(t, path))
}

func TestTheNextChangeSweepsWhatAKilledCopyLeft(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	for _, left := range []string{path + copyNew, path + copyNew + "-journal", filepath.Join(filepath.Dir(path), newName)} {
		require.NoError(t, os.WriteFile(left, []byte("half"), 0o600))
	}
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum"}, names(t, filepath.Dir(path)))
}

func TestRemoveCopiesTakesThemAllAndNothingElse(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	one := mustCopyAt(t, path, BeforeMigration, today)
	two := mustCopyAt(t, path, BeforeRestore, today)
	require.NoError(t, os.WriteFile(two+"-journal", []byte("its journal"), 0o600))
	removed, err := RemoveCopies(path)
	require.NoError(t, err)
	require.Equal(t, []Copy{{Path: one, Why: BeforeMigration, Made: today}, {Path: two, Why: BeforeRestore, Made: today}}, removed)
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal"}, names(t, filepath.Dir(path)))
	require.Equal(t, 0, mustRevision(t, path))
	removed, err = RemoveCopies(path)
	require.NoError(t, err)
	require.Empty(t, removed)
}

// A change is not refused for a copy that can't be removed: it is found by Copies.
func TestACopyThatStaysDoesNotStopAChange(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	stuck := mustCopyAt(t, path, BeforeRestore, today.Add(-2*CopyLife))
	require.NoError(t, os.MkdirAll(filepath.Join(stuck+"-journal", "in the way"), 0o700))
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.Equal(t, 1, mustRevision(t, path))
	_, err := RemoveCopies(path)
	require.ErrorContains(t, err, stuck)
}
