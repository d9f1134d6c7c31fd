package provision

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

// TestExtrasAreTheTenantsAloneAndGoWithIt: they are closed to others, both logins act as their owner, and a
// drop takes them away with the rest.
func TestExtrasAreTheTenantsAloneAndGoWithIt(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_extras", "secret"))
	d, other := newDatabase(t, s, "extras"), newDatabase(t, s, "extras_other")
	url, foreign := mustCreate(t, s, d), mustCreate(t, s, other)
	require.NoError(t, s.MakeExtras(within(t), d))
	require.NoError(t, s.MakeExtras(within(t), d), "again")
	names, err := s.FindExtras(within(t), d)
	require.NoError(t, err)
	require.Equal(t, []string{"test_" + d.Name, "shadow_" + d.Name}, names)
	for _, name := range names {
		pgtest.Exec(t, otherDatabase(t, url, name), "CREATE SCHEMA made", "CREATE TABLE made.t (n int)")
		answer, err := Check(within(t), otherDatabase(t, url, name))
		require.NoError(t, err)
		require.Equal(t, d.Tenant, answer.Tenant)
		_, err = Check(within(t), otherDatabase(t, foreign, name))
		require.ErrorIs(t, err, ErrDenied)
		require.Equal(t, "42501", stateOf(err))
	}
	pgtest.Exec(t, otherDatabase(t, foreign, other.Name), "GRANT CREATE ON DATABASE "+other.Name+" TO "+d.Owner())
	require.NoError(t, s.MayDrop(within(t), d))
	require.NoError(t, s.Drop(within(t), d))
	requireGone(t, d)
	require.Equal(t, 0, count(t, "pg_database WHERE datname LIKE '%"+d.Name+"'"))
}

// TestADatabaseOfOthersIsNoExtra: it is neither taken over nor dropped.
func TestADatabaseOfOthersIsNoExtra(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_no_extra", "secret"))
	d := newDatabase(t, s, "no_extra")
	mustCreate(t, s, d)
	pgtest.Exec(t, pgtest.Server(t), "CREATE DATABASE test_"+d.Name)
	defer pgtest.Exec(t, pgtest.Server(t), "DROP DATABASE test_"+d.Name)
	require.ErrorIs(t, s.MakeExtras(within(t), d), ErrMismatch)
	require.Equal(t, 0, count(t, "pg_database WHERE datname = 'shadow_"+d.Name+"'"), "nothing is made")
	require.NoError(t, s.Drop(within(t), d))
	require.Equal(t, 1, count(t, "pg_database WHERE datname = 'test_"+d.Name+"'"))
}

// TestWhyNoTenantMayMakeDatabases is what PostgreSQL does, for which sp makes them: everybody comes to a
// database that a role with CREATEDB makes, which may have any name, and it may rename its own.
func TestWhyNoTenantMayMakeDatabases(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d, other := newDatabase(t, s, "createdb"), newDatabase(t, s, "createdb_other")
	url, foreign := mustCreate(t, s, d), mustCreate(t, s, other)
	_, err := pgtest.Try(url, "CREATE DATABASE taken_"+d.Name)
	require.ErrorContains(t, err, "42501")
	pgtest.Exec(t, pgtest.Server(t), "ALTER ROLE "+d.Owner()+" CREATEDB")
	pgtest.Exec(t, url, "CREATE DATABASE test_"+other.Name)
	defer pgtest.Exec(t, pgtest.Server(t), "DROP DATABASE test_"+other.Name)
	pgtest.Exec(t, otherDatabase(t, url, "test_"+other.Name), "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT ''secret'''")
	require.Contains(t, pgtest.Exec(t, otherDatabase(t, foreign, "test_"+other.Name), "SELECT prosrc FROM pg_proc WHERE proname = 'f'")[0], "secret")
	require.ErrorIs(t, s.MakeExtras(within(t), other), ErrMismatch, "its name is taken")
}
