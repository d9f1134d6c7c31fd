package db

import (
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// schemaOf returns what the file's schema says, but for what goose keeps for itself.
func schemaOf(t *testing.T, conn *sql.DB) string {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), `SELECT sql FROM sqlite_schema
		WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite_%' ORDER BY tbl_name, type DESC, name`)
	require.NoError(t, err)
	defer rows.Close()
	var text strings.Builder
	for rows.Next() {
		var s string
		require.NoError(t, rows.Scan(&s))
		text.WriteString(s + ";\n\n")
	}
	require.NoError(t, rows.Err())
	return text.String()
}

func TestTheSumOfTheMigrationsIsTheGoldenSchema(t *testing.T) {
	t.Parallel()
	const golden = "testdata/schema.sql"
	got := schemaOf(t, mustRaw(t, mustCreate(t)))
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "go test ./db -update, after a look at the difference")
}

func TestMigrationsAreNumberedWithoutGapsAndSchemaVersionIsTheNewest(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(migrations, "migrations/*.sql")
	require.NoError(t, err)
	for i, file := range files {
		version, err := goose.NumericComponent(filepath.Base(file))
		require.NoError(t, err)
		require.EqualValues(t, i+1, version, file)
	}
	require.Len(t, files, schemaVersion)
}

func TestEachMigrationCanBeTakenBack(t *testing.T) {
	t.Parallel()
	conn := mustRaw(t, mustCreate(t))
	files, err := fs.Sub(migrations, "migrations")
	require.NoError(t, err)
	p, err := goose.NewProvider(goose.DialectSQLite3, conn, files, goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	full := schemaOf(t, conn)
	sources := p.ListSources()
	slices.Reverse(sources)
	for _, source := range sources {
		_, err := p.DownTo(t.Context(), source.Version-1)
		require.NoError(t, err, source.Path)
	}
	require.Empty(t, schemaOf(t, conn))
	_, err = p.Up(t.Context())
	require.NoError(t, err)
	require.Equal(t, full, schemaOf(t, conn))
}

// mustAge makes the file at path one of the oldest schema that is ours: nothing
// of it is there yet, but for the application's mark.
func mustAge(t *testing.T, path string) {
	t.Helper()
	files, err := fs.Sub(migrations, "migrations")
	require.NoError(t, err)
	conn := mustRaw(t, path)
	p, err := goose.NewProvider(goose.DialectSQLite3, conn, files, goose.WithDisableGlobalRegistry(true))
	require.NoError(t, err)
	_, err = p.DownTo(t.Context(), 0)
	require.NoError(t, err)
	mustExec(t, conn, "PRAGMA user_version = 0")
	require.NoError(t, conn.Close())
}

func TestAnOlderFileIsMigratedAtTheFirstUse(t *testing.T) {
	t.Parallel()
	for how, use := range tries {
		path := mustCreate(t)
		want := schemaOf(t, mustRaw(t, path))
		mustAge(t, path)
		require.NoError(t, use(t, path), how)
		require.Equal(t, schemaVersion, mustVersion(t, path), how)
		require.Equal(t, want, schemaOf(t, mustRaw(t, path)), how)
		require.Equal(t, []string{".lock", "sp.db", "sp.db.bak-migration-20261121T093000.000000Z"}, names(t, filepath.Dir(path)))
	}
}

func TestAMigrationKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustMess(t, path, "UPDATE registry_meta SET revision = 41", "PRAGMA user_version = 0")
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.Equal(t, 42, mustRevision(t, path))
	require.Equal(t, schemaVersion, mustVersion(t, path))
}

func TestMigrationTakesTheLock(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustMess(t, path, "PRAGMA user_version = 0")
	for _, how := range []int{unix.LOCK_EX, unix.LOCK_SH} {
		lock := mustLock(t, filepath.Dir(path), how, "pid 7")
		before := fingerprint(t, path)
		for what, try := range tries {
			require.ErrorIs(t, try(t, path), ErrBusy, what)
			require.Equal(t, before, fingerprint(t, path), what)
		}
		lock.Unlock()
	}
	require.Equal(t, 0, mustRevision(t, path))
	require.Equal(t, schemaVersion, mustVersion(t, path))
}

// An old and a new program meet at an older file: the old one waits for the lock,
// the new one migrates, and the old one must then refuse instead of marking the
// file as its own.
func TestAnOldProgramNeverTakesBackWhatANewerOneMigratedMeanwhile(t *testing.T) {
	t.Parallel()
	for how, try := range map[string]func(*DB) error{
		"Read":  func(d *DB) error { _, err := d.Read(t.Context()); return err },
		"Write": func(d *DB) error { _, err := d.Write(t.Context()); return err },
	} {
		path := mustCreate(t)
		mustMess(t, path, "PRAGMA user_version = 0")
		newer := mustLock(t, filepath.Dir(path), unix.LOCK_EX, "a newer sp")
		result := make(chan error, 1)
		d := mustOpen(t, path, patient)
		go func() { result <- try(d) }()
		mustSeeWaiter(t, filepath.Dir(path))
		mustMess(t, path, "PRAGMA user_version = 1000")
		newer.Unlock()
		require.ErrorIs(t, <-result, ErrNewer, how)
		require.Equal(t, 1000, mustVersion(t, path), how)
	}
}

func TestOneMigratesWhenManyWaitForIt(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustAge(t, path)
	lock := mustLock(t, filepath.Dir(path), unix.LOCK_EX, "")
	results := make(chan error, 4)
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
	mustSeeWaiter(t, filepath.Dir(path))
	lock.Unlock()
	for range cap(results) {
		require.NoError(t, <-results)
	}
	var rows int
	require.NoError(t, mustRaw(t, path).QueryRow("SELECT COUNT(*) FROM goose_db_version").Scan(&rows))
	require.Equal(t, schemaVersion+1, rows)
}

func TestRowsThatReferToNothingAreRefused(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustMess(t, path, "PRAGMA foreign_keys = 0", "INSERT INTO profiles VALUES ('p', 'p', 'nobody')", "PRAGMA user_version = 0")
	for how, try := range tries {
		require.ErrorIs(t, try(t, path), ErrDamaged, how)
		require.Equal(t, 0, mustVersion(t, path), how)
	}
	mustMess(t, path, "DELETE FROM profiles")
	require.Equal(t, 0, mustRevision(t, path))
}

func TestAMigrationCannotBeAppliedTwice(t *testing.T) {
	t.Parallel()
	conn := mustRaw(t, mustCreate(t))
	_, err := conn.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, 1)")
	require.ErrorContains(t, err, "UNIQUE")
}
