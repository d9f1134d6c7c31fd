package provision

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

// TestExtensionsAreMadeAsTheOwner, who can drop them.
func TestExtensionsAreMadeAsTheOwner(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_extension", "secret"))
	d := newDatabase(t, s, "extension")
	url := mustCreate(t, s, d)
	names := []string{"citext", "cube", "uuid-ossp", "citext"}
	require.NoError(t, s.MayExtend(within(t), names, true))
	require.NoError(t, s.Extend(within(t), d, names, true))
	require.NoError(t, s.Extend(within(t), d, names, false), "again")
	require.Equal(t, []string{
		"citext|" + d.Owner() + "|public", "cube|" + d.Owner() + "|public", "uuid-ossp|" + d.Owner() + "|public",
	}, pgtest.Exec(t, url, "SELECT extname, rolname, nspname FROM pg_extension JOIN pg_roles r ON r.oid = extowner JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql' ORDER BY 1"))
	pgtest.Exec(t, url, "CREATE TABLE t (name citext)", "DROP TABLE t", "DROP EXTENSION cube")
	pgtest.Exec(t, url, "DROP SCHEMA public CASCADE")
	require.ErrorIs(t, s.Extend(within(t), d, []string{"cube"}, false), ErrNoSchema)
}

// TestExtensionsWithPowerAreRefused, whoever asks.
func TestExtensionsWithPowerAreRefused(t *testing.T) {
	t.Parallel()
	super, admin := mustConnect(t, pgtest.Server(t)), mustConnect(t, pgtest.Admin(t, "sp_test_power", "secret"))
	for _, s := range []*Server{super, admin} {
		for _, name := range []string{"dblink", "earthdistance", "file_fdw", "postgres_fdw", "adminpack", "pageinspect", "pg_stat_statements"} {
			err := s.MayExtend(within(t), []string{"citext", name}, true)
			require.ErrorIs(t, err, ErrNotMade, name)
			require.ErrorContains(t, err, "power over the whole server")
		}
		err := s.MayExtend(within(t), []string{"citxt"}, true)
		require.ErrorIs(t, err, ErrNoExtension)
		var unknown *NoExtensionError
		require.ErrorAs(t, err, &unknown)
		require.Contains(t, unknown.Known, "citext")
	}
	vector := extension{name: "vector"}
	require.NoError(t, super.mayMake(within(t), vector, true))
	require.ErrorContains(t, super.mayMake(within(t), vector, false), "would run with his rights")
	require.ErrorContains(t, admin.mayMake(within(t), vector, true), "only a superuser")
}
