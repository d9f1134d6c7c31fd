package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// psqlSandbox has two tenants, a profile of the first, and a psql that is never run.
func psqlSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(t)
	program := s.write("programs/psql", "#!/bin/sh\n")
	require.NoError(t, makeExecutable(program))
	s.env["PATH"] = s.dir + "/programs"
	s.must("tenant", "create", "--id", "one", "--name", "first", "--database-url", "postgres://u:s3cr%40t@h:5/d?sslmode=require&password=s3cr%40t")
	s.must("tenant", "create", "--id", "two", "--name", "second", "--database-url", "postgres://v@h/e")
	s.must("profile", "create", "dev", "--tenant", "one", "-y")
	return s
}

func TestPsqlGetsThePasswordInItsEnvironmentOnly(t *testing.T) {
	t.Parallel()
	s := psqlSandbox(t)
	s.environ = []string{
		"HOME=/h", "PGHOST=elsewhere", "PGHOSTADDR=10.0.0.1", "PGPORT=1", "PGDATABASE=x", "PGUSER=x", "PGPASSWORD=x", "PGPASSFILE=/x", "PGSERVICE=x",
		"PGSERVICEFILE=/x", "PGAPPNAME=mine", "PGTARGETSESSIONATTRS=standby",
	}
	s.must("psql", "one", "--", "-c", "SELECT 1")
	require.Equal(t, []string{s.dir + "/programs/psql", "psql", "postgres://u@h:5/d?sslmode=require", "-c", "SELECT 1"}, s.replaced)
	require.Equal(t, []string{"HOME=/h", "PGPASSFILE=/x", "PGAPPNAME=mine", "PGPASSWORD=s3cr@t"}, s.given)
	s.must("psql", "two")
	require.NotContains(t, s.given, "PGPASSWORD=", "it asks for one")
}

// TestDbPsqlIsTheAdministratorsDoor: with the password in the environment only, to the tenant's database or to the
// one that the administrator's URL names.
func TestDbPsqlIsTheAdministratorsDoor(t *testing.T) {
	t.Parallel()
	s := psqlSandbox(t)
	s.environ = []string{"HOME=/h", "PGHOST=elsewhere", "PGUSER=x"}
	s.sql(`INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('h:5', 'server', 'postgres://boss:s3cret@h:5/postgres?sslmode=require', 1)`)
	s.must("tenant", "create", "--id", "three", "--name", "third", "--no-database")
	s.sql(`INSERT INTO databases VALUES ('three', 'ready', 'h:5', 'sp_third', 'a', NULL)`)
	s.must("db", "psql", "--", "-l")
	require.Equal(t, []string{s.dir + "/programs/psql", "psql", "postgres://boss@h:5/postgres?sslmode=require", "-l"}, s.replaced)
	require.Equal(t, []string{"HOME=/h", "PGPASSWORD=s3cret"}, s.given)
	s.must("db", "psql", "third")
	require.Equal(t, []string{"psql", "postgres://boss@h:5/sp_third?sslmode=require"}, s.replaced[1:])
	s.env["SP_POSTGRES_ADMIN_URL"] = "postgres://other:pw@h:5/x"
	s.must("db", "psql", "third")
	require.Equal(t, []string{"psql", "postgres://other@h:5/sp_third"}, s.replaced[1:], "the login of the environment, where it is for that server")

	o := s.run("db", "psql", "one")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "tenant one (first): sp did not make its database: somebody else runs it")
	require.Contains(t, o.stderr, "hint: sp psql one opens it as the tenant")
	require.Equal(t, 3, s.run("db", "psql", "nosuch").exit)
	s.sql(`UPDATE servers SET withheld = 'unnamed'`)
	o = s.run("db", "psql", "third")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "server h:5: not used until you name it")
}

func TestPsqlGetsOtherSecretsInAFileWithoutAName(t *testing.T) {
	t.Parallel()
	s := psqlSandbox(t)
	s.environ = []string{"HOME=/h", "PGSERVICE=x", "PGSERVICEFILE=/x"}
	s.must("tenant", "edit", "one", "--database-url", "postgres://u:pw@h/d?sslkey=/k&sslpassword=a%20b%26c&scram_client_key=k%3D%3D&sslmode=require&oauth_client_secret=o&scram_server_key=s")
	s.must("psql", "one")
	require.Equal(t, []string{"psql", "postgres://u@h/d?sslkey=/k&sslmode=require"}, s.replaced[1:])
	require.Equal(t, []string{"HOME=/h", "PGPASSWORD=pw", "PGSERVICE=sp"}, s.given[:3])
	require.Regexp(t, "^PGSERVICEFILE=/dev/fd/[0-9]+$", s.given[3])
	require.Equal(t, "[sp]\noauth_client_secret=o\nscram_client_key=k==\nscram_server_key=s\nsslpassword=a b&c\n", s.service)

	for _, value := range []string{"a%0Ab", "a%20", "a%0D"} { // libpq would read another one
		s.must("tenant", "edit", "one", "--database-url", "postgres://u@h/d?sslpassword="+value)
		s.replaced = nil
		o := s.run("psql", "one")
		require.Equal(t, 2, o.exit, value)
		require.Contains(t, o.stderr, "parameter sslpassword of the URL")
		require.Nil(t, s.replaced)
	}
}

