package provision

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

func TestATenantCannotReachOthers(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	a, b := newDatabase(t, s, "a"), newDatabase(t, s, "b")
	url := mustCreate(t, s, a)
	mustCreate(t, s, b)

	_, err := Check(within(t), otherDatabase(t, url, b.Name))
	require.ErrorIs(t, err, ErrDenied)
	require.Equal(t, "42501", stateOf(err))
	for statement, state := range map[string]string{
		`SELECT rolpassword FROM pg_authid`:                        "42501",
		`CREATE DATABASE mine`:                                     "42501",
		`CREATE ROLE mine`:                                         "42501",
		`COPY (SELECT 1) TO PROGRAM 'true'`:                        "42501",
		`SELECT pg_read_file('/etc/passwd')`:                       "42501",
		`ALTER ROLE "` + b.Role(LoginA) + `" PASSWORD 'x'`:         "42501",
		`SET ROLE "` + b.Owner() + `"`:                             "42501",
		`GRANT "` + b.Owner() + `" TO "` + a.Role(LoginA) + `"`:    "42501",
		`DROP DATABASE "` + b.Name + `"`:                           "42501",
		`COMMENT ON ROLE "` + a.Owner() + `" IS 'sp tenant other'`: "42501",
	} {
		_, err := pgtest.Try(url, statement)
		require.ErrorContains(t, err, state, statement)
	}
	require.Equal(t, []string{"1"}, pgtest.Exec(t, url, `SELECT 1`))
}

// TestWhatATenantSeesOfAnother is what the documents say, no less and no more.
func TestWhatATenantSeesOfAnother(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	a, b := newDatabase(t, s, "sees"), newDatabase(t, s, "seen")
	url, seen := mustCreate(t, s, a), mustCreate(t, s, b)
	pgtest.Exec(t, seen, `ALTER DATABASE `+b.Name+` SET search_path TO shown`, `CREATE TABLE hidden (n int)`)
	sits, err := pgconn.Connect(within(t), with(seen, "?application_name=shown").Reveal())
	require.NoError(t, err)
	t.Cleanup(func() { _ = sits.Close(context.Background()) })
	_, err = sits.Exec(within(t), "SELECT 'hidden'").ReadAll()
	require.NoError(t, err)
	sees := func(query string) string { return strings.Join(pgtest.Exec(t, url, replaced(query, b)), " ") }

	require.Equal(t, b.Name, sees(`SELECT datname FROM pg_database WHERE datname = '%[1]s'`))
	require.Equal(t, b.Role(LoginA)+" "+b.Role(LoginB)+" "+b.Owner(), sees(`SELECT rolname FROM pg_roles WHERE rolname LIKE '%[1]s%' ORDER BY 1`))
	require.Equal(t, "sp tenant "+b.Tenant, sees(`SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '%[1]s_owner'`))
	require.Equal(t, "{search_path=shown}", sees(`SELECT setconfig FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = '%[1]s' AND setrole = 0`))
	require.Equal(t, "1", sees(`SELECT numbackends FROM pg_stat_database WHERE datname = '%[1]s'`))
	require.Equal(t, b.Role(LoginA)+"|shown|<insufficient privilege>|||", sees(`SELECT usename, application_name, query, client_addr, state, backend_start FROM pg_stat_activity WHERE datname = '%[1]s'`))
	_, err = pgtest.Try(url, replaced(`SELECT pg_database_size('%[1]s')`, b))
	require.ErrorContains(t, err, "42501")
}

// TestATenantCannotSitInTheServersOwnDatabases where the server is one that sp runs; on
// another one they stay as they are.
func TestATenantCannotSitInTheServersOwnDatabases(t *testing.T) {
	t.Parallel()
	admin := pgtest.Server(t)
	s := mustConnect(t, admin)
	d := newDatabase(t, s, "own")
	mustCreate(t, s, d)
	open := `SELECT bool_and(has_database_privilege('public', oid, 'CONNECT')) FROM pg_database WHERE datname IN ('postgres', 'template1')`
	require.Equal(t, []string{"t"}, pgtest.Exec(t, admin, open))

	trust := pgtest.Trust(t)
	s = mustConnect(t, trust)
	d = newDatabase(t, s, "own")
	d.Own = true
	url := mustCreate(t, s, d)
	for _, database := range []string{"postgres", "template1"} {
		_, err := Check(within(t), otherDatabase(t, url, database))
		require.ErrorIs(t, err, ErrDenied, database)
		require.Equal(t, "42501", stateOf(err), database)
	}
	require.Equal(t, []string{"f"}, pgtest.Exec(t, trust, open))
	_, err := s.Create(within(t), d, rand.Reader)
	require.NoError(t, err)
}

func TestOneLoginCanAlterWhatTheOtherMade(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "flip")
	a := mustCreate(t, s, d)
	pgtest.Exec(t, a, `CREATE SCHEMA app`, `CREATE TABLE app.t (n int)`, `CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'`)
	b, err := s.Enable(within(t), d, LoginB, rand.Reader)
	require.NoError(t, err)
	require.NoError(t, retire(t, s, d, LoginA))
	pgtest.Exec(t, b, `ALTER TABLE app.t ADD m int`, `DROP FUNCTION app.f()`, `DROP SCHEMA app CASCADE`)
}

// TestWhoWasLetInIsNamed: a login that leaked can let others in, and a new password does not keep them out.
func TestWhoWasLetInIsNamed(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_strangers", "secret"))
	d, thief := newDatabase(t, s, "let"), newDatabase(t, s, "thief")
	url := mustCreate(t, s, d)
	mustCreate(t, s, thief)
	named := func() []Stranger {
		found, err := s.Strangers(within(t), d)
		require.NoError(t, err)
		answer, err := Check(within(t), url)
		require.NoError(t, err)
		require.Equal(t, answer.Strangers, found, "the tenant sees the same")
		return found
	}
	require.Empty(t, named())
	pgtest.Exec(t, url, filledIn("GRANT CONNECT ON DATABASE %[1]s TO %[2]s_owner, PUBLIC, %[1]s_a", d, thief))
	pgtest.Exec(t, pgtest.Server(t), filledIn("GRANT %[1]s_a TO %[2]s_b WITH ADMIN OPTION", d, thief)) // as it could itself, up to PostgreSQL 14
	require.Equal(t, []Stranger{
		{"PUBLIC", "REVOKE ALL ON DATABASE " + d.Name + " FROM PUBLIC CASCADE"},
		{thief.Role(LoginB), "REVOKE " + d.Role(LoginA) + " FROM " + thief.Role(LoginB) + " CASCADE"},
		{thief.Owner(), "REVOKE ALL ON DATABASE " + d.Name + " FROM " + thief.Owner() + " CASCADE"},
	}, named())
	for _, stranger := range named() {
		pgtest.Exec(t, pgtest.Server(t), stranger.Revoke)
	}
	require.Empty(t, named())
	require.NoError(t, s.MakeExtras(within(t), d))
	pgtest.Exec(t, otherDatabase(t, url, "test_"+d.Name), filledIn("GRANT CONNECT ON DATABASE test_%[1]s TO %[2]s_owner", d, thief))
	found, err := s.Strangers(within(t), d)
	require.NoError(t, err)
	require.Equal(t, []Stranger{{thief.Owner(), "REVOKE ALL ON DATABASE test_" + d.Name + " FROM " + thief.Owner() + " CASCADE"}}, found)
}
