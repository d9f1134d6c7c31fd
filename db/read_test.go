package db

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

func init() {
	// spill PATH: begins a change so large that pages of it reach the file before
	// the commit, which never comes.
	roles["spill"] = func(args []string) error {
		conn, err := sql.Open("sqlite", writeDSN(args[0], patient.Wait, true))
		if err != nil {
			return err
		}
		conn.SetMaxOpenConns(1)
		if _, err := conn.Exec("PRAGMA cache_size = 2"); err != nil {
			return err
		}
		tx, err := conn.BeginTx(context.Background(), nil)
		if err != nil {
			return err
		}
		if _, err := tx.Exec("UPDATE registry_meta SET revision = 666"); err != nil {
			return err
		}
		_, err = tx.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
			INSERT INTO files (path, previous, current, tenants_revision) SELECT 'path' || i, hex(zeroblob(200)), 'x', 0 FROM n`)
		if err != nil {
			return err
		}
		return ready()
	}
}

// mustSpill leaves the file at path as a killed writer does: half written, with
// the journal that undoes it.
func mustSpill(t *testing.T, path string) {
	t.Helper()
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	writer := mustStart(t, "spill", path)
	writer.mustBeReady(t)
	writer.mustKill(t)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotEqual(t, before, after, "nothing was spilled")
	require.FileExists(t, path+"-journal")
}

func TestAReadTakesNoLock(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	lock := mustLock(t, filepath.Dir(path), unix.LOCK_EX, "pid 7")
	defer lock.Unlock()
	read, err := mustOpen(t, path, hasty).Read(t.Context())
	require.NoError(t, err)
	read.Close()
}

func TestAReadSeesThroughAWriterThatHasNotCommitted(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	w, err := mustOpen(t, path, patient).Write(t.Context())
	require.NoError(t, err)
	_, err = w.ExecContext(t.Context(), "UPDATE registry_meta SET revision = 5")
	require.NoError(t, err)
	d := mustOpen(t, path, hasty)
	read, err := d.Read(t.Context())
	require.NoError(t, err)
	read.Close()
	require.NoError(t, w.Commit())
	require.NoError(t, w.Close())
	require.Equal(t, 5, mustRevision(t, path))
}

func TestAReadQueuesBehindAWriterThatIsInItsWay(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	lock := mustLock(t, filepath.Dir(path), unix.LOCK_EX, "pid 7")
	writer := harness.OpenSQLite(t, path)
	mustExec(t, writer, "BEGIN EXCLUSIVE", "UPDATE registry_meta SET revision = 5")
	_, err := mustOpen(t, path, hasty).Read(t.Context())
	require.EqualError(t, err, "busy: held by pid 7")

	d := mustOpen(t, path, patient)
	results := make(chan error, 1)
	var revision int
	go func() {
		read, err := d.Read(t.Context())
		if err == nil {
			err = read.QueryRowContext(t.Context(), "SELECT revision FROM registry_meta").Scan(&revision)
			read.Close()
		}
		results <- err
	}()
	mustSeeWaiter(t, filepath.Dir(path))
	mustExec(t, writer, "COMMIT")
	lock.Unlock()
	require.NoError(t, <-results)
	require.Equal(t, 5, revision)
	mustBeFree(t, filepath.Dir(path))
}

func TestAQueuedReadHoldsTheLockAsASharer(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	lock := mustLock(t, filepath.Dir(path), unix.LOCK_EX, "pid 7")
	writer := harness.OpenSQLite(t, path)
	mustExec(t, writer, "BEGIN EXCLUSIVE")
	d := mustOpen(t, path, patient)
	reads := make(chan *Read, 1)
	go func() {
		read, _ := d.Read(t.Context())
		reads <- read
	}()
	mustSeeWaiter(t, filepath.Dir(path))
	mustExec(t, writer, "ROLLBACK")
	lock.Unlock()
	read := <-reads
	require.NotNil(t, read)
	require.ErrorIs(t, tryLock(t, filepath.Dir(path), unix.LOCK_EX, 0), ErrBusy)
	require.NoError(t, tryLock(t, filepath.Dir(path), unix.LOCK_SH, 0))
	read.Close()
	mustBeFree(t, filepath.Dir(path))
}

func TestAReadGivesUpOnAProgramThatKnowsNoLock(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	foreign := harness.OpenSQLite(t, path)
	mustExec(t, foreign, "BEGIN EXCLUSIVE")
	const wait = 100 * time.Millisecond
	start := time.Now()
	_, err := mustOpen(t, path, Options{Now: clock, Wait: wait}).Read(t.Context())
	require.ErrorIs(t, Explain(err), ErrBusy)
	require.GreaterOrEqual(t, time.Since(start), wait)
	require.Less(t, time.Since(start), wait+5*time.Second)
	mustBeFree(t, filepath.Dir(path))
	mustExec(t, foreign, "ROLLBACK")
	require.Equal(t, 0, mustRevision(t, path))
}

func TestAReadWaitsForAProgramThatKnowsNoLock(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	foreign := harness.OpenSQLite(t, path)
	mustExec(t, foreign, "BEGIN EXCLUSIVE")
	d := mustOpen(t, path, patient)
	result := make(chan error, 1)
	go func() {
		read, err := d.Read(t.Context())
		if err == nil {
			read.Close()
		}
		result <- err
	}()
	require.Eventually(t, func() bool { // it has queued when the lock is taken
		return tryLock(t, filepath.Dir(path), unix.LOCK_EX, 0) != nil
	}, 20*time.Second, time.Millisecond)
	mustExec(t, foreign, "ROLLBACK")
	require.NoError(t, <-result)
}

// The file turned older while a reader queued: a backup was put back.
func TestAQueuedReadMigratesToo(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	lines, err := readPlace(path)
	require.NoError(t, err)
	older := lines[0]
	older.id = ""
	require.NoError(t, writePlace(path, lines[0], older))
	lock := mustLock(t, filepath.Dir(path), unix.LOCK_EX, "pid 7")
	foreign := harness.OpenSQLite(t, path)
	mustExec(t, foreign, append([]string{"BEGIN EXCLUSIVE", "PRAGMA user_version = 0"}, mustDrops(t, foreign)...)...)
	d := mustOpen(t, path, patient)
	result := make(chan error, 1)
	go func() {
		read, err := d.Read(t.Context())
		if err == nil {
			read.Close()
		}
		result <- err
	}()
	mustSeeWaiter(t, filepath.Dir(path))
	mustExec(t, foreign, "COMMIT")
	lock.Unlock()
	require.NoError(t, <-result)
	require.Equal(t, schemaVersion, mustVersion(t, path))
}

func TestReadsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustExec(t, harness.OpenSQLite(t, path), "BEGIN EXCLUSIVE")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := mustOpen(t, path, patient).Read(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestReadsChangeNothing(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	before := fingerprint(t, path)
	d := mustOpen(t, path, hasty)
	for range 3 {
		read, err := d.Read(t.Context())
		require.NoError(t, err)
		_, err = read.ExecContext(t.Context(), "UPDATE registry_meta SET revision = 9")
		require.ErrorIs(t, Explain(err), ErrReadOnly)
		read.Close()
	}
	require.Equal(t, before, fingerprint(t, path))
}

func TestAReadRollsBackWhatAKilledWriterLeft(t *testing.T) {
	t.Parallel()
	for how, wait := range map[string]Options{"patient": patient, "hasty": hasty} {
		path := mustCreate(t)
		require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		mustSpill(t, path)
		read, err := mustOpen(t, path, wait).Read(t.Context())
		require.NoError(t, err, how)
		read.Close()
		mended, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, whole, mended)
		require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db.sum"}, names(t, filepath.Dir(path)))
		require.Equal(t, 1, mustRevision(t, path))
	}
}

func TestManyReadsAtOnceRollBackWhatAKilledWriterLeft(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustSpill(t, path)
	results := make(chan error, 8)
	for range cap(results) {
		d := mustOpen(t, path, patient)
		go func() {
			read, err := d.Read(t.Context())
			if err == nil {
				read.Close()
			}
			results <- err
		}()
	}
	for range cap(results) {
		require.NoError(t, <-results)
	}
	require.Equal(t, 0, mustRevision(t, path))
}

func TestAReadIsOfOneInstant(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	read, err := mustOpen(t, path, patient).Read(t.Context())
	require.NoError(t, err)
	err = addOne(t.Context(), mustOpen(t, path, Options{Now: clock, Wait: 50 * time.Millisecond}))
	require.ErrorIs(t, Explain(err), ErrBusy, "a commit waits for those who read")
	var revision int
	require.NoError(t, read.QueryRowContext(t.Context(), "SELECT revision FROM registry_meta").Scan(&revision))
	require.Equal(t, 0, revision)
	read.Close()
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.Equal(t, 1, mustRevision(t, path))
}

// Who has read may be long in printing it: until then, and with no connection to wait for
// the next read, others turn back what another program set.
func TestAFileInWALModeIsLetGoOfOnceItIsRead(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	other := harness.OpenSQLite(t, path)
	_, err := other.Exec("PRAGMA journal_mode = WAL")
	require.NoError(t, err)
	require.NoError(t, other.Close())
	d := mustOpen(t, path, patient)
	for range 2 {
		read, err := d.Read(t.Context())
		require.NoError(t, err)
		read.Close()
		require.NoFileExists(t, path+"-wal")
	}
	w, err := mustOpen(t, path, hasty).Write(t.Context())
	require.NoError(t, err)
	require.NoError(t, w.Close())
}
