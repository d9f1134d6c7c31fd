package provision

import (
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

func TestDropLeavesNothing(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d, other := newDatabase(t, s, "drop"), newDatabase(t, s, "other")
	url, kept := mustCreate(t, s, d), mustCreate(t, s, other)
	pgtest.Exec(t, url, `CREATE TABLE t (n int)`)
	ended := openSession(t, url)
	others := openSession(t, otherDatabase(t, pgtest.Server(t), d.Name))
	require.NoError(t, s.Drop(within(t), d))
	ended()
	others()
	requireGone(t, d)
	require.NoError(t, s.Drop(within(t), d), "twice")
	requireWhole(t, other, kept)
}

func TestDropTakesWhatIsLeft(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"a broken database": `UPDATE pg_database SET datconnlimit = -2 WHERE datname = '%[1]s'`,
		"a template":        `ALTER DATABASE %[1]s IS_TEMPLATE true`,
		"no database":       `DROP DATABASE %[1]s`,
		"no login":          `DROP ROLE %[1]s_a`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustConnect(t, pgtest.Server(t))
			d := newDatabase(t, s, name)
			mustCreate(t, s, d)
			pgtest.Exec(t, pgtest.Server(t), replaced(statement, d))
			require.NoError(t, s.Drop(within(t), d))
			requireGone(t, d)
		})
	}
}

// TestAnotherAdministratorCanRetireAndDrop what the first one made, as on a server whose
// administrator was replaced. From PostgreSQL 16 on he has to be given its roles.
func TestAnotherAdministratorCanRetireAndDrop(t *testing.T) {
	t.Parallel()
	admin := pgtest.Server(t)
	d := newDatabase(t, mustConnect(t, admin), "handed_on")
	url := mustCreate(t, mustConnect(t, admin), d)
	second := mustConnect(t, pgtest.Admin(t, "sp_test_second_admin", "pw"))
	ended := openSession(t, url)
	if second.major >= explicit {
		err := retire(t, second, d, LoginA)
		require.ErrorIs(t, err, ErrDenied)
		require.ErrorContains(t, err, "an administrator who did not make the tenant's roles needs them WITH ADMIN OPTION")
		require.ErrorIs(t, second.Drop(within(t), d), ErrDenied)
		_, err = second.Create(within(t), d, rand.Reader)
		require.ErrorIs(t, err, ErrDenied)
		requireWhole(t, d, url)
		pgtest.Exec(t, admin, fmt.Sprintf("GRANT %s, %s, %s TO sp_test_second_admin WITH ADMIN OPTION", d.Owner(), d.Role(LoginA), d.Role(LoginB)))
	}
	require.NoError(t, retire(t, second, d, LoginA))
	ended()
	pgtest.Exec(t, admin, "DROP ROLE "+d.Role(LoginA), "DROP ROLE "+d.Role(LoginB)) // whose member it would be
	require.NoError(t, second.Drop(within(t), d))
	requireGone(t, d)
}
