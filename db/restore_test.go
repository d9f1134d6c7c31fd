package db

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

// sourceOf is a file and what lies beside it.
func sourceOf(path string) Source {
	return Source{Name: path, Claim: Moved, Copy: func(side string, to io.Writer) (bool, error) {
		content, err := os.ReadFile(path + side)
		if errors.Is(err, fs.ErrNotExist) && side != "" {
			return false, nil
		}
		if err == nil {
			_, err = to.Write(content)
		}
		return true, err
	}}
}

// mustBackUp makes a backup of a registry of that revision.
func mustBackUp(t *testing.T, revision int) string {
	t.Helper()
	path := mustCreate(t)
	for range revision {
		require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	}
	return path
}

// restore restores as it is and tells what Restore or Commit said.
func restore(ctx context.Context, path string, source Source) (kept string, err error) {
	r, err := Restore(ctx, path, patient, source)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	_, err = r.Commit()
	return r.Kept, err
}

// withoutCopies are the names in the directory of path but for automatic copies.
func withoutCopies(t *testing.T, path string) []string {
	t.Helper()
	_, err := RemoveCopies(path)
	require.NoError(t, err)
	return names(t, filepath.Dir(path))
}

// presents are what a backup may replace, and whether a reader can still be told what
// it was.
var presents = map[string]struct {
	spoil    func(t *testing.T, path string)
	readable bool
}{
	"a whole one":              {func(*testing.T, string) {}, true},
	"one that was killed":      {func(t *testing.T, path string) { mustSpill(t, path) }, true},
	"one in WAL mode":          {func(t *testing.T, path string) { harness.Mess(t, path, "PRAGMA journal_mode = WAL") }, true},
	"an older one":             {func(t *testing.T, path string) { mustAge(t, path) }, true},
	"an empty file":            {func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) }, false},
	"the start of one":         {func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 5000)) }, false},
	"one with its head blown":  {func(t *testing.T, path string) { mustZero(t, path, 0, 4096) }, false},
	"one with its pages blown": {func(t *testing.T, path string) { mustZero(t, path, 4096, 1<<20) }, false},
	"a damaged one that was killed": {func(t *testing.T, path string) {
		mustSpill(t, path)
		require.NoError(t, os.WriteFile(path, []byte("no database"), 0o600))
	}, false},
}

func mustZero(t *testing.T, path string, from, to int) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	clear(content[from:min(to, len(content))])
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

func TestARestoreReplacesWhatIsThereAndKeepsIt(t *testing.T) {
	t.Parallel()
	for what, present := range presents {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			path, backup := mustBackUp(t, 1), mustBackUp(t, 5)
			present.spoil(t, path)
			var before, journal []byte
			if !present.readable {
				before, journal = mustReadFile(t, path), mustReadFile(t, path+"-journal")
			}
			kept, err := restore(t.Context(), path, sourceOf(backup))
			require.NoError(t, err)
			require.Equal(t, 5, mustRevision(t, path))

			copies, err := Copies(path)
			require.NoError(t, err)
			require.Equal(t, []Copy{{Path: kept, Why: BeforeRestore, Made: today}}, copies)
			if present.readable && what != "an older one" {
				mustClaim(t, kept)
				require.Equal(t, 1, mustRevision(t, kept))
				mustClaim(t, path)
			}
			if !present.readable {
				require.Equal(t, before, mustReadFile(t, kept))
				require.Equal(t, string(journal), string(mustReadFile(t, kept+"-journal")), "an empty one is none")
			}
			require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum"}, withoutCopies(t, path), "no journal is left for the new one")
			require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
			require.Equal(t, 6, mustRevision(t, path))
		})
	}
}

// mustReadFile returns what a file holds, nil for one that is not there.
func mustReadFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	return content
}

func TestARestoreWorksWhereThereIsNothing(t *testing.T) {
	t.Parallel()
	path, backup := mustCreate(t), mustBackUp(t, 5)
	require.NoError(t, os.Remove(path))
	kept, err := restore(t.Context(), path, sourceOf(backup))
	require.NoError(t, err)
	require.Empty(t, kept)
	require.Equal(t, 5, mustRevision(t, path))
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal"}, names(t, filepath.Dir(path)))
}

// A copy of a damaged registry may have a journal: what it holds without it is a change
// half made.
func TestARestoreRollsBackTheJournalOfABackup(t *testing.T) {
	t.Parallel()
	path, backup := mustCreate(t), mustBackUp(t, 5)
	mustSpill(t, backup)
	_, err := restore(t.Context(), path, sourceOf(backup))
	require.NoError(t, err)
	require.Equal(t, 5, mustRevision(t, path))
	require.FileExists(t, backup+"-journal", "the backup itself stays as it is")
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal"}, withoutCopies(t, path))
}

