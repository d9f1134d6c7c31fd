package provision

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

// begun leaves a transaction open in which a tenant ran statements.
func begun(t *testing.T, url secret.Secret, statements string) {
	t.Helper()
	conn, err := pgconn.Connect(within(t), url.Reveal())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	_, err = conn.Exec(within(t), "START TRANSACTION; "+statements).ReadAll()
	require.NoError(t, err, statements)
}

// hostile is what a tenant, whose database is %[2]s, does to keep another one, %[1]s, from being dropped.
var hostile = map[string]struct {
	does   []string // in its database
	sits   []string // in a database of the server's own
	begins string   // and leaves open
	copies bool     // from a client that says nothing
	victim []string // does so in a database of the server's own
}{
	"a right on its database": {does: []string{`GRANT CONNECT ON DATABASE %[2]s TO %[1]s_owner, %[1]s_b`}},
	"rights in it":            {does: []string{`CREATE TABLE t (n int)`, `GRANT SELECT ON t TO %[1]s_a WITH GRANT OPTION`, `GRANT UPDATE (n) ON t TO %[1]s_owner`}},
	"rights on what comes":    {does: []string{`ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO %[1]s_owner`}},
	"a policy":                {does: []string{`CREATE TABLE t (n int)`, `CREATE POLICY p ON t TO %[1]s_b`}},
	"rights in a closed one":  {does: []string{`CREATE SCHEMA s`, `GRANT USAGE ON SCHEMA s TO %[1]s_a`}, sits: []string{`ALTER DATABASE %[2]s ALLOW_CONNECTIONS false`}},
	"rights where nobody may": {does: []string{`CREATE SCHEMA s`, `GRANT USAGE ON SCHEMA s TO %[1]s_a`, `REVOKE ALL ON DATABASE %[2]s FROM %[2]s_owner`}},
	"rights in a full one":    {does: []string{`CREATE SCHEMA s`, `GRANT USAGE ON SCHEMA s TO %[1]s_a`, `ALTER DATABASE %[2]s CONNECTION LIMIT 0`}},
	"rights where nothing lasts": {does: []string{
		`CREATE SCHEMA s`, `GRANT USAGE ON SCHEMA s TO %[1]s_a`, `ALTER DATABASE %[2]s SET lock_timeout TO 1`,
		`ALTER DATABASE %[2]s SET statement_timeout TO 1; ALTER DATABASE %[2]s SET default_transaction_read_only TO on`,
	}},
	"rights where no library is": {does: []string{
		`CREATE SCHEMA s`, `GRANT USAGE ON SCHEMA s TO %[1]s_a`, `ALTER DATABASE %[2]s SET local_preload_libraries TO nowhere`,
	}},
	"an open transaction":    {begins: `GRANT CONNECT ON DATABASE %[2]s TO %[1]s_a`},
	"a table that is locked": {does: []string{`CREATE TABLE t (n int)`, `GRANT SELECT ON t TO %[1]s_a`}, begins: `LOCK TABLE t`},
	"a prepared transaction": {does: []string{`START TRANSACTION; GRANT CONNECT ON DATABASE %[2]s TO %[1]s_a; PREPARE TRANSACTION '%[2]s'`}},
	"a prepared one in a closed database": {
		does: []string{`CREATE TABLE t (n int)`, `START TRANSACTION; GRANT SELECT ON t TO %[1]s_a; PREPARE TRANSACTION '%[2]s'`},
		sits: []string{`ALTER DATABASE %[2]s ALLOW_CONNECTIONS false`},
	},
	"objects of the other's":   {victim: []string{`SELECT lo_create(0)`}},
	"the lock that sp takes":   {sits: []string{`SELECT pg_advisory_lock(hashtext('sp %[1]s')), pg_sleep(60)`}},
	"a copy that gets nothing": {does: []string{`CREATE TABLE t (n int)`}, copies: true},
}

