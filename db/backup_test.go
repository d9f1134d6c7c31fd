package db

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

// mustEmpty makes the file that a backup goes to.
func mustEmpty(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, makeFile(path))
	return path
}

// backups are the two ways to back up a registry, each into a file.
var backups = map[string]func(ctx context.Context, d *DB, to string) error{
	"Backup": func(ctx context.Context, d *DB, to string) error { return d.Backup(ctx, to) },
	"Stream": func(ctx context.Context, d *DB, to string) error {
		var content bytes.Buffer
		if err := d.Stream(ctx, &content); err != nil {
			return err
		}
		return os.WriteFile(to, content.Bytes(), 0o600)
	},
}

func TestABackupIsAWholeAndPrivateRegistry(t *testing.T) {
	t.Parallel()
	for how, backup := range backups {
		path := mustCreate(t)
		require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
		before := fingerprint(t, path)
		to := mustEmpty(t)
		require.NoError(t, backup(t.Context(), mustOpen(t, path, patient), to), how)
		require.Equal(t, before, fingerprint(t, path), how)
		require.Equal(t, 1, mustRevision(t, to), how)
		require.Equal(t, schemaVersion, mustVersion(t, to), how)
		info, err := os.Stat(to)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode(), how)
		require.Equal(t, []string{"backup"}, names(t, filepath.Dir(to)), how)
	}
}

func TestABackupTakesNoLockButWaitsForAWriterInTheWay(t *testing.T) {
	t.Parallel()
	for how, backup := range backups {
		path := mustCreate(t)
		lock := mustLock(t, filepath.Dir(path), unix.LOCK_EX, "pid 7")
		require.NoError(t, backup(t.Context(), mustOpen(t, path, hasty), mustEmpty(t)), how)

		foreign := harness.OpenSQLite(t, path)
		mustExec(t, foreign, "BEGIN EXCLUSIVE", "UPDATE registry_meta SET revision = 5")
		require.ErrorIs(t, Explain(backup(t.Context(), mustOpen(t, path, hasty), mustEmpty(t))), ErrBusy, how)
		result, to := make(chan error, 1), mustEmpty(t)
		d := mustOpen(t, path, patient)
		go func() { result <- backup(context.Background(), d, to) }()
		mustSeeWaiter(t, filepath.Dir(path))
		mustExec(t, foreign, "COMMIT")
		lock.Unlock()
		require.NoError(t, <-result, how)
		require.Equal(t, 5, mustRevision(t, to), how)
	}
}

func TestABackupHoldsWhatIsStillInTheLog(t *testing.T) {
	t.Parallel()
	for how, backup := range backups {
		path := mustCreate(t)
		foreign := harness.OpenSQLite(t, path)
		mustExec(t, foreign, "PRAGMA journal_mode = WAL", "UPDATE registry_meta SET revision = 7")
		_, err := Open(t.Context(), path, hasty)
		require.ErrorIs(t, err, ErrUntrusted, "while another program works with the log, whosever it is")
		require.NoError(t, foreign.Close())
		to := mustEmpty(t)
		require.NoError(t, backup(t.Context(), mustOpen(t, path, patient), to), how)
		require.Equal(t, 7, mustRevision(t, to), how)
	}
}

func TestWhatCouldNotBeRestoredIsNotBackedUp(t *testing.T) {
	t.Parallel()
	for how, backup := range backups {
		path := mustCreate(t)
		harness.Mess(t, path, "PRAGMA foreign_keys = 0", "INSERT INTO profiles VALUES ('p', 'p', 'nobody')")
		require.ErrorIs(t, backup(t.Context(), mustOpen(t, path, patient), mustEmpty(t)), ErrDamaged, how)

		path = mustCreate(t)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		clear(content[4096*2:])
		require.NoError(t, os.WriteFile(path, content, 0o600))
		require.ErrorIs(t, Explain(backup(t.Context(), mustOpen(t, path, patient), mustEmpty(t))), ErrDamaged, how)
	}
}

func TestABackupEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	told := errors.New("told to end")
	cancel(told)
	for how, backup := range backups {
		require.ErrorIs(t, backup(ctx, mustOpen(t, mustCreate(t), patient), mustEmpty(t)), context.Canceled, how)
	}
	_, err := io.Copy(io.Discard, cancellable{ctx, bytes.NewReader([]byte("x"))})
	require.ErrorIs(t, err, told)
}
