package scan_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/sp-registry/sp/db/scan"
)

const query = "SELECT place, name, note FROM rows ORDER BY place"

// mustConnect is one connection to a file, and nothing but that.
func mustConnect(t *testing.T, path string) *sql.DB {
	t.Helper()
	conn, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	conn.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func mustExec(t *testing.T, conn *sql.DB, statements ...string) {
	t.Helper()
	for _, text := range statements {
		_, err := conn.Exec(text)
		require.NoError(t, err)
	}
}

// mustFill makes a file with rows at these places, and begins to read it.
func mustFill(t *testing.T, places string) (conn *sql.DB, path string, file fs.FileInfo) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "rows.db")
	conn = mustConnect(t, path)
	mustExec(
		t, conn, "CREATE TABLE rows (place INTEGER PRIMARY KEY, name TEXT NOT NULL, note TEXT)",
		"INSERT INTO rows SELECT value, 'name' || char(0) || value, nullif(char(97 + abs(value % 3)), 'a') FROM ("+places+")",
	)
	file, err := os.Lstat(path)
	require.NoError(t, err)
	mustExec(t, conn, "BEGIN", "SELECT count(*) FROM rows")
	return conn, path, file
}

func series(from, to int) string {
	return fmt.Sprintf("WITH RECURSIVE n(value) AS (SELECT %d UNION ALL SELECT value + 1 FROM n WHERE value < %d) SELECT value FROM n", from, to)
}

// plainly is what a scan has to yield.
func plainly(t *testing.T, conn *sql.DB) string {
	t.Helper()
	var all strings.Builder
	rows, err := conn.Query(query)
	require.NoError(t, err)
	for rows.Next() {
		var place int64
		var name, note []byte
		require.NoError(t, rows.Scan(&place, &name, &note))
		fmt.Fprintf(&all, "%d %q %q\n", place, name, note)
	}
	require.NoError(t, rows.Close())
	return all.String()
}

func scanned(t *testing.T, path string, file fs.FileInfo) string {
	t.Helper()
	rows, err := scan.Open(path, file, query)
	require.NoError(t, err)
	defer rows.Close()
	var all strings.Builder
	for rows.Next() {
		fmt.Fprintf(&all, "%d %q %q\n", rows.Int(0), rows.Text(1), rows.Text(2))
	}
	require.False(t, rows.Failed())
	return all.String()
}

func TestEveryRowIsRead(t *testing.T) {
	t.Parallel()
	for name, places := range map[string]string{
		"none":      "SELECT 1 AS value WHERE FALSE",
		"one":       "SELECT 1 AS value",
		"many":      series(1, 5000),
		"with gaps": "SELECT 7 * value AS value FROM (" + series(1, 3000) + ")",
		"the ends":  "SELECT -9223372036854775807 - 1 AS value UNION SELECT -1 UNION SELECT 9223372036854775807",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, path, file := mustFill(t, places)
			want := plainly(t, conn)
			require.Equal(t, name == "none", want == "")
			require.Equal(t, want, scanned(t, path, file))
			require.Equal(t, want, scanned(t, path, file), "and again")
		})
	}
}

// All is of one instant: nobody can commit while it is read.
func TestAScanIsOfTheTransactionsInstant(t *testing.T) {
	t.Parallel()
	conn, path, file := mustFill(t, series(1, 3000))
	want := plainly(t, conn)
	other := mustConnect(t, path)
	_, err := other.Exec("UPDATE rows SET name = 'other'")
	require.ErrorContains(t, err, "locked")
	require.Equal(t, want, scanned(t, path, file))
}

func TestAScanWithinAChangeSeesWhatWasThereBefore(t *testing.T) {
	t.Parallel()
	conn, path, file := mustFill(t, series(1, 3000))
	want := plainly(t, conn)
	mustExec(t, conn, "ROLLBACK", "BEGIN IMMEDIATE", "UPDATE rows SET name = 'other'")
	require.Equal(t, want, scanned(t, path, file))
	rows, err := scan.Open(path, file, query)
	require.NoError(t, err)
	require.True(t, rows.Next())
	rows.Close() // and is not in the way of the commit
	mustExec(t, conn, "COMMIT")
	require.NotEqual(t, want, scanned(t, path, file))
}

func TestWhatIsNotCertainIsNotRead(t *testing.T) {
	t.Parallel()
	for name, mess := range map[string]func(t *testing.T, path string){
		"another file in its place": func(t *testing.T, path string) {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path+".new", content, 0o600))
			require.NoError(t, os.Rename(path+".new", path))
		},
		"no file": func(t *testing.T, path string) { require.NoError(t, os.Rename(path, path+".away")) },
		"a link": func(t *testing.T, path string) {
			require.NoError(t, os.Rename(path, path+".away"))
			require.NoError(t, os.Symlink(filepath.Base(path)+".away", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, path, file := mustFill(t, series(1, 10))
			mess(t, path)
			_, err := scan.Open(path, file, query)
			require.Error(t, err)
		})
	}
	_, path, file := mustFill(t, series(1, 10))
	_, err := scan.Open(path, file, "SELECT nothing")
	require.Error(t, err)
}

func TestNothingIsReadBehindARowThatMakesNoSense(t *testing.T) {
	t.Parallel()
	_, path, file := mustFill(t, series(1, 10))
	rows, err := scan.Open(path, file, query)
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	rows.Int(1) // which is no number
	require.True(t, rows.Failed())
	require.False(t, rows.Next())
}