func TestATenantCantKeepAnotherFromBeingDropped(t *testing.T) {
	t.Parallel()
	admin := pgtest.Admin(t, "sp_test_hostile", "secret")
	for name, h := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustConnect(t, admin)
			victim, other := newDatabase(t, s, "victim"), newDatabase(t, s, "hostile")
			url, kept := mustCreate(t, s, victim), mustCreate(t, s, other)
			filled := func(statement string) string { return filledIn(statement, victim, other) }
			for _, statement := range h.does {
				pgtest.Exec(t, kept, filled(statement))
			}
			for _, statement := range h.victim {
				pgtest.Exec(t, otherDatabase(t, url, "postgres"), statement)
			}
			for _, statement := range h.sits {
				go func() { _, _ = pgtest.Try(otherDatabase(t, kept, "postgres"), filled(statement)) }() // one is ended
			}
			if len(h.sits) > 0 {
				time.Sleep(200 * time.Millisecond)
			}
			if h.begins != "" {
				begun(t, kept, filled(h.begins))
			}
			if h.copies {
				conn, err := pgconn.Connect(within(t), kept.Reveal())
				require.NoError(t, err)
				silent, end := io.Pipe()
				t.Cleanup(func() { _ = end.Close() })
				go func() { _, _ = conn.CopyFrom(context.Background(), silent, "COPY t FROM STDIN") }()
				time.Sleep(1200 * time.Millisecond) // which is long
			}
			got, err := s.TryLock(within(t), victim)
			require.NoError(t, err)
			if !got { // its session may take a moment to end
				require.NoError(t, s.Lock(within(t), victim))
			}
			_, err = s.Enable(within(t), victim, LoginB, rand.Reader)
			require.NoError(t, err, "a rotation is not kept, either")
			require.NoError(t, s.Drop(within(t), victim))
			requireGone(t, victim)
			_, err = s.Create(within(t), other, rand.Reader) // what it has stays, and opens
			require.NoError(t, err)
		})
	}
}

// TestATenantThatGrantsInALoopLoses: between what is taken away and the drop of the role it has no time.
func TestATenantThatGrantsInALoopLoses(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_loop", "secret"))
	victim, other := newDatabase(t, s, "victim"), newDatabase(t, s, "loop")
	mustCreate(t, s, victim)
	kept := mustCreate(t, s, other)
	pgtest.Exec(t, kept, "CREATE TABLE t (n int)")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := pgconn.Connect(context.Background(), kept.Reveal())
		for err == nil {
			_, err = conn.Exec(context.Background(), filledIn("GRANT SELECT ON t TO %[1]s_a", victim, other)).ReadAll()
		}
	}()
	require.NoError(t, s.Drop(within(t), victim))
	requireGone(t, victim)
	<-ended
}

// TestAnOpenChangeOfItsOwnLoginKeepsNoPassword: the login that a rotation ends is ended.
func TestAnOpenChangeOfItsOwnLoginKeepsNoPassword(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_own_login", "secret"))
	d := newDatabase(t, s, "own_login")
	old := mustCreate(t, s, d)
	begun(t, old, filledIn("SET ROLE NONE; ALTER ROLE %[1]s_a PASSWORD 'kept'", d, d))
	url, err := s.Enable(within(t), d, LoginB, rand.Reader)
	require.NoError(t, err)
	_, err = s.Expire(within(t), d, LoginA, time.Hour)
	require.NoError(t, err)
	require.NoError(t, retire(t, s, d, LoginA))
	mustRefuse(t, old)
	_, err = Check(within(t), url)
	require.NoError(t, err)
}

// TestSettingsOfATenantEndNoSessionOfTheAdministrators: he may be slower than they allow.
func TestSettingsOfATenantEndNoSessionOfTheAdministrators(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_idle", "secret"))
	d := newDatabase(t, s, "idle")
	mustCreate(t, s, d)
	for _, setting := range []string{"idle_session_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"} {
		if count(t, "pg_settings WHERE name = "+literal(setting)) == 1 {
			pgtest.Exec(t, pgtest.Server(t), "ALTER DATABASE "+d.Name+" SET "+setting+" TO 1")
		}
	}
	there, err := s.enter(within(t), "login", d.Name)
	require.NoError(t, err)
	defer there.close()
	for _, statement := range []string{"START TRANSACTION", "SELECT 1", "ROLLBACK"} {
		time.Sleep(20 * time.Millisecond)
		_, err = there.query(within(t), "later", statement)
		require.NoError(t, err, statement)
	}
}

// TestSettingsOfTheAdministratorReachNoSessionOfSps: they are for people.
func TestSettingsOfTheAdministratorReachNoSessionOfSps(t *testing.T) {
	t.Parallel()
	admin := pgtest.Admin(t, "sp_test_set_admin", "secret")
	for _, setting := range []string{"statement_timeout TO 1", "lock_timeout TO 1", "default_transaction_read_only TO on", "role TO pg_monitor", "idle_in_transaction_session_timeout TO 1"} {
		pgtest.Exec(t, pgtest.Server(t), "GRANT pg_monitor TO sp_test_set_admin", "ALTER ROLE sp_test_set_admin SET "+setting)
	}
	if count(t, "pg_settings WHERE name = 'idle_session_timeout'") == 1 {
		pgtest.Exec(t, pgtest.Server(t), "ALTER ROLE sp_test_set_admin SET idle_session_timeout TO '1s'")
	}
	s := mustConnect(t, admin)
	time.Sleep(1100 * time.Millisecond)
	d := newDatabase(t, s, "set_admin")
	requireWhole(t, d, mustCreate(t, s, d))
	require.NoError(t, s.Lock(within(t), d))
	require.NoError(t, s.Drop(within(t), d))
	requireGone(t, d)
}