// TestWhatIsReplacedIsOfTheNewestSchema, also right after an upgrade: what the restore goes on
// knowing of it is asked in the words of that.
func TestWhatIsReplacedIsOfTheNewestSchema(t *testing.T) {
	t.Parallel()
	backup, path := mustBackUp(t, 1), mustBackUp(t, 2)
	mustAgeTo(t, path, 5)
	r, err := Restore(t.Context(), path, patient, sourceOf(backup))
	require.NoError(t, err)
	var version, revision int
	require.NoError(t, r.Replaced.QueryRow("SELECT (SELECT user_version FROM pragma_user_version), revision FROM registry_meta").Scan(&version, &revision))
	require.Equal(t, []int{schemaVersion, 2}, []int{version, revision})
	_, err = r.Commit()
	require.NoError(t, errors.Join(err, r.Close()))
	copies, err := Copies(path)
	require.NoError(t, err)
	require.Len(t, copies, 1)
}

func TestAnOlderBackupIsMigrated(t *testing.T) {
	t.Parallel()
	path, backup := mustCreate(t), mustCreate(t)
	mustAgeTo(t, backup, 3)
	harness.Mess(t, path, "UPDATE registry_meta SET revision = 3")
	_, err := restore(t.Context(), path, sourceOf(backup))
	require.NoError(t, err)
	require.Equal(t, schemaVersion, mustVersion(t, path))
	require.Equal(t, schemaOf(t, harness.OpenSQLite(t, mustCreate(t))), schemaOf(t, harness.OpenSQLite(t, path)))
}

// unfit are files that are no backups.
var unfit = map[string]struct {
	why   error
	spoil func(t *testing.T, path string)
}{
	"empty":     {ErrForeign, func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) }},
	"garbage":   {ErrForeign, func(t *testing.T, path string) { mustZero(t, path, 0, 1<<20) }},
	"another's": {ErrForeign, func(t *testing.T, path string) { harness.Mess(t, path, "PRAGMA application_id = 7") }},
	"newer":     {ErrNewer, func(t *testing.T, path string) { harness.Mess(t, path, "PRAGMA user_version = 99") }},
	"cut off":   {ErrDamaged, func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 9000)) }},
	"damaged":   {ErrDamaged, func(t *testing.T, path string) { mustZero(t, path, 8192, 20000) }},
	"with orphans": {ErrDamaged, func(t *testing.T, path string) {
		harness.Mess(t, path, "PRAGMA foreign_keys = 0", "INSERT INTO profiles VALUES ('p', 'p', 'nobody')")
	}},
	"with triggers": {ErrDamaged, func(t *testing.T, path string) {
		harness.Mess(t, path, "CREATE TRIGGER t AFTER INSERT ON tenants BEGIN DELETE FROM profiles; END")
	}},
	"with a column that is computed": {ErrDamaged, func(t *testing.T, path string) {
		harness.Mess(t, path, "ALTER TABLE tenants ADD COLUMN shown TEXT AS (CASE WHEN version > 1 THEN 'other' ELSE name END)")
	}},
	"with a view":     {ErrDamaged, func(t *testing.T, path string) { harness.Mess(t, path, "CREATE VIEW v AS SELECT 1") }},
	"without a table": {ErrDamaged, func(t *testing.T, path string) { harness.Mess(t, path, "DROP TABLE files") }},
	"older, but not really": {ErrDamaged, func(t *testing.T, path string) {
		mustAge(t, path)
		harness.Mess(t, path, "CREATE TABLE tenants (x)")
	}},
}

func TestWhatIsNoBackupIsRefusedAndNothingChanges(t *testing.T) {
	t.Parallel()
	for what, c := range unfit {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			path, backup := mustBackUp(t, 1), mustCreate(t)
			c.spoil(t, backup)
			mustBeFree(t, filepath.Dir(path))
			before := fingerprint(t, path)
			_, err := restore(t.Context(), path, sourceOf(backup))
			require.ErrorIs(t, err, c.why)
			var unfit *BackupError
			require.ErrorAs(t, err, &unfit)
			require.Equal(t, backup, unfit.Name)
			require.Equal(t, unsigned(before), unsigned(fingerprint(t, path)))
			require.Equal(t, 1, mustRevision(t, path))
		})
	}
}

func TestWhatIsNotARegistryIsNotReplaced(t *testing.T) {
	t.Parallel()
	backup := mustBackUp(t, 5)
	for what, spoil := range map[string]func(t *testing.T, path string){
		"another's": func(t *testing.T, path string) { harness.Mess(t, path, "PRAGMA application_id = 7") },
		"no one's":  func(t *testing.T, path string) { harness.Mess(t, path, "PRAGMA application_id = 0") },
		"newer":     func(t *testing.T, path string) { harness.Mess(t, path, "PRAGMA user_version = 99") },
		"unsafe":    func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o644)) },
		"a directory": func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Mkdir(path, 0o700))
		},
		"a journal alone": func(t *testing.T, path string) {
			mustSpill(t, path)
			require.NoError(t, os.Remove(path))
		},
	} {
		path := mustCreate(t)
		mustBeFree(t, filepath.Dir(path))
		spoil(t, path)
		before := fingerprint(t, path)
		_, err := restore(t.Context(), path, sourceOf(backup))
		require.Error(t, err, what)
		require.Equal(t, unsigned(before), unsigned(fingerprint(t, path)), what)
	}
}

