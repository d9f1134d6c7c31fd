package db

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

func init() {
	// add PATH N: adds one, N times, each in a change of its own.
	roles["add"] = func(args []string) error {
		d, err := Open(context.Background(), args[0], patient)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		for range n {
			if err := addOne(context.Background(), d); err != nil {
				return Explain(err)
			}
		}
		return d.Close()
	}
}

func TestWritersQueueAndLoseNothing(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	const processes, each = 4, 25
	var all []*process
	for range processes {
		all = append(all, mustStart(t, "add", path, strconv.Itoa(each)))
	}
	for _, p := range all {
		p.mustEnd(t)
	}
	require.Equal(t, processes*each, mustRevision(t, path))
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum"}, names(t, filepath.Dir(path)))
}

// Since is what files are compared with: never later than what is written from then on.
func TestWhatFollowsAWriteIsDatedSinceOrLater(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	for range 20 {
		before := filepath.Join(filepath.Dir(path), "before")
		require.NoError(t, os.WriteFile(before, nil, 0o600))
		w, err := mustOpen(t, path, patient).Write(t.Context())
		require.NoError(t, err)
		after := filepath.Join(filepath.Dir(path), "after")
		require.NoError(t, os.WriteFile(after, nil, 0o600))
		require.NoError(t, w.Close())
		require.False(t, w.Since.Before(mustModTime(t, before)))
		require.False(t, w.Since.After(mustModTime(t, after)))
	}
}

func mustModTime(t *testing.T, path string) time.Time {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info.ModTime()
}

func TestAWriteHoldsTheLockUntilClose(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	w, err := mustOpen(t, path, patient).Write(t.Context())
	require.NoError(t, err)
	_, err = mustOpen(t, path, hasty).Write(t.Context())
	require.EqualError(t, err, "busy: held by pid 1 (the test)")
	require.NoError(t, w.Commit())
	_, err = mustOpen(t, path, hasty).Write(t.Context())
	require.ErrorIs(t, err, ErrBusy, "files that follow the registry are still to be put in place")
	require.NoError(t, w.Close())
	mustBeFree(t, filepath.Dir(path))
}

func TestAWriteIsImmediate(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	w, err := mustOpen(t, path, patient).Write(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	foreign := harness.OpenSQLite(t, path)
	mustExec(t, foreign, "SELECT COUNT(*) FROM tenants")
	_, err = foreign.Exec("BEGIN IMMEDIATE")
	require.ErrorIs(t, Explain(err), ErrBusy)
}

// TestTwoWritersAtOnceAreNeverRefused looks below the lock, which keeps writers apart: a
// transaction that begins by reading and writes later (a deferred one) can't be made to
// wait for another one, and fails at once, whatever the time-out.
func TestTwoWritersAtOnceAreNeverRefused(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	const each = 25
	ended := make(chan error, 2)
	for _, dsn := range []string{writeDSN(path, patient.Wait, true), bulkDSN(path, patient.Wait)} {
		go func() {
			for range each {
				if err := readThenWrite(t.Context(), path, dsn); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	require.NoError(t, <-ended)
	require.NoError(t, <-ended)
	require.Equal(t, 2*each, mustRevision(t, path), "an update was lost")
}

func readThenWrite(ctx context.Context, path, dsn string) (err error) {
	w := &Write{ctx: ctx, path: path}
	if w.file, err = os.Lstat(path); err != nil {
		return err
	}
	if err := w.begin(dsn); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.end()) }()
	var revision int
	if err := w.QueryRowContext(ctx, "SELECT revision FROM registry_meta").Scan(&revision); err != nil {
		return err
	}
	runtime.Gosched() // the other one's turn
	if _, err := w.ExecContext(ctx, "UPDATE registry_meta SET revision = ?", revision+1); err != nil {
		return err
	}
	return w.Commit()
}

func TestCloseWithoutCommitTakesBack(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	w, err := mustOpen(t, path, patient).Write(t.Context())
	require.NoError(t, err)
	_, err = w.ExecContext(t.Context(), "UPDATE registry_meta SET revision = 9")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Equal(t, 0, mustRevision(t, path))
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal"}, names(t, filepath.Dir(path)))

	ctx, cancel := context.WithCancel(t.Context())
	w, err = mustOpen(t, path, patient).Write(ctx)
	require.NoError(t, err)
	_, err = w.ExecContext(t.Context(), "UPDATE registry_meta SET revision = 9")
	require.NoError(t, err)
	cancel()
	require.Error(t, w.Commit())
	require.NoError(t, w.Close())
	require.Equal(t, 0, mustRevision(t, path))
	mustBeFree(t, filepath.Dir(path))
}

// One deadline bounds the whole waiting: for SQLite while checking, then for the lock.
func TestAWriteWaitsNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	foreign := harness.OpenSQLite(t, path)
	mustExec(t, foreign, "BEGIN EXCLUSIVE")
	shared := mustLock(t, filepath.Dir(path), unix.LOCK_SH, "")
	defer shared.Unlock()
	const wait = 2 * time.Second
	d := mustOpen(t, path, Options{Now: clock, Wait: wait})
	time.AfterFunc(wait*3/4, func() { _, _ = foreign.Exec("ROLLBACK") })
	start := time.Now()
	_, err := d.Write(t.Context())
	require.ErrorIs(t, Explain(err), ErrBusy)
	require.Less(t, time.Since(start), wait*3/2)
}

func TestAWriteTurnsTheFileBackToTheRollbackJournal(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	harness.Mess(t, path, "PRAGMA journal_mode = WAL")
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum"}, names(t, filepath.Dir(path)))
	var mode string
	require.NoError(t, harness.OpenSQLite(t, path).QueryRow("PRAGMA journal_mode").Scan(&mode))
	require.Equal(t, "delete", mode)
	require.Equal(t, 1, mustRevision(t, path))
}

// querier is a transaction of either kind.
type querier interface {
	pragma(t *testing.T, name string) string
}

func (r *Read) pragma(t *testing.T, name string) string {
	value := "0" // no row: this SQLite was built without it, as without mmap
	if err := r.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); !errors.Is(err, sql.ErrNoRows) {
		require.NoError(t, err, name)
	}
	return value
}

