package registry

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
)

func TestOnlyParametersInOrderLoseTheirNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"SELECT 1":                         "SELECT 1",
		"INSERT INTO t VALUES (?1, ?2,?3)": "INSERT INTO t VALUES (?, ?,?)",
		"SELECT ?1 + ?1":                   "SELECT ?1 + ?1",
		"SELECT ?2 + ?1":                   "SELECT ?2 + ?1",
		"SELECT ?1 + ?3":                   "SELECT ?1 + ?3",
		"SELECT ?":                         "SELECT ?",
	} {
		require.Equal(t, want, unnumbered(text))
	}
	for name, text := range generatedQueries(t) { // a question mark in them is a parameter
		for i, part := range strings.Split(text, "'") {
			require.False(t, i%2 == 1 && strings.Contains(part, "?"), name)
		}
	}
}

func TestStatementsArePreparedOnceAndEndWithTheirContext(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	require.NoError(t, d.write(t.Context(), func(c *change) error {
		s := newStatements(c.tx)
		q := queries.New(s)
		for range 3 {
			row, err := q.Tenant(t.Context(), "b")
			require.NoError(t, err)
			require.Equal(t, "b", row.ID)
			rows, err := q.TenantsAfter(t.Context(), queries.TenantsAfterParams{Size: 5})
			require.NoError(t, err)
			require.Len(t, rows, 2)
			require.NoError(t, q.SetDigestKey(t.Context(), "key"))
		}
		require.Len(t, s.readers, 2)
		require.Len(t, s.writers, 1)
		_, err := s.ExecContext(t.Context(), "DELETE FROM nowhere")
		require.ErrorContains(t, err, "no such table")
		_, err = s.ExecContext(t.Context(), "UPDATE registry_meta SET digest_key = ?1 WHERE revision = ?2", struct{}{}, 1)
		require.ErrorContains(t, err, "unsupported type", "also before what is of use")
		require.ErrorContains(t, s.QueryRowContext(t.Context(), "SELECT * FROM nowhere").Scan(), "no such table")
		ctx, stop := context.WithCancelCause(t.Context())
		stop(errTrouble)
		require.ErrorIs(t, q.SetDigestKey(ctx, "key"), errTrouble)
		_, err = q.Tenant(ctx, "b")
		require.ErrorIs(t, err, context.Canceled)
		_, err = q.TenantsAfter(ctx, queries.TenantsAfterParams{Size: 5})
		require.ErrorIs(t, err, errTrouble)
		require.NoError(t, s.Close())
		return nil
	}))
}

// Where SQLite can't write it takes back all that was done, and what then ran would be
// outside of any transaction, and stay.
func TestNothingStaysOfManyRowsThatDidNotFit(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	i := file(crowd()...)
	read := i.Read
	d.mustRefuse(t, db.ErrFull, func() error {
		return d.write(t.Context(), func(c *change) error {
			_, err := c.tx.ExecContext(t.Context(), "PRAGMA max_page_count = 1") // which means: no more than there are
			require.NoError(t, err)
			i.Read = read
			_, err = c.addAll(t.Context(), i, &Plan{})
			return db.Explain(err)
		})
	})
}
