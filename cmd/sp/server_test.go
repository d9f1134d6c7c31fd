package main

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/postgres"
)

// impostor listens where a server of sp's has its port, and asks each client for a password.
type impostor struct {
	t    *testing.T
	port int
	asks []byte // the message by which it does

	mu      sync.Mutex
	logins  int
	answers []string // what clients sent behind that
}

// The ways in which a server may ask.
var (
	inClear = []byte{'R', 0, 0, 0, 8, 0, 0, 0, 3}
	byMD5   = []byte{'R', 0, 0, 0, 12, 0, 0, 0, 5, 1, 2, 3, 4}
	notAll  = []byte{'R', 0, 0, 0, 8, 0, 0, 0, 0}
)

func newImpostor(t *testing.T, asks []byte) *impostor {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	i := &impostor{t: t, port: listener.Addr().(*net.TCPAddr).Port, asks: asks}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go i.meet(conn)
		}
	}()
	return i
}

// meet has no TLS, reads who comes, asks for the password and keeps what is said then.
func (i *impostor) meet(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	i.mu.Lock()
	i.logins++
	i.mu.Unlock()
	const wantsTLS = 80877103
	for {
		var head [8]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		if binary.BigEndian.Uint32(head[4:]) == wantsTLS {
			_, _ = conn.Write([]byte("N"))
			continue
		}
		_, _ = io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(head[:4]))-8)
		break
	}
	_, _ = conn.Write(i.asks)
	said, _ := io.ReadAll(conn)
	i.mu.Lock()
	i.answers = append(i.answers, string(said))
	i.mu.Unlock()
}

// met are how many came, and the passwords that they sent, in whatever form.
func (i *impostor) met() (logins int, passwords []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, said := range i.answers {
		if strings.HasPrefix(said, "p") {
			passwords = append(passwords, said)
		}
	}
	return i.logins, passwords
}

// impostorSandbox has two tenants with databases on the server that sp runs, one of them
// adopted, and somebody else on its port.
func impostorSandbox(t *testing.T, i *impostor) *sandbox {
	t.Helper()
	s := newSandbox(t)
	s.env["SP_DATA_DIR"], s.env["SP_POSTGRES_BIN"] = s.dir+"/data", s.dir
	program := s.write("programs/psql", "#!/bin/sh\necho 'psql (PostgreSQL) 15.1'\n")
	require.NoError(t, makeExecutable(program))
	s.env["PATH"] = s.dir + "/programs"
	for id, url := range map[string]string{"made": "postgres://sp_made_a:s3cret@127.0.0.1:%d/sp_made", "adopted": "postgres://u:s3cret@localhost:%d/d?sslmode=disable"} {
		s.must("tenant", "create", "--id", id, "--name", id, "--no-check", "--database-url", fmt.Sprintf(url, i.port))
		s.must("profile", "create", id, "--tenant", id)
	}
	s.must("session", "switch", "made")
	s.sql(fmt.Sprintf("INSERT INTO servers (name, provider, admin_url, chosen, place, identity) VALUES ('local', 'local', 'postgres://sp_admin:s3cret@127.0.0.1:%d/postgres', 0, '%s', '1:2')", i.port, thePlace))
	s.sql("INSERT INTO databases VALUES ('made', 'ready', 'local', 'sp_made', 'a', NULL)")
	s.write("data/postgres/"+thePlace+"/data/PG_VERSION", "15\n")
	identity, err := postgres.Cluster{Dir: s.dir + "/data/postgres/" + thePlace}.Identity()
	require.NoError(t, err)
	s.sql("UPDATE servers SET identity = '" + identity + "'")
	delete(s.env, "SP_OFFLINE")
	return s
}

// logins are all commands that log in to a database.
var logins = [][]string{
	{"tenant", "check", "made"},
	{"tenant", "check", "adopted"},
	{"tenant", "check", "--all"},
	{"tenant", "provision", "made"},
	{"tenant", "rotate-credentials", "made", "-y"},
	{"tenant", "rotate-credentials", "adopted", "-y"},
	{"tenant", "rotate-credentials", "adopted", "-y", "--now"},
	{"doctor", "--connect"},
	{"db", "status"},
	{"tenant", "create", "--name", "next"},
	{"tenant", "delete", "made", "-y"},
}

