package db

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

// schemaOf returns what the file's schema says.
func schemaOf(t *testing.T, conn *sql.DB) string {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), `SELECT sql FROM sqlite_schema
		WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY tbl_name, type DESC, name`)
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
	got := schemaOf(t, harness.OpenSQLite(t, mustCreate(t)))
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
	conn := harness.OpenSQLite(t, mustCreate(t))
	p, err := migrator(conn, migrations)
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
	mustAgeTo(t, path, 0)
}

func mustAgeTo(t *testing.T, path string, version int64) {
	t.Helper()
	conn := harness.OpenSQLite(t, path)
	p, err := migrator(conn, migrations)
	require.NoError(t, err)
	_, err = p.DownTo(t.Context(), version)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	mustClaim(t, path)
}

// mustDrops are the statements that take everything out of a file.
func mustDrops(t *testing.T, conn *sql.DB) (drops []string) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), "SELECT 'DROP TABLE ' || name FROM sqlite_schema WHERE type = 'table'")
	drops, err = collect(rows, err, func() (drop string, err error) { return drop, rows.Scan(&drop) })
	require.NoError(t, err)
	return drops
}

func TestAnOlderFileIsMigratedAtTheFirstUse(t *testing.T) {
	t.Parallel()
	for how, use := range tries {
		path := mustCreate(t)
		want := schemaOf(t, harness.OpenSQLite(t, path))
		mustAge(t, path)
		require.NoError(t, use(t, path), how)
		require.Equal(t, schemaVersion, mustVersion(t, path), how)
		require.Equal(t, want, schemaOf(t, harness.OpenSQLite(t, path)), how)
		require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", "sp.db.bak-migration-20261121T093000.000000Z"}, names(t, filepath.Dir(path)))
	}
}

// withNext are the migrations and a next one.
func withNext(t *testing.T, statements string) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	require.NoError(t, err)
	for _, name := range names {
		text, err := fs.ReadFile(migrations, name)
		require.NoError(t, err)
		files[name] = &fstest.MapFile{Data: text}
	}
	files[fmt.Sprintf("migrations/%05d_next.sql", schemaVersion+1)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + statements)}
	return files
}

func TestAMigrationKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	harness.Mess(t, path, "UPDATE registry_meta SET revision = 41")
	require.NoError(t, migrateTo(t.Context(), harness.OpenSQLite(t, path), withNext(t, "ALTER TABLE registry_meta ADD COLUMN next TEXT;")))
	require.Equal(t, schemaVersion+1, mustVersion(t, path))
	var revision int
	require.NoError(t, harness.OpenSQLite(t, path).QueryRow("SELECT revision FROM registry_meta WHERE next IS NULL").Scan(&revision))
	require.Equal(t, 41, revision)
}

// What a migration leaves behind it is checked in its own transaction.
func TestAMigrationThatLeavesRowsThatReferToNothingIsTakenBack(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	before := schemaOf(t, harness.OpenSQLite(t, path))
	next := withNext(t, "CREATE TABLE next (x); INSERT INTO profiles VALUES ('p', 'p', 'nobody');")
	for range 2 {
		require.ErrorIs(t, migrateTo(t.Context(), harness.OpenSQLite(t, path), next), ErrDamaged)
		require.Equal(t, schemaVersion, mustVersion(t, path))
		require.Equal(t, before, schemaOf(t, harness.OpenSQLite(t, path)))
	}
	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
}

func TestMigrationTakesTheLock(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	mustAge(t, path)
	for _, how := range []int{unix.LOCK_EX, unix.LOCK_SH} {
		lock := mustLock(t, filepath.Dir(path), how, "pid 7")
		before := fingerprint(t, path)
		for what, try := range tries {
			require.ErrorIs(t, try(t, path), ErrBusy, what)
			require.Equal(t, before, fingerprint(t, path), what)
		}
		lock.Unlock()
	}
	read, err := mustOpen(t, path, patient).Read(t.Context()) // a child that is just being started has the lock, too
	require.NoError(t, err)
	read.Close()
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
		harness.Mess(t, path, "PRAGMA user_version = 0")
		newer := mustLock(t, filepath.Dir(path), unix.LOCK_EX, "a newer sp")
		result := make(chan error, 1)
		d := mustOpen(t, path, patient)
		go func() { result <- try(d) }()
		mustSeeWaiter(t, filepath.Dir(path))
		harness.Mess(t, path, "PRAGMA user_version = 1000")
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
	require.Equal(t, schemaVersion, mustVersion(t, path))
	require.Len(t, names(t, filepath.Dir(path)), 5, "one automatic copy")
}
