package db

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

func mustExamine(t *testing.T, path string) *Examination {
	t.Helper()
	e, err := Examine(t.Context(), path, hasty)
	require.NoError(t, err)
	t.Cleanup(e.Close)
	return e
}

func TestExamineChangesNothing(t *testing.T) {
	t.Parallel()
	for what, mess := range map[string][]string{
		"ours":  nil,
		"older": {"PRAGMA user_version = 0"},
		"newer": {"PRAGMA user_version = 77"},
	} {
		path := mustCreate(t)
		harness.Mess(t, path, mess...)
		before := fingerprint(t, path)
		e, err := Examine(t.Context(), path, hasty)
		require.NoError(t, err, what)
		_, err = e.Damages(t.Context(), 5)
		require.NoError(t, err, what)
		_, err = e.Orphans(t.Context())
		require.NoError(t, err, what)
		_, err = e.Strays(t.Context())
		require.NoError(t, err, what)
		e.Close()
		require.Equal(t, before, fingerprint(t, path), what)
	}
}

func TestExamineTellsWhoseFileItIs(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	e := mustExamine(t, path)
	require.EqualValues(t, schemaVersion, e.Schema)
	require.EqualValues(t, schemaVersion, e.Newest)
	require.False(t, e.Logs)

	path = mustCreate(t)
	harness.Mess(t, path, "PRAGMA user_version = 77", "PRAGMA journal_mode = WAL")
	e = mustExamine(t, path)
	require.EqualValues(t, 77, e.Schema)
	require.True(t, e.Logs)

	path = mustCreate(t)
	harness.Mess(t, path, "PRAGMA application_id = 1")
	_, err := Examine(t.Context(), path, hasty)
	require.ErrorIs(t, err, ErrForeign)
}

func TestExamineRefusesWhatIsNoFileToOpen(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	require.NoError(t, os.Chmod(path, 0o644))
	_, err := Examine(t.Context(), path, hasty)
	require.ErrorIs(t, err, ErrUnsafe)
	_, err = Examine(t.Context(), filepath.Join(t.TempDir(), "none"), hasty)
	require.ErrorIs(t, err, ErrMissing)
	require.NoError(t, os.WriteFile(path, []byte("this is no database, and long enough to see that: 0123456789"), 0o600))
	require.NoError(t, os.Chmod(path, 0o600))
	_, err = Examine(t.Context(), path, hasty)
	require.ErrorIs(t, Explain(err), ErrForeign)
}

// TestExamineQueuesBehindAWriter that is in the way, as a read does, and is bounded.
func TestExamineQueuesBehindAWriter(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	lock := mustLock(t, filepath.Dir(path), unix.LOCK_EX, "pid 3 (the writer)")
	conn := harness.OpenSQLite(t, path)
	mustExec(t, conn, "BEGIN EXCLUSIVE")
	_, err := Examine(t.Context(), path, hasty)
	var busy *BusyError
	require.ErrorAs(t, err, &busy)
	require.Equal(t, "pid 3 (the writer)", busy.Holder)

	done := make(chan error, 1)
	go func() {
		e, err := Examine(context.Background(), path, patient)
		if err == nil {
			e.Close()
		}
		done <- err
	}()
	mustSeeWaiter(t, filepath.Dir(path))
	mustExec(t, conn, "COMMIT")
	lock.Unlock()
	require.NoError(t, <-done)
	mustBeFree(t, filepath.Dir(path))

	// A program that does not take the lock is in the way: bounded, too.
	mustExec(t, conn, "BEGIN EXCLUSIVE")
	_, err = Examine(t.Context(), path, Options{Now: clock, Wait: 20 * time.Millisecond})
	require.ErrorIs(t, Explain(err), ErrBusy)
	mustExec(t, conn, "ROLLBACK")
	mustBeFree(t, filepath.Dir(path))
}

func TestDamagesAreSQLitesOwnWords(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	found, err := mustExamine(t, path).Damages(t.Context(), 5)
	require.NoError(t, err)
	require.Empty(t, found)

	path = mustCreate(t)
	harness.Mess(t, path, "PRAGMA ignore_check_constraints = 1", "INSERT INTO tenants VALUES (1, '', '', NULL, NULL, NULL, 's3cret', NULL, 'local', 7, 's3cret', NULL, '', 1, 1)")
	found, err = mustExamine(t, path).Damages(t.Context(), 5)
	require.NoError(t, err)
	require.Equal(t, []string{"CHECK constraint failed in tenants"}, found)
}

