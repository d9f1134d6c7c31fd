package provision

import (
	"context"
	"crypto/rand"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

// TestASessionThatNobodyMaySeeIsLookedForToo: the server tells an administrator who is no superuser nothing of it. It is
// stopped, so the test runs alone.
func TestASessionThatNobodyMaySeeIsLookedForToo(t *testing.T) {
	pgtest.Log(t) // the server is on this machine
	s := mustConnect(t, pgtest.Admin(t, "sp_test_deaf", "secret"))
	if s.major < hearsFrom {
		t.Skip("older servers do not wait for all sessions")
	}
	d := newDatabase(t, s, "deaf")
	mustCreate(t, s, d)
	conn, err := pgconn.Connect(within(t), pgtest.Server(t).Reveal())
	require.NoError(t, err)
	defer func() { _ = conn.Close(within(t)) }()
	pid := int(conn.PID())
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	err = s.Drop(within(t), d)
	require.ErrorIs(t, err, ErrDeaf)
	require.Equal(t, []string{"-1"}, pgtest.Exec(t, pgtest.Server(t), "SELECT datconnlimit FROM pg_database WHERE datname = "+literal(d.Name)), "nothing of it is gone")
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	url, err := s.Reopen(within(t), d, rand.Reader)
	require.NoError(t, err)
	requireWhole(t, d, url)
}

// TestADropEndsNoCopyThatMoves: it keeps nobody waiting, though it waits for its client most of the time. No other
// test may end the one that stands still, so this one runs alone.
func TestADropEndsNoCopyThatMoves(t *testing.T) {
	s := mustConnect(t, pgtest.Admin(t, "sp_test_moves", "secret"))
	if s.major < hearsFrom {
		t.Skip("older servers do not wait for all sessions")
	}
	var told []string
	s.Waits = func(what string) { told = append(told, what) }
	victim, stalled, moving := newDatabase(t, s, "victim"), newDatabase(t, s, "stalled"), newDatabase(t, s, "moving")
	mustCreate(t, s, victim)
	copying := func(d Database, from io.Reader) <-chan error {
		url := mustCreate(t, s, d)
		pgtest.Exec(t, url, "CREATE TABLE t (n int)")
		conn, err := pgconn.Connect(within(t), url.Reveal())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		done := make(chan error, 1)
		go func() {
			_, err := conn.CopyFrom(context.Background(), from, "COPY t FROM STDIN")
			done <- err
		}()
		return done
	}
	silent, end := io.Pipe()
	t.Cleanup(func() { _ = end.Close() })
	flows, client := io.Pipe()
	ended, kept := copying(stalled, silent), copying(moving, flows)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		defer func() { _ = client.Close() }()
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				_, _ = client.Write([]byte("1\n"))
			}
		}
	}()
	time.Sleep(1200 * time.Millisecond) // which is long
	require.NoError(t, s.Drop(within(t), victim))
	requireGone(t, victim)
	require.ErrorContains(t, <-ended, "57P01")
	close(stop)
	<-stopped
	require.NoError(t, <-kept)
	require.Len(t, told, 1)
	require.Regexp(t, `^ended session [0-9]+ of role `+stalled.Role(LoginA)+` \(tenant `+stalled.Tenant+`\) in database `+stalled.Name+`, at one statement for [0-9]+ s, which waited for its client$`, told[0])
}
