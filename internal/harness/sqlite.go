package harness

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // opens a registry behind sp's back
)

// OpenSQLite opens a database as a program does that knows nothing of sp's rules.
func OpenSQLite(t testing.TB, path string) *sql.DB {
	t.Helper()
	conn, err := openSQLite(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func openSQLite(path string) (*sql.DB, error) {
	conn, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path}).String())
	if err == nil {
		conn.SetMaxOpenConns(1)
	}
	return conn, err
}

// ChangeSQLite changes a SQLite file, or makes one, as a program that is not sp would.
func ChangeSQLite(path, statement string) error {
	conn, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	_, err = conn.Exec(statement)
	return errors.Join(err, conn.Close())
}

// Mess changes a database behind sp's back.
func Mess(t testing.TB, path string, statements ...string) {
	t.Helper()
	conn := OpenSQLite(t, path)
	for _, s := range statements {
		_, err := conn.Exec(s)
		require.NoError(t, err, s)
	}
	require.NoError(t, conn.Close())
}

// Column is what a database answers to a query with one column.
func Column(conn *sql.DB, query string) (values []string, err error) {
	rows, err := conn.Query(query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}

// Grow is a statement that writes more of a registry with a tenant than SQLite is let keep in
// memory by Interrupt.
const Grow = "UPDATE tenants SET hostname = hex(zeroblob(100000))"

// Interrupt leaves a registry as a writer does that is killed before it commits: half written,
// with the journal that undoes it. The statements must write more than fits into a page.
func Interrupt(path string, statements ...string) error {
	conn, err := openSQLite(path)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	begin := []string{"PRAGMA journal_mode = TRUNCATE", "PRAGMA cache_size = 1", "BEGIN IMMEDIATE", "UPDATE registry_meta SET revision = 666"}
	for _, s := range append(begin, statements...) {
		if _, err := conn.Exec(s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	half, errHalf := os.ReadFile(path)
	journal, errJournal := os.ReadFile(path + "-journal")
	_, err = conn.Exec("ROLLBACK")
	whole, errWhole := os.ReadFile(path)
	if err := errors.Join(errHalf, errJournal, err, errWhole, conn.Close()); err != nil {
		return err
	}
	if bytes.Equal(half, whole) {
		return errors.New("nothing was written before the commit")
	}
	return errors.Join(os.WriteFile(path+"-journal", journal, 0o600), os.WriteFile(path, half, 0o600))
}