func TestOrphansAreCountedByWhatTheyReferTo(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	harness.Mess(t, path, "PRAGMA foreign_keys = 0", "INSERT INTO profiles VALUES ('p', 'p', 'gone')", "INSERT INTO profiles VALUES ('q', 'q', 'gone')",
		"INSERT INTO selection (id, tenant_id) VALUES (1, 'gone')")
	found, err := mustExamine(t, path).Orphans(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Orphans{{Table: "profiles", Parent: "tenants", Rows: 2}, {Table: "selection", Parent: "tenants", Rows: 1}}, found)
}

func TestStraysAreWhatTheMigrationsDidNotMake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mess string
		want []Stray
	}{
		{"ANALYZE", nil},
		{"PRAGMA user_version = 1", nil},
		{"CREATE VIEW v AS SELECT 1", []Stray{{What: "view v was added"}}},
		{"CREATE TRIGGER t AFTER INSERT ON tenants BEGIN SELECT 1; END", []Stray{{What: "trigger t was added"}}},
		{"DROP INDEX tenants_name", []Stray{{What: "index tenants_name is missing"}}},
		{"ALTER TABLE files ADD COLUMN more TEXT", []Stray{{What: "table files is altered", Altered: true}}},
		{"DROP TABLE sessions", []Stray{{What: "index sessions_profile is missing"}, {What: "table sessions is missing"}}},
	} {
		path := mustCreate(t)
		harness.Mess(t, path, c.mess)
		found, err := mustExamine(t, path).Strays(t.Context())
		require.NoError(t, err, c.mess)
		require.Equal(t, c.want, found, c.mess)
	}
}

func TestTightenWorksOnTheFileThatWasChecked(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	for _, mode := range []os.FileMode{0o644, 0o660, 0o604, 0o777} {
		require.NoError(t, os.Chmod(path, mode))
		found, ok := Exposure(path)
		require.True(t, ok)
		require.Equal(t, mode, found)
		require.ErrorIs(t, CheckFile(t.Context(), path, hasty), ErrUnsafe)
		require.NoError(t, Tighten(path))
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode&0o700, info.Mode().Perm())
		_, ok = Exposure(path)
		require.False(t, ok)
	}
	require.NoError(t, os.Chmod(path, 0o600))
	require.NoError(t, CheckFile(t.Context(), path, hasty))
}

// TestTightenTouchesNothingElse: not what a link leads to, not what has another name,
// and nothing blocks.
func TestTightenTouchesNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, path := filepath.Join(dir, "target"), filepath.Join(dir, "sp.db")
	require.NoError(t, os.WriteFile(target, []byte("x"), 0o600))
	require.NoError(t, os.Chmod(target, 0o644))
	for what, put := range map[string]func() error{
		"link":      func() error { return os.Symlink(target, path) },
		"hard link": func() error { return os.Link(target, path) },
		"directory": func() error { return os.Mkdir(path, 0o755) },
		"fifo":      func() error { return unix.Mkfifo(path, 0o644) },
		"nothing":   func() error { return nil },
	} {
		require.NoError(t, put(), what)
		_, ok := Exposure(path)
		require.False(t, ok, what)
		require.Error(t, Tighten(path), what)
		info, err := os.Stat(target)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o644), info.Mode().Perm(), what)
		require.NoError(t, os.RemoveAll(path))
	}
}

func TestHolderTellsWhoChangesTheRegistryNow(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sp.db")
	is := func(held bool, who string) {
		t.Helper()
		found, holder, err := Holder(path)
		require.NoError(t, err)
		require.Equal(t, held, found)
		require.Equal(t, who, holder)
	}
	is(false, "")
	require.NoFileExists(t, filepath.Join(filepath.Dir(path), lockName), "asking makes nothing")
	lock := mustLock(t, filepath.Dir(path), unix.LOCK_EX, "pid 3 (sp import)")
	is(true, "pid 3 (sp import)")
	lock.Unlock()
	is(false, "")
	sharer := mustLock(t, filepath.Dir(path), unix.LOCK_SH, "")
	is(false, "")
	sharer.Unlock()
	mustBeFree(t, filepath.Dir(path))
}

func TestHolderRefusesALockThatIsNoFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sp.db")
	lock := filepath.Join(filepath.Dir(path), lockName)
	require.NoError(t, unix.Mkfifo(lock, 0o600))
	_, _, err := Holder(path)
	require.ErrorIs(t, err, ErrUnsafe)
	require.NoError(t, os.Remove(lock))
	require.NoError(t, os.Symlink(path, lock))
	_, _, err = Holder(path)
	require.ErrorIs(t, err, ErrUnsafe)
	require.True(t, errors.Is(func() error { _, err := os.Stat(path); return err }(), os.ErrNotExist))
}