func TestPsqlOpensTheTenantOrTheProfileThatIsNamed(t *testing.T) {
	t.Parallel()
	s := psqlSandbox(t)
	for _, words := range [][]string{{"one"}, {"first"}, {"dev"}, {"--profile", "dev"}} {
		s.replaced = nil
		s.must(append([]string{"psql"}, words...)...)
		require.Equal(t, "postgres://u@h:5/d?sslmode=require", s.replaced[2], words)
	}
	s.must("session", "switch", "dev")
	s.must("psql", "--", "-l")
	require.Equal(t, []string{"psql", "postgres://u@h:5/d?sslmode=require", "-l"}, s.replaced[1:], "the profile in effect")

	// A word that means a profile and another tenant means neither.
	s.must("profile", "create", "two", "--tenant", "one", "-y")
	require.Equal(t, "usage", s.run("psql", "--json", "two").code(t))
	o := s.run("psql", "two")
	require.Equal(t, 2, o.exit)
	require.Contains(t, o.stderr, "two: ambiguous: it may mean tenant two (second), or profile two of tenant one")
	require.Contains(t, o.stderr, "hint: --profile two is the profile, id:two the tenant")
	s.must("psql", "id:two")
	require.Equal(t, "postgres://v@h/e", s.replaced[2])
	s.must("psql", "--profile", "two")
	require.Equal(t, "postgres://u@h:5/d?sslmode=require", s.replaced[2])
}

// TestPsqlFallsThroughOnNotFoundOnly has a word that may mean two tenants never open a third
// one's database, and an exact name of either kind beat the beginning of an id.
func TestPsqlFallsThroughOnNotFoundOnly(t *testing.T) {
	t.Parallel()
	s := psqlSandbox(t)
	s.must("tenant", "create", "--id", "local_1", "--name", "twin", "--database-url", "postgres://v@h/1")
	s.must("tenant", "create", "--id", "local_2", "--name", "twin", "--allow-duplicate-name", "--database-url", "postgres://v@h/2")
	for _, name := range []string{"local", "twin", "local_2"} {
		s.must("profile", "create", name, "--tenant", "one", "-y")
	}
	s.replaced = nil
	for _, word := range []string{"twin", "local_2", "local_"} {
		o := s.run("psql", word)
		require.Equal(t, 2, o.exit, word)
		require.Contains(t, o.stderr, "ambiguous", word)
	}
	require.Nil(t, s.replaced)
	s.must("psql", "local") // a profile, and the beginning of two ids
	require.Equal(t, "postgres://u@h:5/d?sslmode=require", s.replaced[2])
	s.must("psql", "tw") // the beginning of an id alone
	require.Equal(t, "postgres://v@h/e", s.replaced[2])
}

// refusing is the address of a server that refuses every login with SQLSTATE 28P01.
func refusing(t *testing.T) string {
	t.Helper()
	const fields = "SFATAL\x00VFATAL\x00C28P01\x00Mpassword authentication failed\x00\x00"
	listener := loopback(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, string(binary.BigEndian.AppendUint32([]byte("E"), uint32(len(fields)+4)))+fields)
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

// A colleague rotated the password of a cloud tenant: psql alone would only say that it is wrong.
func TestPsqlSaysHowToFetchCredentialsThatAColleagueRotated(t *testing.T) {
	t.Parallel()
	s := psqlSandbox(t)
	s.write("in.json", fmt.Sprintf(`{"tenants":[{"id":"t-9","name":"shop","tenant_type":"cloud","internal_database_url":"postgres://u:s3cret@%s/d?sslmode=disable"}],"synced_at":"2026-02-01T10:00:00Z"}`, refusing(t)))
	s.must("import", "in.json")
	s.must("psql", "shop")
	require.NotNil(t, s.replaced, "offline, nobody looks")
	s.replaced = nil
	delete(s.env, "SP_OFFLINE")
	o := s.run("psql", "shop")
	require.Equal(t, 9, o.exit, o.stderr)
	require.Nil(t, s.replaced)
	require.Contains(t, o.stderr, "tenant t-9 (shop): Access denied: wrong password (28P01)")
	require.Contains(t, o.stderr, "hint: sp tenant provision t-9 fetches the current credentials, if somebody else changed them")
	require.NotContains(t, o.stderr, "s3cret")
	o = s.run("exec", "shop", "--", "psql")
	require.Equal(t, 9, o.exit, o.stderr)
	require.Nil(t, s.replaced)
	require.Contains(t, o.stderr, "hint: sp tenant provision t-9 fetches the current credentials")
	o = s.run("tenant", "check", "t-9")
	require.Contains(t, o.stderr, "sp tenant provision t-9 fetches the current credentials")
	s.must("tenant", "edit", "t-9", "--internal-database-url", "postgres://u:s3cret@127.0.0.1:1/d")
	s.must("psql", "shop")
	require.NotNil(t, s.replaced, "what else is wrong psql says")
}

func TestPsqlRefuses(t *testing.T) {
	t.Parallel()
	s := psqlSandbox(t)
	for exit, lines := range map[int][][]string{
		2: {{"psql", "one", "two"}, {"psql", "one", "--json"}, {"psql", "one", "--profile", "dev"}},
		3: {{"psql", "nobody"}, {"psql", "--profile", "nobody"}},
	} {
		for _, line := range lines {
			require.Equal(t, exit, s.run(line...).exit, line)
		}
	}
	require.Nil(t, s.replaced)
	s.env["PATH"], s.env["SP_POSTGRES_BIN"] = "", s.dir
	o := s.run("psql", "one")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "psql: not found")
}

func makeExecutable(path string) error { return os.Chmod(path, 0o700) }
