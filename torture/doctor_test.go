package torture

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDoctorFindsARealPostgreSQL over TCP and over its socket, and tells when it is
// gone; the server has nothing to complain about.
func TestDoctorFindsARealPostgreSQL(t *testing.T) {
	sized(t, 1, 1)
	server := mustStartServer(t, needServer(t))
	p := newPlace(t)
	connect := func(url string) outcome {
		p.must("tenant", "edit", "a", "--database-url", url)
		return p.run("doctor", "--connect")
	}
	p.must("tenant", "create", "--id", "a", "--name", "a", "--database-url", "postgres://h/d")
	p.must("profile", "create", "p", "--tenant", "a")
	p.must("session", "switch", "p")

	for _, url := range []string{
		fmt.Sprintf("postgres://u:s3cret@127.0.0.1:%d/d", server.port),
		fmt.Sprintf("postgres://u:s3cret@/d?host=%s&port=%d", server.dir, server.port),
	} {
		o := connect(url)
		require.Zero(t, o.exit, o.stdout)
		require.Contains(t, o.stdout, ": PostgreSQL answers, without TLS; user, password and database were not tried\n")
		require.NotContains(t, o.stdout+o.stderr, "s3cret")
	}
	said := server.mustStop(t)
	require.NotContains(t, said, "startup packet", "the server complained")
	o := connect(fmt.Sprintf("postgres://u:s3cret@127.0.0.1:%d/d", server.port))
	require.Equal(t, 6, o.exit)
	require.Contains(t, o.stdout, "connection refused")
}

// needServer returns the directory of PostgreSQL's programs. Debian keeps them out of
// PATH, for they may be of several versions.
func needServer(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	require.NoError(t, err)
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	postgres, err := filepath.EvalSymlinks(need(t, "postgres")) // initdb stands beside the file
	require.NoError(t, err)
	return filepath.Dir(postgres)
}

// server is a PostgreSQL server of its own: its data, socket and port.
type server struct {
	cmd  *exec.Cmd
	dir  string
	port int
	log  *bufio.Reader
	said strings.Builder
}

func mustStartServer(t *testing.T, bin string) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "sp-pg-") // short: a socket's path has 107 bytes
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &server{dir: dir, port: freePort(t)}
	as := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 { // it refuses to run as root
		require.NoError(t, os.Chown(dir, nobody, nobody))
		as.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--no-sync", "-A", "trust", "-U", "u", "-D", data)
	initdb.Dir, initdb.SysProcAttr = dir, as
	out, err := initdb.CombinedOutput()
	require.NoError(t, err, string(out))

	s.cmd = exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-p", fmt.Sprint(s.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "log_min_messages=debug1", "-c", "shared_buffers=1MB")
	s.cmd.Dir, s.cmd.SysProcAttr = dir, as
	stderr, err := s.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() })
	s.log = bufio.NewReader(stderr)
	for !strings.Contains(s.said.String(), "ready to accept connections") {
		line, err := s.log.ReadString('\n')
		s.said.WriteString(line)
		require.NoError(t, err, s.said.String())
	}
	return s
}

// mustStop ends the server and returns all that it said.
func (s *server) mustStop(t *testing.T) string {
	t.Helper()
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGINT)) // ends its children with it
	_, _ = s.log.WriteTo(&s.said)
	require.NoError(t, s.cmd.Wait())
	return s.said.String()
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}
