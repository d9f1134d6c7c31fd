package provision

import (
	"crypto/rand"
	"net"
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
		"no time for a statement":        {owner, "ALTER DATABASE %[1]s SET statement_timeout TO 1; ALTER DATABASE %[1]s CONNECTION LIMIT 0"},
		"no time between statements":     {itself, "ALTER ROLE %[1]s_a SET idle_session_timeout TO 1; ALTER ROLE %[1]s_a IN DATABASE %[1]s SET statement_timeout TO 1"},
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
			require.NoError(t, retire(t, s, d, LoginA))

			url, err := s.Enable(within(t), d, LoginA, rand.Reader)
			require.NoError(t, err)
			require.NoError(t, retire(t, s, d, LoginB))
			mustRefuse(t, b)
			// A time-out keeps nobody out who is quick enough, and so may have stayed.
			for _, level := range []string{"ROLE " + d.Role(LoginA), "ROLE " + d.Role(LoginA) + " IN DATABASE " + d.Name, "DATABASE " + d.Name} {
				pgtest.Exec(t, pgtest.Server(t), "ALTER "+level+" RESET idle_session_timeout", "ALTER "+level+" RESET statement_timeout")
			}
			require.Equal(t, []string{"on"}, pgtest.Exec(t, url, "SHOW default_transaction_read_only"))
			require.Equal(t, []string{d.Owner()}, pgtest.Exec(t, url, "SELECT current_user"))
			require.NoError(t, s.SetReadOnly(within(t), d, false))
			requireWhole(t, d, url)
		})
	}
}

// TestARotationLeavesWhatATenantSet where that keeps nobody out, whatever else does.
func TestARotationLeavesWhatATenantSet(t *testing.T) {
	t.Parallel()
	full := "remaining connection slots are reserved for roles with the SUPERUSER attribute"
	for name, refusal := range map[string]struct {
		at    func(net.Conn) // what answers in place of the server
		admin string         // what the administrator did
		want  error
	}{
		"it works":              {},
		"the server is full":    {at: pgtest.Says("53300", full), want: ErrUnavailable},
		"the disk is full":      {at: pgtest.Says("53100", "could not extend file"), want: ErrUnavailable},
		"the server starts":     {at: pgtest.Says("57P03", "the database system is starting up"), want: ErrUnavailable},
		"the server stops":      {at: pgtest.Says("57P01", "terminating connection due to administrator command"), want: ErrUnavailable},
		"a pooler is behind":    {at: pgtest.Says("28P01", "password authentication failed"), want: ErrDenied},
		"a pooler knows less":   {at: pgtest.Says("08P01", "password authentication failed"), want: ErrDenied},
		"a pooler is full":      {at: pgtest.Says("08P01", "server login failed: FATAL: "+full), want: ErrUnavailable},
		"pg_hba.conf":           {at: pgtest.Says("28000", "no pg_hba.conf entry for host"), want: ErrDenied},
		"a disk":                {at: pgtest.Says("58030", "could not read file"), want: ErrUnavailable},
		"a bug of the server":   {at: pgtest.Says("XX000", "cache lookup failed"), want: ErrDenied},
		"the network":           {at: func(net.Conn) {}, want: ErrUnavailable},
		"the role has no place": {admin: "ALTER ROLE %[1]s_b CONNECTION LIMIT 0", want: ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mustConnect(t, pgtest.Server(t))
			d := newDatabase(t, s, "kept")
			first := mustCreate(t, s, d)
			for _, statement := range []string{
				"ALTER DATABASE %[1]s SET search_path TO mine", "ALTER DATABASE %[1]s CONNECTION LIMIT 7", "ALTER DATABASE %[1]s SET statement_timeout TO '1min'",
			} {
				pgtest.Exec(t, first, replaced(statement, d))
			}
			if refusal.admin != "" {
				pgtest.Exec(t, pgtest.Server(t), replaced(refusal.admin, d))
			}
			if refusal.at != nil {
				s.admin = fake(t, refusal.at)
			}
			_, err := s.Enable(within(t), d, LoginB, rand.Reader)
			if refusal.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, refusal.want)
			}
			require.Equal(t, []string{"mine|1min|7"}, pgtest.Exec(t, first,
				"SELECT current_setting('search_path'), current_setting('statement_timeout'), datconnlimit FROM pg_database WHERE datname = current_database()"))
		})
	}
}

// TestOnlyTheSettingThatKeepsALoginOutIsUndone.
func TestOnlyTheSettingThatKeepsALoginOutIsUndone(t *testing.T) {
	t.Parallel()
	for _, hostile := range []string{
		"ALTER DATABASE %[1]s CONNECTION LIMIT 0", "ALTER DATABASE %[1]s SET statement_timeout TO 1", "REVOKE ALL ON DATABASE %[1]s FROM CURRENT_USER",
		"ALTER DATABASE %[1]s SET local_preload_libraries TO 'nowhere'", "ALTER DATABASE %[1]s ALLOW_CONNECTIONS false",
	} {
		t.Run(hostile, func(t *testing.T) {
			t.Parallel()
			s := mustConnect(t, pgtest.Server(t))
			d := newDatabase(t, s, "only")
			first := mustCreate(t, s, d)
			pgtest.Exec(t, first, replaced("ALTER DATABASE %[1]s SET search_path TO mine", d))
			pgtest.Exec(t, otherDatabase(t, pgtest.Server(t), "postgres"), "SET ROLE "+identifier(d.Owner()), replaced(hostile, d))
			b, err := s.Enable(within(t), d, LoginB, rand.Reader)
			require.NoError(t, err)
			require.Equal(t, []string{"mine"}, pgtest.Exec(t, b, "SHOW search_path"))
		})
	}
}

// TestASettingThatSpDoesNotKnowIsUndoneWithAllOthers, as one of an extension's with which each statement
// fails.
func TestASettingThatSpDoesNotKnowIsUndoneWithAllOthers(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Server(t))
	d := newDatabase(t, s, "unknown")
	first := mustCreate(t, s, d)
	require.NoError(t, s.SetReadOnly(within(t), d, true))
	pgtest.Exec(t, first, "SET default_transaction_read_only TO off", replaced("ALTER DATABASE %[1]s SET search_path TO mine", d))
	s.admin = fake(t, pgtest.Says("54000", "the plan costs too much"))
	_, err := s.Enable(within(t), d, LoginB, rand.Reader)
	require.ErrorIs(t, err, ErrDenied)
	require.Equal(t, []string{`"$user", public|on|` + d.Owner()}, pgtest.Exec(t, first,
		"SELECT current_setting('search_path'), current_setting('default_transaction_read_only'), current_user"))
}
