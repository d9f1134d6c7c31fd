package provision

import (
	"crypto/rand"
	"syscall"
	"testing"

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
