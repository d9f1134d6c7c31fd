package provision

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

func TestCreateMakesAWholeDatabaseWithALogin(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "Acme Inc.")
	require.Regexp(t, `^sp_acme_inc_[a-z0-9]{6}$`, d.Name)
	var steps []string
	s.Progress = func(step string) { steps = append(steps, step) }
	requireWhole(t, d, mustCreate(t, s, d))
	require.Equal(t, []string{"look", "roles", "database", "rights", "login"}, steps)
	require.Regexp(t, `^\d+\.\d+$`, s.Version())
}

func TestCreateEndsWithALoginThatWorks(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "login")
	s.Progress = func(step string) {
		if step == "login" {
			pgtest.Exec(t, pgtest.Server(t), "ALTER ROLE "+d.Role(LoginA)+" CONNECTION LIMIT 0")
		}
	}
	_, err := s.Create(within(t), d, rand.Reader)
	require.ErrorIs(t, err, ErrUnavailable)
	require.Equal(t, "53300", stateOf(err))
}

func TestCreateAgainEndsTheFormerPassword(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "again")
	first := mustCreate(t, s, d)
	pgtest.Exec(t, first, `CREATE TABLE kept (n int)`)
	second := mustCreate(t, s, d)
	requireWhole(t, d, second)
	mustRefuse(t, first)
	pgtest.Exec(t, second, `TABLE kept`)
}

