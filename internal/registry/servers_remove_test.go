package registry

import (
	"testing"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

func TestARemovedServerTakesItsDatabasesAndTheirURLs(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	mustBegin(t, d)
	mustPublish(t, d, "postgres://sp_a_a:pw@h/sp_a")
	_, err := d.CreateTenant(t.Context(), NewTenant{
		Tenant: Tenant{ID: "b", Name: "B", Kind: Local}, Database: &PlannedDatabase{Server: theServer, Name: "sp_b"},
	})
	require.NoError(t, err)
	elsewhere := secret.New("postgres://u:p@elsewhere/sp_b")
	_, _, err = d.UpdateTenant(t.Context(), TenantEdit{ID: "b", Set: values{"database_url": &elsewhere}})
	require.NoError(t, err)
	require.NoError(t, d.setServer(t.Context(), theLocal))

	_, err = d.RemoveServer(t.Context(), "nobody")
	require.ErrorIs(t, err, ErrNotFound)
	without, err := d.RemoveServer(t.Context(), "h:5432")
	require.NoError(t, err)
	require.Equal(t, []TenantID{"a"}, without, "the URL of b leads elsewhere")
	tenant, database, servers := standing(t, d)
	require.Nil(t, tenant.DatabaseURL)
	require.Nil(t, database)
	require.Len(t, servers, 1)
	require.Equal(t, "local", servers[0].Name)
	view, err := d.View(t.Context())
	require.NoError(t, err)
	defer view.Close()
	b, err := view.Tenant(t.Context(), "b")
	require.NoError(t, err)
	require.True(t, b.DatabaseURL.Equal(elsewhere))
	begun, err := view.Database(t.Context(), "b")
	require.NoError(t, err)
	require.Nil(t, begun)
}

// TestWhichURLsLeadToAServerThatSpRuns is told by its port, in whatever spelling of this machine.
func TestWhichURLsLeadToAServerThatSpRuns(t *testing.T) {
	t.Parallel()
	for url, leads := range map[string]bool{
		"postgres://u@127.0.0.1:20000/d": true, "postgres://u@localhost:20000/d": true, "postgres://u@LOCALHOST.:20000/d": true,
		"postgres://u@[::1]:20000/d": true, "postgres://u@127.9.9.9:20000": true, "postgres://u@h/d?host=127.0.0.1&port=20000": true,
		"postgres://u@far,localhost:20000/d": true, "postgres://u@0.0.0.0:20000/d": true, "postgres://u@h/d?hostaddr=127.0.0.1&port=20000": true,
		"postgres://u@127.0.0.1:20001/d": false, "postgres://u@127.0.0.1/d": false, "postgres://u@h:20000/d": false,
		"postgres://u@%2Frun:20000/d": false, "nonsense": false,
	} {
		require.Equal(t, leads, theLocal.Serves(secret.New(url)), url)
	}
	other := theLocal
	other.Provider = Elsewhere
	require.False(t, other.Serves(secret.New("postgres://u@127.0.0.1:20000/d")))
}