// TestWhatCannotBeDroppedIsSeenBefore anything is lost.
func TestWhatCannotBeDroppedIsSeenBefore(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_may_drop", "secret"))
	d := newDatabase(t, s, "may_drop")
	url := mustCreate(t, s, d)
	require.NoError(t, s.MayDrop(within(t), d))
	openSession(t, url)
	require.NoError(t, s.MayDrop(within(t), d), "the tenant's own sessions end")
	conn, err := pgconn.Connect(within(t), otherDatabase(t, pgtest.Server(t), d.Name).Reveal())
	require.NoError(t, err)
	err = s.MayDrop(within(t), d)
	require.ErrorIs(t, err, ErrDenied)
	require.ErrorContains(t, err, "a session of role pgtest is in it, which this administrator may not end: SELECT pg_terminate_backend(")
	require.NoError(t, conn.Close(within(t)))
	require.Eventually(t, func() bool { return s.MayDrop(within(t), d) == nil }, 30*time.Second, 10*time.Millisecond, "it may take a moment to end")
	requireWhole(t, d, url)
}

// TestARightThatAnotherAdministratorGaveIsToldBefore anything is lost.
func TestARightThatAnotherAdministratorGaveIsToldBefore(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_innocent", "secret"))
	d := newDatabase(t, s, "innocent")
	url := mustCreate(t, s, d)
	pgtest.Exec(t, otherDatabase(t, url, "postgres"), "SELECT lo_create(0)")
	require.NoError(t, s.MayDrop(within(t), d), "what is the tenant's own can be taken away")
	pgtest.Exec(t, pgtest.Server(t), "GRANT CREATE ON DATABASE postgres TO "+d.Owner())
	err := s.MayDrop(within(t), d)
	require.ErrorIs(t, err, ErrDenied)
	require.ErrorContains(t, err, "may not take away")
	requireWhole(t, d, url)
	require.Equal(t, 1, count(t, "pg_largeobject_metadata m JOIN pg_roles r ON r.oid = lomowner WHERE rolname = "+literal(d.Owner())), "it was only tried")

	require.ErrorContains(t, s.Drop(within(t), d), "may not take away")
	require.Equal(t, 1, count(t, "pg_database WHERE datname = "+literal(d.Name)))
	mustRefuse(t, url)
	require.Equal(t, []string{"t|t"}, pgtest.Exec(t, pgtest.Server(t), fmt.Sprintf(
		"SELECT has_database_privilege('%[1]s_owner', '%[1]s', 'CONNECT'), has_database_privilege('%[1]s_owner', '%[1]s', 'TEMPORARY')", d.Name)))
	url, err = s.Reopen(within(t), d, rand.Reader)
	require.NoError(t, err, "and it can be used again")
	requireWhole(t, d, url)
	pgtest.Exec(t, pgtest.Server(t), "REVOKE CREATE ON DATABASE postgres FROM "+d.Owner())
	require.NoError(t, s.MayDrop(within(t), d))
	require.NoError(t, s.Drop(within(t), d))
	_, err = s.Reopen(within(t), d, rand.Reader)
	require.ErrorIs(t, err, ErrMismatch)
}

// TestWhatIsGivenByTheThousandIsTakenAwayOnce: to try it first would take as long again.
func TestWhatIsGivenByTheThousandIsTakenAwayOnce(t *testing.T) {
	t.Parallel()
	log := pgtest.Log(t)
	s := mustConnect(t, pgtest.Admin(t, "sp_test_thousand", "secret"))
	victim, other := newDatabase(t, s, "victim"), newDatabase(t, s, "thousand")
	mustCreate(t, s, victim)
	kept := mustCreate(t, s, other)
	pgtest.Exec(t, kept, filledIn(fmt.Sprintf("DO $$ BEGIN FOR i IN 1..%d LOOP EXECUTE 'GRANT SELECT ON LARGE OBJECT ' || lo_create(0) || ' TO %%[1]s_a'; END LOOP; END $$", mostTried+1), victim, other))
	require.NoError(t, s.MayDrop(within(t), victim))
	require.NoError(t, s.Drop(within(t), victim))
	requireGone(t, victim)
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), "DROP OWNED BY "+identifier(victim.Role(LoginA))))
}