// TestNobodyIsMetOnThePortOfAStoppedServer: neither a password nor anything else is sent.
func TestNobodyIsMetOnThePortOfAStoppedServer(t *testing.T) {
	t.Parallel()
	i := newImpostor(t, inClear)
	s := impostorSandbox(t, i)
	for _, words := range append(logins, []string{"psql", "made"}, []string{"psql", "adopted"},
		[]string{"tenant", "create", "--name", "other", "--database-url", fmt.Sprintf("postgres://u:s3cret@127.0.0.1:%d/d", i.port)}) {
		s.run(words...)
		met, _ := i.met()
		require.Zero(t, met, words)
	}
	require.Nil(t, s.replaced)
	for _, line := range []string{"psql%s made", "exec%s made -- psql", "tenant check%s made"} {
		o := s.run(strings.Fields(fmt.Sprintf(line, ""))...)
		require.Equal(t, 9, o.exit, line)
		require.Contains(t, o.stderr, "server local does not run, and can't be started: "+s.dir+": PostgreSQL's program postgres: not there", line)
		o = s.run(strings.Fields(fmt.Sprintf(line, " --no-start"))...)
		require.Equal(t, 9, o.exit, line)
		require.Contains(t, o.stderr, "server local does not run", line)
		require.Contains(t, o.stderr, "\nsp: hint: sp db up", line)
	}

	// The file of a server that was killed, whose pid another program has by now, is no server.
	s.write("data/postgres/"+thePlace+"/data/postmaster.pid", fmt.Sprintf("%d\n/data\n1\n%d\n\n\n\nready\n", os.Getpid(), i.port))
	require.Equal(t, 9, s.run("tenant", "check", "made").exit)
	met, _ := i.met()
	require.Zero(t, met)
}

// TestAnImpostorLearnsNoPassword, be it that the server seems to run: SCRAM is demanded.
func TestAnImpostorLearnsNoPassword(t *testing.T) {
	t.Parallel()
	for _, asks := range [][]byte{inClear, byMD5, notAll} {
		for _, elsewhere := range []bool{false, true} {
			i := newImpostor(t, asks)
			s := impostorSandbox(t, i)
			s.seemsToRun(i.port, elsewhere)
			for _, words := range logins {
				o := s.run(words...)
				_, passwords := i.met()
				require.Empty(t, passwords, "%v: %s", words, o.stderr)
				require.NotContains(t, o.stdout+o.stderr, "s3cret")
			}
			met, _ := i.met()
			require.NotZero(t, met)
			o := s.run("tenant", "check", "adopted", "--json")
			require.Equal(t, "mismatch", o.code(t), o.stdout)
			require.Contains(t, o.stdout, "does not prove that it is the server that sp runs")
		}
	}
}

// seemsToRun has a process that could be the server, here or where its pid means another.
func (s *sandbox) seemsToRun(port int, elsewhere bool) {
	s.t.Helper()
	data := s.dir + "/data/postgres/" + thePlace
	pid := 2
	if elsewhere {
		s.write("data/postgres/"+thePlace+"/namespace", "pid:[1]")
	} else {
		sleep, err := exec.LookPath("sleep")
		require.NoError(s.t, err)
		named := filepath.Join(s.t.TempDir(), "postgres") // by which sp tells the server from another program
		require.NoError(s.t, os.Symlink(sleep, named))
		other := exec.CommandContext(s.t.Context(), named, "60")
		other.Dir = data + "/data"
		require.NoError(s.t, other.Start())
		s.t.Cleanup(func() { _ = other.Wait() })
		pid = other.Process.Pid
	}
	s.write("data/postgres/"+thePlace+"/data/postmaster.pid", fmt.Sprintf("%d\n%s\n1\n%d\n\n\n\nready\n", pid, data, port))
}

