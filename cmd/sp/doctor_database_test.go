package main

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// answering listens as a server that answers what it is asked with some bytes, or,
// with nothing, closes, and returns its address.
func answering(t *testing.T, network, address, bytes string) net.Addr {
	t.Helper()
	listener, err := net.Listen(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			asked := make([]byte, 8)
			if _, err := io.ReadFull(conn, asked); err == nil && string(asked) == "\x00\x00\x00\x08\x04\xd2\x16\x2f" {
				_, _ = io.WriteString(conn, bytes)
			}
			_ = conn.Close()
		}
	}()
	return listener.Addr()
}

// mustServe makes a registry of one tenant with that URL, selected, with a session.
func (s *sandbox) mustServe(url string) {
	s.t.Helper()
	s.mustImport("2026-02-01T12:00:00Z", fmt.Sprintf(`{"id": "a", "name": "a", "database_url": %q}`, url))
	s.must("profile", "create", "p", "--tenant", "a")
	s.must("session", "switch", "p")
}

func TestDoctorAsksTheServerForASignOfLife(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]diagnosis{
		"S": fine("PostgreSQL answers, and offers TLS; user, password and database were not tried"),
		"N": fine("PostgreSQL answers, without TLS; user, password and database were not tried"),
		"E": fine("PostgreSQL answers, with an error; user, password and database were not tried"),
		"H": wrong("what answers there is not PostgreSQL"),
		"":  wrong("the connection was closed without an answer"),
	} {
		s := newSandbox(t)
		port := answering(t, "tcp", "127.0.0.1:0", answer).(*net.TCPAddr).Port
		s.mustServe(fmt.Sprintf("postgres://u:s3cret@127.0.0.1:%d/d?sslcert=s3cret", port))
		exit := map[result]int{resultOK: 0, resultError: 6}[want.Result]
		found := s.diagnosed(exit, "--connect")["database"]
		require.Len(t, found, 1)
		require.Equal(t, want.Result, found[0].Result, answer)
		require.Equal(t, fmt.Sprintf("tenant a: postgres://***:***@127.0.0.1:%d/d: %s", port, want.Message), found[0].Message)
		require.NotContains(t, found[0].Message+found[0].Remedy, "s3cret")
		require.Equal(t, resultSkipped, s.diagnosed(0)["database"][0].Result, "nobody asked")
	}
}

func TestDoctorAsksOverASocket(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	dir := t.TempDir()
	s.mustServe("postgres://u:s3cret@/d?host=" + dir)
	require.Contains(t, s.diagnosed(6, "--connect")["database"][0].Message, "no such file or directory")
	answering(t, "unix", filepath.Join(dir, ".s.PGSQL.5432"), "N")
	require.Equal(t, resultOK, s.diagnosed(0, "--connect")["database"][0].Result)
}

func TestDoctorTellsOfAServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	s.mustServe(fmt.Sprintf("postgres://u:s3cret@127.0.0.1:%d/d", port))

	// It takes connections, and says nothing: bounded.
	before := time.Now()
	found := s.diagnosed(6, "--connect")["database"]
	require.Less(t, time.Since(before), 4*connectWithin)
	require.Contains(t, found[0].Message, ": no answer within 3s")

	// It is gone.
	require.NoError(t, listener.Close())
	found = s.diagnosed(6, "--connect")["database"]
	require.Equal(t, fmt.Sprintf("tenant a: postgres://***:***@127.0.0.1:%d/d: connection refused", port), found[0].Message)
	require.NotEmpty(t, found[0].Remedy)
}

// TestDoctorTriesEveryServerOfAURL as clients do: one that answers is enough.
func TestDoctorTriesEveryServerOfAURL(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	s.mustServe(fmt.Sprintf("postgres://%s,%s/d", closed.Addr(), answering(t, "tcp", "127.0.0.1:0", "S")))
	require.Equal(t, resultOK, s.diagnosed(0, "--connect")["database"][0].Result)
}

func TestDoctorSaysThatThereIsNothingToConnectTo(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	found := s.diagnosed(0, "--connect")["database"]
	require.Equal(t, resultWarning, found[0].Result)
	require.Contains(t, found[0].Message, "nothing to connect to: no tenant configured")

	// A URL that can't be read has no server.
	s = newSandbox(t)
	s.mustServe("postgres://u:s3@cret@h/d")
	found = s.diagnosed(6, "--connect")["database"]
	require.Contains(t, found[0].Message, "tenant a: ")
	require.NotContains(t, found[0].Message, "cret")
}