func TestARestoreThatFailsLeavesWhatWasThere(t *testing.T) {
	t.Parallel()
	trouble := errors.New("trouble")
	path, backup := mustBackUp(t, 1), mustBackUp(t, 5)
	_, err := restore(t.Context(), path, Source{Copy: func(side string, to io.Writer) (bool, error) {
		_, _ = to.Write([]byte("half"))
		return true, trouble
	}})
	require.ErrorIs(t, err, trouble)
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum"}, names(t, filepath.Dir(path)))

	ctx, cancel := context.WithCancel(t.Context())
	r, err := Restore(ctx, path, patient, sourceOf(backup))
	require.NoError(t, err)
	cancel()
	swapped, err := r.Commit()
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, swapped)
	require.NoError(t, r.Close())
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum"}, names(t, filepath.Dir(path)))
	require.Equal(t, 1, mustRevision(t, path))
	mustBeFree(t, filepath.Dir(path))
}

func TestARestoreHoldsTheLockAndOtherWriters(t *testing.T) {
	t.Parallel()
	path, backup := mustBackUp(t, 1), mustBackUp(t, 5)
	lock := mustLock(t, filepath.Dir(path), unix.LOCK_EX, "pid 7")
	_, err := Restore(t.Context(), path, hasty, sourceOf(backup))
	require.ErrorIs(t, err, ErrBusy)
	lock.Unlock()

	foreign := harness.OpenSQLite(t, path)
	mustExec(t, foreign, "BEGIN IMMEDIATE", "UPDATE registry_meta SET revision = 2")
	_, err = Restore(t.Context(), path, Options{Now: clock, Wait: 50 * time.Millisecond}, sourceOf(backup))
	require.ErrorIs(t, Explain(err), ErrBusy, "a program that takes no lock")
	mustExec(t, foreign, "COMMIT")

	r, err := Restore(t.Context(), path, patient, sourceOf(backup))
	require.NoError(t, err)
	_, err = mustOpen(t, path, hasty).Write(t.Context())
	require.ErrorIs(t, Explain(err), ErrBusy)
	_, err = foreign.Exec("UPDATE registry_meta SET revision = 3")
	require.ErrorIs(t, Explain(err), ErrBusy)
	read, err := mustOpen(t, path, hasty).Read(t.Context())
	require.NoError(t, err, "readers are in nobody's way")
	swapped, err := r.Commit()
	require.NoError(t, err)
	require.True(t, swapped)
	read.Close()
	require.NoError(t, r.Close())
	require.Equal(t, 5, mustRevision(t, path))
}

// Whoever had the old registry open reads the new one from the next reading on: to
// SQLite, the journal of the new one would be the old one's.
func TestWhoHadTheRegistryOpenFollowsARestore(t *testing.T) {
	t.Parallel()
	path, backup := mustBackUp(t, 1), mustBackUp(t, 5)
	d := mustOpen(t, path, patient)
	revision := func() (revision int) {
		read, err := d.Read(t.Context())
		require.NoError(t, err)
		defer read.Close()
		require.NoError(t, read.QueryRowContext(t.Context(), "SELECT revision FROM registry_meta").Scan(&revision))
		return revision
	}
	require.Equal(t, 1, revision())
	old, err := d.Read(t.Context())
	require.NoError(t, err)
	_, err = restore(t.Context(), path, sourceOf(backup))
	require.NoError(t, err)
	var seen int
	require.NoError(t, old.QueryRowContext(t.Context(), "SELECT revision FROM registry_meta").Scan(&seen))
	require.Equal(t, 1, seen, "one instant")
	old.Close()

	mustSpill(t, path) // a journal of the new one
	require.Equal(t, 5, revision())
	require.NoError(t, addOne(t.Context(), d))
	require.Equal(t, 6, revision())
}

func TestAnExpiredCopyCanStillBeRestored(t *testing.T) {
	t.Parallel()
	path := mustBackUp(t, 1)
	copied := mustCopyAt(t, path, BeforeMigration, today.Add(-2*CopyLife))
	harness.Mess(t, path, "UPDATE registry_meta SET revision = 9")
	_, err := restore(t.Context(), path, sourceOf(copied))
	require.NoError(t, err)
	require.Equal(t, 1, mustRevision(t, path))
	require.NoFileExists(t, copied)
}
