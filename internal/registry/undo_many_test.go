package registry

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestUndoOfVeryManyLeavesTheFileWhole is of so many that the indexes of the history are dropped
// meanwhile: by an import that finds out, and by undos that know.
func TestUndoOfVeryManyLeavesTheFileWhole(t *testing.T) {
	t.Parallel()
	d, tenants := mustDesk(t), many(9000)
	whole := func() {
		var found string
		raw := harness.OpenSQLite(t, d.path)
		require.NoError(t, raw.QueryRow("PRAGMA integrity_check").Scan(&found))
		require.Equal(t, "ok", found)
		require.NoError(t, raw.QueryRow("SELECT COUNT(*) FROM sqlite_schema WHERE name IN "+
			"('entries_position', 'entries_thing', 'kept_secrets_digest', 'kept_secrets_until')").Scan(&found))
		require.Equal(t, "4", found)
		require.NoError(t, raw.Close())
	}
	d.mustImport(t, file(tenants...))
	first := mustContents(t, d.path)
	d.mustUndo(t)
	whole()
	require.Empty(t, mustContents(t, d.path).Tenants)
	d.mustUndo(t, d.revision(t)) // the undo
	whole()
	require.Equal(t, known(first), known(mustContents(t, d.path)))

	for i := range tenants {
		tenants[i].DatabaseURL = sealed("postgres://u:new@h/" + tenants[i].Name)
	}
	d.mustImport(t, file(tenants...))
	changed := d.revision(t)
	whole()
	edit := d.mustEdit(t, TenantEdit{ID: tenants[8000].ID, Set: values{"database_url": sealed("postgres://h/mine")}})
	var later *laterError
	require.ErrorAs(t, d.undo(t, changed), &later, "that of one is found behind thousands that nothing touched")
	require.Equal(t, edit, later.Later.Sequence)
	whole()
	d.mustUndo(t)
	d.mustUndo(t, changed)
	whole()
	require.Equal(t, known(first), known(mustContents(t, d.path)))
}