// TestPsqlDemandsSCRAMOfAServerThatSpRuns where it can. One that can't is used only where the
// server was seen to run.
func TestPsqlDemandsSCRAMOfAServerThatSpRuns(t *testing.T) {
	t.Parallel()
	i := newImpostor(t, inClear)
	s := impostorSandbox(t, i)
	s.environ = []string{"PGREQUIREAUTH=password"}
	s.seemsToRun(i.port, false)
	s.must("psql", "made")
	require.Equal(t, []string{"PGREQUIREAUTH=scram-sha-256", "PGCONNECT_TIMEOUT=10", "PGPASSWORD=s3cret"}, s.given)

	s.replaced = nil
	s.seemsToRun(i.port, true)
	o := s.run("psql", "made")
	require.Equal(t, 9, o.exit)
	require.Contains(t, o.stderr, "hint: psql 16 and newer can")
	require.Nil(t, s.replaced)
	met, _ := i.met()
	require.Zero(t, met)

	// Where the server can't be seen, it proves itself to sp first, for any other client may be asked for a
	// password, and psql would only say that nobody listens.
	s.write("programs/psql", "#!/bin/sh\necho 'psql (PostgreSQL) 16.1'\n")
	for _, words := range [][]string{{"psql", "made"}, {"exec", "made", "--", "psql"}} {
		o := s.run(words...)
		require.Equal(t, 9, o.exit, words)
		require.Contains(t, o.stderr, "does not prove that it is the server that sp runs", words)
		require.Nil(t, s.replaced)
	}
	met, passwords := i.met()
	require.NotZero(t, met)
	require.Empty(t, passwords)

	// Of a server that somebody else runs, nothing is known.
	s.must("tenant", "create", "--id", "far", "--name", "far", "--no-check", "--database-url", "postgres://u:s3cret@h/d")
	s.must("psql", "far")
	require.Equal(t, []string{"PGREQUIREAUTH=password", "PGPASSWORD=s3cret"}, s.given)
	s.must("exec", "far", "--", "psql")
	require.Contains(t, s.given, "PGREQUIREAUTH=password")
	s.seemsToRun(i.port, false)
	s.must("exec", "made", "--", "psql")
	require.Contains(t, s.given, "PGREQUIREAUTH=scram-sha-256")
	require.NotContains(t, s.given, "PGREQUIREAUTH=password")
}

// TestEditedFilesOfAContainerAreShownAndAskedAbout, without their password, and recorded only
// for a yes at a terminal.
func TestEditedFilesOfAContainerAreShownAndAskedAbout(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	delete(s.env, "SP_OFFLINE")
	s.must("init")
	s.sql("INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('docker', 'docker', 'postgres://postgres:s3cret@127.0.0.1:1/postgres', 0)")
	s.write(".systemprompt/docker/shared.yaml", "container_name: systemprompt-shared-db\nprivileged: true\x1b[2J\n")
	s.write(".systemprompt/docker/shared.env", "POSTGRES_PASSWORD=s3cret\nPOSTGRES_HOST_AUTH_METHOD=trust\n")
	program := s.write("programs/docker", "#!/bin/sh\necho called >>"+s.dir+"/calls\necho 28\n")
	require.NoError(t, makeExecutable(program))
	s.env["PATH"] = filepath.Dir(program)

	requireRefused := func(exit int) {
		t.Helper()
		o := s.run("db", "up")
		require.Equal(t, exit, o.exit, o.stderr)
		require.Equal(t, "none none", s.answer("SELECT coalesce(compose, 'none') || ' ' || coalesce(env, 'none') FROM servers"))
		require.NotContains(t, o.stderr, "s3cret")
		_, err := os.Lstat(s.dir + "/calls")
		require.True(t, os.IsNotExist(err), "docker was called")
	}
	requireRefused(9)
	s.terminal = true
	for _, answer := range []string{"\n", "no\n"} {
		s.stdin = answer
		requireRefused(2)
	}
	s.stdin = "y\n"
	o := s.run("db", "up")
	for _, shown := range []string{"privileged: true", "POSTGRES_PASSWORD=[secret]", "POSTGRES_HOST_AUTH_METHOD=trust"} {
		require.Contains(t, o.stderr, shown)
	}
	require.NotContains(t, o.stderr, "\x1b[2J")
	require.NotContains(t, o.stderr, "s3cret")
	require.Regexp(t, "^[0-9a-f]{64} [0-9a-f]{64}$", s.answer("SELECT compose || ' ' || env FROM servers"))
	s.stdin = ""
	require.NotContains(t, s.run("db", "up").stderr, "privileged", "it was looked at")

	s.write(".systemprompt/docker/shared.yaml", "container_name: systemprompt-shared-db\nprivileged: false\n")
	require.Contains(t, s.run("db", "up").stderr, "privileged: false", "it was edited again")
}