func TestCreateRefusesTheDatabaseOfSomebodyElse(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][]string{
		"another owner":                 {`CREATE DATABASE %[1]s TEMPLATE template0`},
		"another tenant":                {`CREATE ROLE %[1]s_owner`, `CREATE DATABASE %[1]s OWNER %[1]s_owner TEMPLATE template0`, `COMMENT ON ROLE %[1]s_owner IS 'sp tenant local_other'`},
		"only a role of another tenant": {`CREATE ROLE %[1]s_owner`, `COMMENT ON ROLE %[1]s_owner IS 'sp tenant local_other'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			admin := pgtest.Server(t)
			s := mustConnect(t, admin)
			d := newDatabase(t, s, name)
			t.Cleanup(func() { // before d is dropped
				pgtest.Exec(t, admin, `DROP DATABASE IF EXISTS `+d.Name)
				pgtest.Exec(t, admin, `DROP ROLE IF EXISTS `+d.Owner())
			})
			for _, statement := range statements {
				pgtest.Exec(t, admin, replaced(statement, d))
			}
			before := count(t, "pg_database WHERE datname = "+literal(d.Name)) + 10*count(t, "pg_roles WHERE starts_with(rolname, "+literal(d.Name)+")")
			_, err := s.Create(within(t), d, rand.Reader)
			require.ErrorIs(t, err, ErrMismatch)
			require.ErrorIs(t, s.Drop(within(t), d), ErrMismatch)
			require.Equal(t, before, count(t, "pg_database WHERE datname = "+literal(d.Name))+10*count(t, "pg_roles WHERE starts_with(rolname, "+literal(d.Name)+")"))
		})
	}
}

// TestCreateManyAtOnce: they all change the rights on the same two databases.
func TestCreateManyAtOnce(t *testing.T) {
	t.Parallel()
	admin := pgtest.Trust(t) // a server of its own: nobody else's tests need its postgres open
	var wait sync.WaitGroup
	for i := range 8 {
		s := mustConnect(t, admin)
		d := newDatabase(t, s, fmt.Sprint("many", i))
		d.Own = true
		wait.Go(func() {
			_, err := s.Create(t.Context(), d, rand.Reader)
			assert.NoError(t, err)
		})
	}
	wait.Wait()
}

// TestAnAdministratorNeedsNoMoreThanDatabasesAndRoles for all that is done.
func TestAnAdministratorNeedsNoMoreThanDatabasesAndRoles(t *testing.T) {
	t.Parallel()
	requireEverything(t, pgtest.Admin(t, "sp_test_plain_admin", "pw"))
}

// TestAnAdministratorMayBeGivenLittleOfWhatHeMakes from PostgreSQL 16 on, where that is set.
func TestAnAdministratorMayBeGivenLittleOfWhatHeMakes(t *testing.T) {
	t.Parallel()
	admin := pgtest.Server(t)
	if s := mustConnect(t, admin); s.major < explicit {
		t.Skip("PostgreSQL " + s.Version() + " lets an administrator do what he likes with any role")
	}
	for role, setting := range map[string]string{
		"sp_test_given_nothing": "SET createrole_self_grant = ''", "sp_test_given_set": "SET createrole_self_grant = 'set'",
		"sp_test_given_inherit": "SET createrole_self_grant = 'inherit'", "sp_test_given_no_inherit": "NOINHERIT",
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Admin(t, role, "pw")
			pgtest.Exec(t, admin, "ALTER ROLE "+role+" "+setting)
			requireEverything(t, url)
		})
	}
}

// user is who the administrator is.
func (s *Server) user(t *testing.T) string {
	t.Helper()
	rows, err := s.query(within(t), "user", "SELECT current_user")
	require.NoError(t, err)
	return rows[0][0]
}

// requireEverything of an administrator: he can do all that is done.
func requireEverything(t *testing.T, admin secret.Secret) {
	t.Helper()
	s := mustConnect(t, admin)
	d := newDatabase(t, s, "plain")
	mustCreate(t, s, d)
	requireWhole(t, d, mustCreate(t, s, d))
	require.Equal(t, 3, count(t, fmt.Sprintf(`(SELECT DISTINCT roleid FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid
		WHERE admin_option AND member = (SELECT oid FROM pg_roles WHERE rolname = %s) AND starts_with(rolname, %s)) made`,
		literal(s.user(t)), literal(d.Name))), "he may do all of it after an upgrade, too")
	a, err := s.Enable(within(t), d, LoginA, rand.Reader)
	require.NoError(t, err)
	done := openSession(t, a)
	b, err := s.Enable(within(t), d, LoginB, rand.Reader)
	require.NoError(t, err)
	pgtest.Exec(t, a, `CREATE TABLE of_a (n int)`, `RESET ROLE`, `CREATE TEMP TABLE of_a_itself (n int)`)
	pgtest.Exec(t, b, `CREATE TABLE of_b (n int)`, `ALTER TABLE of_a ADD m int`)
	_, err = s.Expire(within(t), d, LoginA, 0)
	require.NoError(t, err)
	mustRefuse(t, a)
	require.NoError(t, retire(t, s, d, LoginA))
	done()
	require.NoError(t, s.Drop(within(t), d))
	requireGone(t, d)
}

func TestAnAdministratorWithoutTheRightsIsRefused(t *testing.T) {
	t.Parallel()
	admin := pgtest.Server(t)
	for role, rights := range map[string]string{
		"sp_test_none": "", "sp_test_no_db": "CREATEROLE", "sp_test_no_role": "CREATEDB", "sp_test_no_inherit": "CREATEDB CREATEROLE NOINHERIT",
	} {
		pgtest.Exec(t, admin, "DROP ROLE IF EXISTS "+role, "CREATE ROLE "+role+" LOGIN PASSWORD 'pw' "+rights)
		t.Cleanup(func() { pgtest.Exec(t, admin, "DROP ROLE "+role) })
		url, err := pgurl.For(admin, role, "postgres", secret.New("pw"))
		require.NoError(t, err)
		s, err := Connect(within(t), url)
		if role == "sp_test_no_inherit" && err == nil {
			require.GreaterOrEqual(t, s.major, explicit, "he is given what he needs by name")
			require.NoError(t, s.Close())
			continue
		}
		require.ErrorIs(t, err, ErrDenied, role)
		require.ErrorContains(t, err, "the role has ", role)
	}
}

func TestHostileNamesAreQuoted(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	for _, name := range []string{`"; DROP DATABASE postgres; --`, `it's \ "x"`, `Ünï cödé`, `%s$1%%`, "a\nb", strings.Repeat("x", longest-len("_owner"))} {
		d := Database{Name: name, Tenant: `local_'\ "; --`}
		dropAtTheEnd(t, s, d)
		requireWhole(t, d, mustCreate(t, s, d))
		require.NoError(t, s.Drop(within(t), d))
		requireGone(t, d)
	}
	for _, name := range []string{"", strings.Repeat("x", longest-len("_owner")+1), "a\x00b"} {
		d := Database{Name: name}
		_, err := s.Create(within(t), d, rand.Reader)
		require.ErrorIs(t, err, ErrInvalid, "%q", name)
		require.ErrorIs(t, s.Drop(within(t), d), ErrInvalid, "%q", name)
		require.ErrorIs(t, retire(t, s, d, LoginA), ErrInvalid, "%q", name)
	}
}
