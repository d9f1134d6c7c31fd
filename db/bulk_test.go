package db

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

var errTrouble = errors.New("trouble")

const insertFile = "INSERT INTO files VALUES (?1, ?2, ?3, ?4)"

func TestABulkWritesWhatItsTransactionWouldWrite(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	w, err := mustOpen(t, path, patient).WriteBulk(t.Context())
	require.NoError(t, err)
	bulk, text := w.Bulk(), "it's \u2028 \"odd\" ?1"
	for _, args := range [][]any{{"/a", "", text, int64(-1)}, {"/b", &text, "x", int64(1) << 62}, {"/c", "", "x", true}} {
		_, err := bulk.ExecContext(t.Context(), insertFile, args...)
		require.NoError(t, err)
	}
	_, err = bulk.ExecContext(t.Context(), "UPDATE registry_meta SET revision = ?1", int64(7)) // another statement
	require.NoError(t, err)
	_, err = bulk.ExecContext(t.Context(), insertFile, "/d", (*string)(nil), "x", int64(0))
	require.ErrorContains(t, err, "NOT NULL")
	_, err = bulk.ExecContext(t.Context(), "INSERT INTO nowhere VALUES (1)")
	require.ErrorContains(t, err, "no such table")
	require.NoError(t, bulk.Close())
	require.NoError(t, w.Commit())
	require.NoError(t, w.Close())

	require.Equal(t, 7, mustRevision(t, path))
	var got string
	require.NoError(t, mustRaw(t, path).QueryRow(
		"SELECT group_concat(path || previous || current || tenants_revision, '|' ORDER BY path) FROM files").Scan(&got))
	require.Equal(t, "/a"+text+"-1|/b"+text+"x4611686018427387904|/cx1", got)
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

func TestNumbersAreTakenOffParametersInOrderOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "SELECT 1": "SELECT 1", "?1": "?", "(?1, ?2)": "(?, ?)", "(?2, ?1)": "(?2, ?1)", "?1 ?1": "?1 ?1", "?1 ?": "?1 ?", "?": "?", "?2": "?2",
		"?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12": "?,?,?,?,?,?,?,?,?,?,?,?",
	} {
		require.Equal(t, want, unnumbered(text), text)
	}
}

// insertTenant is a row of which only the position and the id matter.
const insertTenant = "INSERT INTO tenants VALUES (?1, ?2, 'n', NULL, NULL, NULL, NULL, NULL, 'local', 0, NULL, NULL, '', 1, 1)"

func TestIndexesAreMadeAgainAsTheyWere(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	before := schemaOf(t, mustRaw(t, path))
	w, err := mustOpen(t, path, patient).WriteBulk(t.Context())
	require.NoError(t, err)
	require.NoError(t, w.WithoutIndexes(t.Context(), "tenants", func() error {
		var indexes int
		require.NoError(t, w.QueryRow("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'tenants'").Scan(&indexes))
		require.Zero(t, indexes)
		_, err := w.Exec(insertTenant, 1, "a")
		return err
	}))
	require.NoError(t, w.Commit())
	require.NoError(t, w.Close())
	require.Equal(t, before, schemaOf(t, mustRaw(t, path)))
	require.NoError(t, tries["Write"](t, path), "it is whole")
	var id string
	require.NoError(t, mustRaw(t, path).QueryRow("SELECT id FROM tenants INDEXED BY tenants_id WHERE id = 'a'").Scan(&id))
}

func TestRowsThatAreAlikeAreNoticedWhenTheIndexIsMade(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	before := schemaOf(t, mustRaw(t, path))
	for _, c := range []struct {
		ids  []string
		fail error
		want error
	}{{[]string{"a", "b", "a"}, nil, ErrNotUnique}, {[]string{"a"}, errTrouble, errTrouble}} {
		w, err := mustOpen(t, path, patient).WriteBulk(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, w.WithoutIndexes(t.Context(), "tenants", func() error {
			for i, id := range c.ids {
				_, err := w.Exec(insertTenant, i+1, id)
				require.NoError(t, err)
			}
			return c.fail
		}), c.want)
		require.NoError(t, w.Close())
		require.Equal(t, before, schemaOf(t, mustRaw(t, path)), "all of it was taken back")
	}
}
