package registry

import (
	"testing"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

var theLocal = Server{Name: "local", Provider: LocalPrograms, Admin: secret.New("postgres://sp_admin:pw@127.0.0.1:20000/postgres")}

// withheldOf is why each server is withheld, the file opened anew.
func withheldOf(t *testing.T, d *desk) map[string]Withheld {
	t.Helper()
	_, _, servers := standing(t, d)
	all := map[string]Withheld{}
	for _, s := range servers {
		all[s.Name] = s.Withheld
	}
	return all
}

func TestAServerIsWithheldUntilItIsNamed(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	mustBegin(t, d)
	require.NoError(t, d.setServer(t.Context(), theLocal))
	require.Equal(t, map[string]Withheld{"h:5432": "", "local": ""}, withheldOf(t, d))
	require.NoError(t, d.WithholdServers(t.Context(), false))
	require.Equal(t, map[string]Withheld{"h:5432": unnamed, "local": unnamed}, withheldOf(t, d))
	_, database, _ := standing(t, d)
	require.NotNil(t, database, "who moved a project has its databases still")

	// A login that somebody gives once names no server of the registry's.
	other := theServer
	other.Admin = secret.New("postgres://other:pw@h/postgres")
	require.NoError(t, d.UpdateServer(t.Context(), other))
	require.Equal(t, unnamed, withheldOf(t, d)["h:5432"])

	require.NoError(t, d.NameServer(t.Context(), "h:5432"))
	require.NoError(t, d.NameServer(t.Context(), "h:5432"), "again")
	require.NoError(t, d.NameServer(t.Context(), "nobody"))
	require.Equal(t, map[string]Withheld{"h:5432": "", "local": unnamed}, withheldOf(t, d))
}

func TestOfACopyTheDatabasesAreTheOriginals(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	mustBegin(t, d)
	mustPublish(t, d, "postgres://sp_a_a:x@h/sp_a")
	require.NoError(t, d.setServer(t.Context(), theLocal))
	require.NoError(t, d.WithholdServers(t.Context(), true))
	tenant, database, _ := standing(t, d)
	require.Nil(t, database, "no command drops it")
	require.NotNil(t, tenant.DatabaseURL)
	require.Equal(t, map[string]Withheld{"h:5432": unnamed, "local": Foreign}, withheldOf(t, d))
	require.ErrorIs(t, d.NameServer(t.Context(), "local"), ErrInUse)
	require.Equal(t, Foreign, withheldOf(t, d)["local"])

	// The original is gone, and somebody said so.
	require.NoError(t, d.WithholdServers(t.Context(), false))
	require.Equal(t, Foreign, withheldOf(t, d)["local"], "that this one moved says nothing of the original")
	released, err := d.ReleaseServers(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, released)
	require.Equal(t, unnamed, withheldOf(t, d)["local"])
	require.NoError(t, d.NameServer(t.Context(), "local"))
	require.Empty(t, withheldOf(t, d)["local"])
}
