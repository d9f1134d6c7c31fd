package db

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/stretchr/testify/require"
)

// insertTenant is a row of which only the position and the id matter.
const insertTenant = "INSERT INTO tenants VALUES (?1, ?2, 'n', NULL, NULL, NULL, NULL, NULL, 'local', 0, NULL, NULL, '', 1, 1)"

var tenantIndexes = []string{"tenants_id", "tenants_name"}

func TestIndexesAreMadeAgainAsTheyWere(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	before := schemaOf(t, harness.OpenSQLite(t, path))
	w, err := mustOpen(t, path, patient).WriteBulk(t.Context())
	require.NoError(t, err)
	remake, err := w.DropIndexes(t.Context(), tenantIndexes...)
	require.NoError(t, err)
	var indexes int
	require.NoError(t, w.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'tenants'").Scan(&indexes))
	require.Zero(t, indexes)
	_, err = w.ExecContext(t.Context(), insertTenant, 1, "a")
	require.NoError(t, err)
	require.NoError(t, remake())
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
	w, err := mustOpen(t, path, patient).WriteBulk(t.Context())
	require.NoError(t, err)
	_, err = w.DropIndexes(t.Context(), "tenants_id", "no_such")
	require.ErrorIs(t, err, sql.ErrNoRows)
	require.NoError(t, w.Close())
	w, err = mustOpen(t, path, patient).WriteBulk(t.Context())
	require.NoError(t, err)
	remake, err := w.DropIndexes(t.Context(), tenantIndexes...)
	require.NoError(t, err)
	for i, id := range []string{"a", "b", "a"} {
		_, err := w.ExecContext(t.Context(), insertTenant, i+1, id)
		require.NoError(t, err)
	}
	require.ErrorIs(t, remake(), ErrNotUnique)
	require.NoError(t, w.Close())
	require.Equal(t, before, schemaOf(t, harness.OpenSQLite(t, path)), "all of it was taken back")
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
		insert, err := w.PrepareContext(t.Context(), insertTenant)
		require.NoError(t, err)
		remake, err := w.DropIndexes(t.Context(), tenantIndexes...)
		require.NoError(t, err)
		for i := range rows + 1 {
			id := min(i, rows-1)
			if i == rows {
				id = last
			}
			scattered := uint32(id) * 2654435761
			_, err := insert.Exec(int64(i+1), fmt.Sprintf("%08x-%040d", scattered, id))
			require.NoError(t, err)
		}
		require.NoError(t, insert.Close())
		if err = remake(); last < rows {
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