func (w *Write) pragma(t *testing.T, name string) string {
	return (&Read{Conn: w.Conn}).pragma(t, name)
}

func TestPragmasAreInEffect(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	every := map[string]string{"temp_store": "2", "trusted_schema": "0", "cell_size_check": "1", "mmap_size": "0"}
	requireAll := func(q querier, more map[string]string) {
		for _, pragmas := range []map[string]string{every, more} {
			for name, want := range pragmas {
				require.Equal(t, want, q.pragma(t, name), name)
			}
		}
	}
	read, err := mustOpen(t, path, patient).Read(t.Context())
	require.NoError(t, err)
	requireAll(read, map[string]string{"query_only": "1", "busy_timeout": "0"})
	_, err = read.ExecContext(t.Context(), `SELECT "no such column" FROM tenants`)
	require.ErrorContains(t, err, "no such column")
	read.Close()

	w, err := mustOpen(t, path, patient).Write(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	requireAll(w, map[string]string{
		"query_only": "0", "foreign_keys": "1", "journal_mode": "truncate", "synchronous": "3", "secure_delete": "1",
	})
	require.NotEqual(t, "0", w.pragma(t, "busy_timeout"))
	_, err = w.ExecContext(t.Context(), `SELECT "no such column" FROM tenants`)
	require.ErrorContains(t, err, "no such column")
	_, err = w.ExecContext(t.Context(), "PRAGMA writable_schema = 1")
	require.NoError(t, err)
	_, err = w.ExecContext(t.Context(), "DELETE FROM sqlite_schema")
	require.Error(t, err, "a defensive connection lets nobody at the schema")
}

func TestADeletedSecretIsGoneFromTheFile(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	change := func(statement string) {
		w, err := mustOpen(t, path, patient).Write(t.Context())
		require.NoError(t, err)
		_, err = w.ExecContext(t.Context(), statement)
		require.NoError(t, err)
		require.NoError(t, w.Commit())
		require.NoError(t, w.Close())
	}
	change(`INSERT INTO tenants (id, name, tenant_type, external_db_access, sync_token, unknown_members, seen, version)
		VALUES ('a', 'a', 'local', 0, 'canary-4711', '', 0, 1)`)
	require.True(t, holds(t, path, "canary-4711"))
	change("DELETE FROM tenants")
	require.False(t, holds(t, path, "canary-4711"))
}

func TestAChangeThatIsCalledOffIsNotCommitted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	w, err := mustOpen(t, mustCreate(t), patient).Write(ctx)
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, w.Commit(), context.Canceled)
	require.NoError(t, w.Close())
}

// TestOnlyCommitCommits: SQLite takes the whole transaction back where it can't write.
// Who does not mind that and goes on changes nothing.
func TestOnlyCommitCommits(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	w, err := mustOpen(t, path, patient).Write(t.Context())
	require.NoError(t, err)
	mustExecTx(t, w, "UPDATE registry_meta SET revision = 9")
	mustExecTx(t, w, "PRAGMA max_page_count = 1")
	_, err = w.ExecContext(t.Context(), "INSERT INTO files (path, previous, current, tenants_revision) VALUES ('/a', hex(zeroblob(20000)), 'x', 0)")
	require.ErrorIs(t, Explain(err), ErrFull)
	_, err = w.ExecContext(t.Context(), "UPDATE registry_meta SET revision = 8")
	require.ErrorIs(t, Explain(err), ErrIO)
	require.Error(t, w.Commit())
	require.NoError(t, w.Close())
	require.Equal(t, 0, mustRevision(t, path))
}
