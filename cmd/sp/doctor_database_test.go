package main

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/doctor"
	"github.com/sp-registry/sp/internal/harness"
)

// A login that works takes a server: the tests in live have one.

// answering listens as a server that answers what it is asked with some bytes, or,
// with nothing, closes, and returns its address.
func answering(t *testing.T, bytes string) net.Addr {
	t.Helper()
	listener := loopback(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 8))
			_, _ = io.WriteString(conn, bytes)
			_ = conn.Close()
		}
	}()
	return listener.Addr()
}

// loopback listens there, or skips the test: where it is down one can listen all the same,
// but nobody gets through.
func loopback(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Skip("it needs the loopback: ", err)
	}
	require.NoError(t, conn.Close())
	return listener
}

// mustServe makes a registry of one tenant with that URL, selected, with a session, and
// lets it be connected to.
func (s *sandbox) mustServe(url string) {
	s.t.Helper()
	s.mustImport("2026-02-01T12:00:00Z", fmt.Sprintf(`{"id": "a", "name": "a", "database_url": %q}`, url))
	s.must("profile", "create", "p", "--tenant", "a")
	s.must("session", "switch", "p")
	delete(s.env, "SP_OFFLINE")
}

func TestDoctorReportsAPortWithoutAPostgreSQLServer(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"H", "", "HTTP/1.1 400 Bad Request\r\n\r\n"} {
		s := newSandbox(t)
		s.mustServe(fmt.Sprintf("postgres://u:s3cret@%s/d", answering(t, answer)))
		found := s.diagnosed(6, "--connect")["database"]
		require.Len(t, found, 1)
		require.Equal(t, doctor.Error, found[0].Result, answer)
		require.Contains(t, found[0].Message, "tenant a (a): Database connection failed: ")
		require.Contains(t, found[0].Message, "no PostgreSQL server")
		require.NotContains(t, found[0].Message+found[0].Remedy, "s3cret")
		require.Equal(t, doctor.Skipped, s.diagnosed(0)["database"][0].Result, "nobody asked")
	}
}

func TestDoctorTellsOfAServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.mustServe(fmt.Sprintf("postgres://u:s3cret@%s/d", loopback(t).Addr()))

	// It takes connections, and says nothing: bounded.
	before := time.Now()
	found := s.diagnosed(6, "--connect")["database"]
	require.Less(t, time.Since(before), 20*time.Second)
	require.Contains(t, found[0].Message, "Database connection failed: ")

	// Nobody is there.
	s.must("tenant", "edit", "a", "--database-url", "postgres://u:s3cret@127.0.0.1:1/d")
	found = s.diagnosed(6, "--connect")["database"]
	require.Regexp(t, "connection refused|no way to the host", found[0].Message) // that, where the loopback is down
	require.NotEmpty(t, found[0].Remedy)
}

func TestDoctorSaysThatThereIsNothingToConnectTo(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.mustImport("2026-02-01T12:00:00Z", oneTenant)
	found := s.diagnosed(0, "--connect")["database"]
	require.Equal(t, doctor.Warning, found[0].Result)
	require.Contains(t, found[0].Message, "nothing to connect to: no tenant configured")

	// A URL that can't be read or used has no server.
	for _, url := range []string{"postgres://u:s3@cret@h/d", "postgres://u:s3cret@127.0.0.1:1/d?sslcert=s3cret"} {
		s = newSandbox(t)
		s.mustServe(url)
		found = s.diagnosed(6, "--connect")["database"]
		require.Contains(t, found[0].Message, "tenant a (a): ")
		require.NotContains(t, found[0].Message, "connection refused")
		require.NotContains(t, found[0].Message, "cret")
	}
}

// What sp made on servers, and is not whole or not wanted, is told, with what helps.
func TestDoctorTellsOfDatabasesThatAreNotAsTheyShould(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	for _, name := range []string{"begun", "going", "old", "fine", "gone"} {
		s.must("tenant", "create", "--id", name, "--name", name, "--no-database")
	}
	s.must("tenant", "delete", "gone", "-y")
	for _, statement := range []string{
		"INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('h:5432', 'server', 'postgres://a:s3cret@h/postgres', 0)",
		"INSERT INTO databases VALUES ('begun', 'provisioning', 'h:5432', 'sp_begun', 'a', NULL), ('going', 'dropping', 'h:5432', 'sp_going', 'a', NULL)",
		"INSERT INTO databases VALUES ('old', 'ready', 'h:5432', 'sp_old', 'b', 1), ('fine', 'ready', 'h:5432', 'sp_fine', 'b', 4000000000000000), ('gone', 'ready', 'h:5432', 'sp_gone', 'a', NULL)",
	} {
		harness.Mess(t, filepath.Join(s.dir, ".systemprompt/sp.db"), statement)
	}
	found := s.diagnosed(0)["databases"]
	require.Len(t, found, 4)
	for i, want := range []string{
		"tenant begun: its database is not finished (sp tenant provision begun goes on, sp tenant delete begun -y undoes it)",
		"tenant going: its database is not dropped yet (sp tenant delete going -y goes on with that)",
		"database sp_gone on server h:5432: its tenant gone is gone (sp tenant delete gone -y drops it)",
		"tenant old: sessions of its old login may be open (sp tenant provision old ends them)",
	} {
		require.Equal(t, doctor.Warning, found[i].Result)
		require.Equal(t, want, found[i].Message+" ("+found[i].Remedy+")")
	}
}
