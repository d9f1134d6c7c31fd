package provision

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

// TestATenantCantKeepItsPasswordFromBeingChanged by what it can set as the owner of its database, or as
// the login that comes next.
func TestATenantCantKeepItsPasswordFromBeingChanged(t *testing.T) {
	t.Parallel()
	admin := pgtest.Admin(t, "sp_test_settings", "secret")
	const itself, owner = "SET ROLE NONE", "SELECT 1"
	for name, statements := range map[string][]string{
		"no connections":                 {owner, "ALTER DATABASE %[1]s CONNECTION LIMIT 0"},
		"no time":                        {owner, "ALTER DATABASE %[1]s SET statement_timeout TO 1; ALTER DATABASE %[1]s SET local_preload_libraries TO 'nowhere'"},
		"no rights":                      {owner, "REVOKE ALL ON DATABASE %[1]s FROM CURRENT_USER"},
		"a library":                      {itself, "ALTER ROLE %[1]s_a SET local_preload_libraries TO 'nowhere'"},
		"a library there":                {itself, "ALTER ROLE %[1]s_a IN DATABASE %[1]s SET local_preload_libraries TO 'nowhere'"},
		"a library, and no role to take": {itself, "ALTER ROLE %[1]s_a SET role TO NONE; ALTER ROLE %[1]s_a SET local_preload_libraries TO 'nowhere'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustConnect(t, admin)
			d := newDatabase(t, s, "settings")
			first := mustCreate(t, s, d)
			b, err := s.Enable(within(t), d, LoginB, rand.Reader)
			require.NoError(t, err)
			require.NoError(t, s.SetReadOnly(within(t), d, true))
			pgtest.Exec(t, first, "SET default_transaction_read_only TO off", statements[0], replaced(statements[1], d))
			require.NoError(t, s.Retire(within(t), d, LoginA))

			url, err := s.Enable(within(t), d, LoginA, rand.Reader)
			require.NoError(t, err)
			require.NoError(t, s.Retire(within(t), d, LoginB))
			mustRefuse(t, b)
			require.Equal(t, []string{"on"}, pgtest.Exec(t, url, "SHOW default_transaction_read_only"))
			require.Equal(t, []string{d.Owner()}, pgtest.Exec(t, url, "SELECT current_user"))
			require.NoError(t, s.SetReadOnly(within(t), d, false))
			requireWhole(t, d, url)
		})
	}
}

// TestARotationLeavesWhatATenantSet where that keeps nobody out.
func TestARotationLeavesWhatATenantSet(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "kept")
	first := mustCreate(t, s, d)
	pgtest.Exec(t, first, replaced("ALTER DATABASE %[1]s SET search_path TO mine", d), replaced("ALTER DATABASE %[1]s CONNECTION LIMIT 7", d))
	b, err := s.Enable(within(t), d, LoginB, rand.Reader)
	require.NoError(t, err)
	require.Equal(t, []string{"mine|7"}, pgtest.Exec(t, b, "SELECT current_setting('search_path'), datconnlimit FROM pg_database WHERE datname = current_database()"))
}
