package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

func init() {
	// create PATH UMASK: when the pipe is closed, makes the registry, and looks at
	// the modes of all there is while the change is open.
	roles["create"] = func(args []string) error {
		umask, err := strconv.ParseInt(args[1], 8, 32)
		if err != nil {
			return err
		}
		syscall.Umask(int(umask))
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			return err
		}
		d, _, err := Create(context.Background(), args[0], patient, func(ctx context.Context, tx *sql.Tx) error {
			return errors.Join(seed(ctx, tx), allPrivate(filepath.Dir(args[0])))
		})
		if err != nil {
			return err
		}
		read, err := d.Read(context.Background())
		if err != nil {
			return err
		}
		read.Close()
		return errors.Join(d.Close(), allPrivate(filepath.Dir(args[0])))
	}
}

func allPrivate(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().Perm() != 0o600 {
			return fmt.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
	return err
}

func TestCreateMakesPrivateFilesUnderAnyUmask(t *testing.T) {
	t.Parallel()
	for _, umask := range []string{"000", "022", "077"} {
		dir := filepath.Join(t.TempDir(), "registry")
		require.NoError(t, os.Mkdir(dir, 0o700))
		path := filepath.Join(dir, "sp.db")
		mustStart(t, "create", path, umask).mustEnd(t)
		require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal"}, names(t, dir))
		require.NoError(t, allPrivate(dir))
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, os.ModeDir|0o700, info.Mode(), "the directory is left as it is")
	}
}

func TestCreateLeavesTheDirectoryAsItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o750))
	mustCreateAt(t, filepath.Join(dir, "sp.db"))
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.ModeDir|0o750, info.Mode())
}

func TestCreateMarksTheFileAsOurs(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	conn := harness.OpenSQLite(t, path)
	for pragma, want := range map[string]string{
		"application_id": strconv.Itoa(applicationID), "user_version": strconv.Itoa(schemaVersion),
		"journal_mode": "delete", "integrity_check": "ok",
	} {
		var got string
		require.NoError(t, conn.QueryRow("PRAGMA "+pragma).Scan(&got))
		require.Equal(t, want, got, pragma)
	}
	require.Equal(t, 0, mustRevision(t, path), "what seed put in is there")
}

func TestCreateSweepsWhatAKilledOneLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, left := range []string{newName, newName + "-journal"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, left), []byte("half"), 0o600))
	}
	path := filepath.Join(dir, "sp.db")
	mustCreateAt(t, path)
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal"}, names(t, dir))
	require.Equal(t, 0, mustRevision(t, path))
}

// A registry that was removed by hand may have left the journal of a killed
// writer; SQLite would play that back into the new one.
func TestCreateRefusesTheJournalOfARegistryThatIsGone(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	mustSpill(t, path)
	require.NoError(t, os.Rename(path, path+".away"))
	for _, suffix := range []string{"-journal", "-wal"} {
		require.NoError(t, os.Rename(path+"-journal", path+suffix))
		before := fingerprint(t, path)
		_, _, err := Create(t.Context(), path, patient, seed)
		require.ErrorIs(t, err, ErrUnsafe)
		require.ErrorContains(t, err, path+suffix)
		require.Equal(t, unsigned(before), unsigned(fingerprint(t, path)))
		require.NoError(t, os.Rename(path+suffix, path+"-journal"))
	}
	require.NoError(t, os.Rename(path+".away", path))
	require.Equal(t, 1, mustRevision(t, path), "put back, it is mended")
	require.NoError(t, os.Remove(path))
	mustCreateAt(t, path)
	require.Equal(t, 0, mustRevision(t, path))
}

// unsigned leaves the lock file out, which whoever takes the lock signs.
func unsigned(fingerprint string) string {
	return regexp.MustCompile(`(?m)^\.lock .*\n`).ReplaceAllString(fingerprint, "")
}

func TestCreateOpensWhatIsThere(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	d, made, err := Create(t.Context(), path, patient, func(context.Context, *sql.Tx) error {
		return errors.New("seeded twice")
	})
	require.NoError(t, err)
	require.False(t, made)
	require.NoError(t, d.Close())
	require.Equal(t, 1, mustRevision(t, path))
}

func TestCreateLeavesNothingWhenItCannot(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sp.db")
	trouble := errors.New("trouble")
	_, made, err := Create(t.Context(), path, patient, func(ctx context.Context, tx *sql.Tx) error {
		return errors.Join(seed(ctx, tx), trouble)
	})
	require.ErrorIs(t, err, trouble)
	require.False(t, made)
	require.Equal(t, []string{".lock"}, names(t, filepath.Dir(path)))
	mustBeFree(t, filepath.Dir(path))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = Create(ctx, path, patient, seed)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{".lock"}, names(t, filepath.Dir(path)))

	_, _, err = Create(t.Context(), filepath.Join(t.TempDir(), "no", "sp.db"), patient, seed)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// What it made it tells, though it can't be opened then.
func TestCreateTellsThatItMadeWhatItCannotOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sp.db")
	_, made, err := Create(t.Context(), path, patient, func(ctx context.Context, tx *sql.Tx) error {
		_, other := tx.ExecContext(ctx, "PRAGMA application_id = 7")
		return errors.Join(seed(ctx, tx), other)
	})
	require.Error(t, err)
	require.True(t, made)
}

func TestCreateWaitsForTheLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock := mustLock(t, dir, unix.LOCK_EX, "pid 7")
	_, _, err := Create(t.Context(), filepath.Join(dir, "sp.db"), hasty, seed)
	require.ErrorIs(t, err, ErrBusy)
	require.Equal(t, []string{".lock"}, names(t, dir))
	lock.Unlock()
	mustCreateAt(t, filepath.Join(dir, "sp.db"))
}

func TestManyFirstStartsMakeOneRegistry(t *testing.T) {
	t.Parallel()
	const processes, rounds = 8, 3
	for range rounds {
		path := filepath.Join(t.TempDir(), "sp.db")
		start, closeStart, err := os.Pipe()
		require.NoError(t, err)
		var all []*process
		for range processes {
			all = append(all, mustStartWith(t, start, "create", path, "022"))
		}
		require.NoError(t, errors.Join(start.Close(), closeStart.Close()))
		for _, p := range all {
			p.mustEnd(t)
		}
		conn := harness.OpenSQLite(t, path)
		var metas int
		require.NoError(t, conn.QueryRow("SELECT COUNT(*) FROM registry_meta").Scan(&metas))
		require.Equal(t, 1, metas)
		require.NoError(t, conn.Close())
		require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal"}, names(t, filepath.Dir(path)))
	}
}
