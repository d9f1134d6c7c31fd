package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

var errTrouble = errors.New("trouble")

const insertFile = "INSERT INTO files (path, previous, current, tenants_revision) VALUES (?1, ?2, ?3, ?4)"

// TestABulkWritesWhatItsTransactionWouldWrite goes by SQLite's own interface, where the
// driver lets us, and by the driver.
func TestABulkWritesWhatItsTransactionWouldWrite(t *testing.T) {
	t.Parallel()
	var rows []string
	for _, fast := range []bool{true, false} {
		path := mustCreate(t)
		w, err := mustOpen(t, path, patient).WriteBulk(t.Context())
		require.NoError(t, err)
		bulk, text := w.Bulk(), "it's \u2028 \"odd\" ?1"
		exec := func(text string, args ...any) error {
			if !fast {
				if err := bulk.Raw(func(conn any) error { return bulk.prepare(conn, text) }); err != nil {
					return err
				}
				bulk.fast.close()
				bulk.fast = nil
			}
			_, err := bulk.ExecContext(t.Context(), text, args...)
			return err
		}
		for _, args := range [][]any{
			{"/a", "", text, int64(-1)},
			{"/b", &text, "x", int64(1) << 62},
			{"/c", "", "x", true},
			{"/d", "nul\x00in it", "x", false},
			{"/e", new(string), strings.Repeat("long ", 10_000), int64(0)},
		} {
			require.NoError(t, exec(insertFile, args...))
			require.Equal(t, fast, bulk.fast != nil, "another driver? then this way is closed")
		}
		require.ErrorContains(t, exec(insertFile, "/a", "", "x", int64(0)), "UNIQUE")
		require.ErrorContains(t, exec(insertFile, "/z", (*string)(nil), "x", int64(0)), "NOT NULL")
		require.ErrorContains(t, exec(insertFile, "/z", "", "x", "no number"), "INTEGER")
		require.NoError(t, exec(insertFile, "/f", "", "x", int64(1)), "after what was refused")
		require.NoError(t, exec("UPDATE registry_meta SET revision = ?1", int64(7)), "another statement")
		require.ErrorContains(t, exec("INSERT INTO nowhere VALUES (1)"), "no such table")
		require.NoError(t, bulk.Close())
		require.NoError(t, w.Commit())
		require.NoError(t, w.Close())

		require.Equal(t, 7, mustRevision(t, path))
		var got string
		require.NoError(t, harness.OpenSQLite(t, path).QueryRow(
			"SELECT group_concat(hex(path) || hex(previous) || hex(current) || typeof(tenants_revision) || tenants_revision, '|' ORDER BY path) FROM files").Scan(&got))
		rows = append(rows, got)
	}
	require.Equal(t, rows[1], rows[0])
	require.Contains(t, rows[0], "integer4611686018427387904")
}

// TestABulkEndsWithItsTransaction: where SQLite can't write it takes back all that was
// done, and what a bulk then ran would be outside of any transaction, and stay.
func TestABulkEndsWithItsTransaction(t *testing.T) {
	t.Parallel()
	for _, fast := range []bool{true, false} {
		path := mustCreate(t)
		w, err := mustOpen(t, path, patient).WriteBulk(t.Context())
		require.NoError(t, err)
		_, err = w.ExecContext(t.Context(), "PRAGMA max_page_count = 1") // which means: no more than there are
		require.NoError(t, err)
		bulk := w.Bulk()
		put := func(i int) error {
			if b := bulk; !fast && b.fast != nil {
				b.fast.close()
				b.fast = nil
			}
			_, err := bulk.ExecContext(t.Context(), insertFile, fmt.Sprint("/", i), "", strings.Repeat("x", 200), int64(i))
			return err
		}
		for i := 0; err == nil; i++ {
			require.Less(t, i, 1000, "it was to be full")
			err = put(i)
		}
		require.ErrorIs(t, Explain(err), ErrFull)
		require.NotErrorIs(t, Explain(err), ErrDamaged)
		require.NoError(t, bulk.Close())
		require.NoError(t, w.Close())
		var files int
		require.NoError(t, harness.OpenSQLite(t, path).QueryRow("SELECT count(*) FROM files").Scan(&files))
		require.Zero(t, files)
	}
}