const thePlace = "aaaaaaaaaaaaaaaa-project"

// placedSandbox has a local server in a place, whose directory is not the one that was
// recorded, and no programs to run it.
func placedSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(t)
	delete(s.env, "SP_OFFLINE")
	s.env["SP_DATA_DIR"], s.env["SP_POSTGRES_BIN"] = s.dir+"/data", s.dir
	s.must("init")
	s.sql("INSERT INTO servers (name, provider, admin_url, chosen, place, identity) VALUES ('local', 'local', 'postgres://sp_admin:s3cret@127.0.0.1:1/postgres', 0, '" + thePlace + "', '1:2')")
	s.write("data/postgres/"+thePlace+"/data/PG_VERSION", "15\n")
	return s
}

func (s *sandbox) sql(statement string) {
	s.t.Helper()
	harness.Mess(s.t, filepath.Join(s.dir, ".systemprompt/sp.db"), statement)
}

// identity is the one that is recorded.
func (s *sandbox) identity() string {
	s.t.Helper()
	return s.answer("SELECT identity FROM servers")
}

// answer is the one value that a query gets from the registry, behind sp's back.
func (s *sandbox) answer(query string) (value string) {
	s.t.Helper()
	file, err := sql.Open("sqlite", filepath.Join(s.dir, ".systemprompt/sp.db"))
	require.NoError(s.t, err)
	err = file.QueryRowContext(s.t.Context(), query).Scan(&value)
	require.NoError(s.t, errors.Join(err, file.Close()))
	return value
}

// TestOtherDataAreAskedAboutAtATerminal, with no as the answer that Enter gives.
func TestOtherDataAreAskedAboutAtATerminal(t *testing.T) {
	t.Parallel()
	s := placedSandbox(t)
	s.terminal = true
	for _, answer := range []string{"\n", "n\n"} {
		s.stdin = answer
		o := s.run("db", "up")
		require.Equal(t, 2, o.exit, o.stderr)
		require.Contains(t, strings.ReplaceAll(o.stderr, "\n    ", " "), thePlace+" is not the directory that sp recorded for server local")
		require.Equal(t, "1:2", s.identity())
	}
	s.stdin = "y\n"
	o := s.run("db", "up")
	require.Equal(t, 9, o.exit, o.stderr) // there are no programs
	require.NotEqual(t, "1:2", s.identity())
	s.stdin = ""
	require.NotContains(t, s.run("db", "up").stderr, "is not the directory", "it was taken over")
}

func TestWithoutATerminalOtherDataNeedSPTRUST(t *testing.T) {
	t.Parallel()
	s := placedSandbox(t)
	for _, trust := range []string{"", "/", s.dir + "x", "."} {
		s.env["SP_TRUST"] = trust
		require.Equal(t, 2, s.run("db", "up").exit, trust)
	}
	require.Equal(t, "1:2", s.identity())
	s.env["SP_TRUST"] = "/nowhere:" + s.dir
	require.Equal(t, 9, s.run("db", "up").exit)
	require.NotEqual(t, "1:2", s.identity())
}

func TestAPlaceThatIsTamperedWithIsDamage(t *testing.T) {
	t.Parallel()
	s := placedSandbox(t)
	s.sql("UPDATE servers SET place = '../../elsewhere'")
	o := s.run("db", "up")
	require.Equal(t, 6, o.exit, o.stderr)
	require.Equal(t, 6, s.run("db", "status").exit)
	_, err := os.Lstat(s.dir + "/elsewhere")
	require.True(t, os.IsNotExist(err))
}