// TestWhoWaitsIsToldForWhom after some seconds.
func TestWhoWaitsIsToldForWhom(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_waits", "secret"))
	d := newDatabase(t, s, "waits")
	mustCreate(t, s, d)
	var told []string
	s.Waits = func(what string) { told = append(told, what) }
	begun(t, otherDatabase(t, pgtest.Server(t), "postgres"), "SELECT pg_advisory_xact_lock("+keyOf(d.Name)+")")
	ctx, cancel := context.WithTimeout(t.Context(), toldAfter+3*blockedFor)
	defer cancel()
	require.ErrorIs(t, s.Lock(ctx, d), ErrUnavailable)
	require.Len(t, told, 1)
	require.Regexp(t, "^this takes a while: lock of database "+d.Name+"; it waits for a session of role pgtest in database postgres, pid [0-9]+$", told[0])
}

// TestTwoTenantsTogetherKeepNoneFromBeingDropped: one lets the other pass on what it may.
func TestTwoTenantsTogetherKeepNoneFromBeingDropped(t *testing.T) {
	t.Parallel()
	for name, admin := range map[string]secret.Secret{"superuser": pgtest.Server(t), "other": pgtest.Admin(t, "sp_test_together", "secret")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustConnect(t, admin)
			elder := mustConnect(t, pgtest.Server(t)) // whose roles the other may not act as
			victim, one, two := newDatabase(t, s, "victim"), newDatabase(t, s, "one"), newDatabase(t, elder, "two")
			mustCreate(t, s, victim)
			url, passes := mustCreate(t, s, one), mustCreate(t, elder, two)
			pgtest.Exec(t, url, filledIn(`CREATE TABLE t (n int); CREATE VIEW v AS TABLE t; CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE "S"; CREATE TYPE e AS ENUM ('a'); SELECT lo_create(7)`, one, two))
			pgtest.Exec(t, url, filledIn(`GRANT CONNECT ON DATABASE %[1]s TO %[2]s_owner WITH GRANT OPTION`, one, two))
			for _, what := range []string{"SELECT ON t", "UPDATE (n) ON t", "SELECT ON v", "EXECUTE ON FUNCTION f(int)", `USAGE ON SEQUENCE "S"`, "USAGE ON SCHEMA public", "USAGE ON TYPE e", "SELECT ON LARGE OBJECT 7"} {
				pgtest.Exec(t, url, filledIn("GRANT "+what+" TO %[2]s_owner WITH GRANT OPTION", one, two))
				pgtest.Exec(t, otherDatabase(t, passes, one.Name), "GRANT "+what+" TO "+victim.Role(LoginA))
			}
			pgtest.Exec(t, passes, filledIn("GRANT CONNECT ON DATABASE %[1]s TO %[2]s_b", one, victim))
			require.NoError(t, s.MayDrop(within(t), victim))
			require.NoError(t, s.Drop(within(t), victim))
			requireGone(t, victim)
		})
	}
}

// TestADropTakesFromNobodyElse: what the owner let somebody pass on, he keeps, and so does he whom he gave it.
func TestADropTakesFromNobodyElse(t *testing.T) {
	t.Parallel()
	for name, admin := range map[string]secret.Secret{"superuser": pgtest.Server(t), "other": pgtest.Admin(t, "sp_test_nobody_else", "secret")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustConnect(t, admin)
			victim, one, lead := newDatabase(t, s, "victim"), newDatabase(t, s, "one"), newDatabase(t, s, "lead")
			mustCreate(t, s, victim)
			url, passes := mustCreate(t, s, one), mustCreate(t, s, lead)
			pgtest.Exec(t, url, `CREATE TABLE given (n int); CREATE TABLE passed (n int); CREATE TABLE "C" ("N" int)`)
			pgtest.Exec(t, url, filledIn("GRANT CONNECT ON DATABASE %[1]s TO %[2]s_owner", one, lead))
			for _, what := range []string{"SELECT ON given", "SELECT ON passed", `SELECT ("N") ON "C"`} {
				pgtest.Exec(t, url, filledIn("GRANT "+what+" TO %[2]s_owner WITH GRANT OPTION", one, lead))
				pgtest.Exec(t, otherDatabase(t, passes, one.Name), filledIn("GRANT "+what+" TO %[1]s_b", lead, lead))
			}
			rights := func() []string {
				return pgtest.Exec(t, url, `SELECT relname, relacl, (SELECT attacl FROM pg_attribute WHERE attrelid = c.oid AND attname = 'N') FROM pg_class c WHERE relname IN ('given', 'passed', 'C') ORDER BY 1`)
			}
			before := rights()
			pgtest.Exec(t, url, "GRANT SELECT ON given TO "+victim.Role(LoginA)) // by the owner
			for _, what := range []string{"DELETE ON passed", `SELECT ("N") ON "C"`} {
				pgtest.Exec(t, otherDatabase(t, passes, one.Name), "GRANT "+what+" TO "+victim.Role(LoginA))
			}
			require.NoError(t, s.Drop(within(t), victim))
			requireGone(t, victim)
			require.Equal(t, before, rights())
		})
	}
}