func TestABulkStopsWithItsContext(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	w, err := mustOpen(t, path, patient).WriteBulk(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTrouble)
	bulk := w.Bulk()
	_, err = bulk.ExecContext(ctx, insertFile, "/a", "", "x", int64(0))
	require.ErrorIs(t, err, errTrouble)
	require.NoError(t, bulk.Close())
	require.NoError(t, w.Close())
}

// insertTenant is a row of which only the position and the id matter.
const insertTenant = "INSERT INTO tenants VALUES (?1, ?2, 'n', NULL, NULL, NULL, NULL, NULL, 'local', 0, NULL, NULL, '', 1, 1)"

func TestIndexesAreMadeAgainAsTheyWere(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	before := schemaOf(t, harness.OpenSQLite(t, path))
	w, err := mustOpen(t, path, patient).WriteBulk(t.Context())
	require.NoError(t, err)
	require.NoError(t, w.WithoutIndexes(t.Context(), "tenants", func() error {
		var indexes int
		require.NoError(t, w.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'tenants'").Scan(&indexes))
		require.Zero(t, indexes)
		_, err := w.ExecContext(t.Context(), insertTenant, 1, "a")
		return err
	}))
	require.NoError(t, w.Commit())
	require.NoError(t, w.Close())
	require.Equal(t, before, schemaOf(t, harness.OpenSQLite(t, path)))
	require.NoError(t, tries["Write"](t, path), "it is whole")
	var id string
	require.NoError(t, harness.OpenSQLite(t, path).QueryRow("SELECT id FROM tenants INDEXED BY tenants_id WHERE id = 'a'").Scan(&id))
}

func TestRowsThatAreAlikeAreNoticedWhenTheIndexIsMade(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	before := schemaOf(t, harness.OpenSQLite(t, path))
	for _, c := range []struct {
		ids  []string
		fail error
		want error
	}{{[]string{"a", "b", "a"}, nil, ErrNotUnique}, {[]string{"a"}, errTrouble, errTrouble}} {
		w, err := mustOpen(t, path, patient).WriteBulk(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, w.WithoutIndexes(t.Context(), "tenants", func() error {
			for i, id := range c.ids {
				_, err := w.ExecContext(t.Context(), insertTenant, i+1, id)
				require.NoError(t, err)
			}
			return c.fail
		}), c.want)
		require.NoError(t, w.Close())
		require.Equal(t, before, schemaOf(t, harness.OpenSQLite(t, path)), "all of it was taken back")
	}
}

// TestIndexesOfManyRowsAreWhole sorts more than SQLite keeps in memory, which is where
// its second thread begins.
func TestIndexesOfManyRowsAreWhole(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	const rows = 30_000
	for _, last := range []int{7, rows} { // whose id is another one's, and is not
		w, err := mustOpen(t, path, patient).WriteBulk(t.Context())
		require.NoError(t, err)
		bulk := w.Bulk()
		err = w.WithoutIndexes(t.Context(), "tenants", func() error {
			for i := range rows + 1 {
				id := min(i, rows-1)
				if i == rows {
					id = last
				}
				scattered := uint32(id) * 2654435761
				_, err := bulk.ExecContext(t.Context(), insertTenant, int64(i+1), fmt.Sprintf("%08x-%040d", scattered, id))
				require.NoError(t, err)
			}
			return bulk.Close()
		})
		if last < rows {
			require.ErrorIs(t, err, ErrNotUnique)
		} else {
			require.NoError(t, err)
			require.NoError(t, w.Commit())
		}
		require.NoError(t, w.Close())
	}
	raw := harness.OpenSQLite(t, path)
	var found, whole string
	require.NoError(t, raw.QueryRow("PRAGMA integrity_check").Scan(&whole))
	require.NoError(t, raw.QueryRow("SELECT COUNT(*) FROM (SELECT id FROM tenants INDEXED BY tenants_id ORDER BY id)").Scan(&found))
	require.Equal(t, []string{"ok", fmt.Sprint(rows + 1)}, []string{whole, found})
}
