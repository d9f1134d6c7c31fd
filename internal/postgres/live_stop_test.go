package postgres

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sayings are what a cluster says.
type sayings struct {
	sync.Mutex
	all []string
}

func (s *sayings) say(what string) {
	s.Lock()
	defer s.Unlock()
	s.all = append(s.all, what)
}

func (s *sayings) String() string {
	s.Lock()
	defer s.Unlock()
	return strings.Join(s.all, "\n")
}

// deafBackend opens a session whose process looks at no signal that it could ignore, as one does not that is deep
// in a library, and returns that process.
func (c Cluster) deafBackend(t *testing.T) (pid int) {
	t.Helper()
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("it finds the server's processes in /proc")
	}
	session := exec.CommandContext(t.Context(), "psql", "--no-psqlrc", "--command", "SELECT pg_sleep(600) -- deaf", ClusterURL(c.Port, c.Password).Reveal())
	require.NoError(t, session.Start())
	t.Cleanup(func() { _ = session.Wait() })
	m, err := c.postmaster(t.Context())
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		found := childrenOf(t, m.pid, "SELECT")
		if len(found) == 1 {
			pid = found[0]
		}
		return len(found) == 1
	}, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	return pid
}

// withSayings has what it says kept.
func (c Cluster) withSayings() (Cluster, *sayings) {
	said := &sayings{}
	c.Say = said.say
	return c, said
}

// TestLiveAServerThatDoesNotStopIsEnded, in a way that gets harder, and says so. What was committed is there.
func TestLiveAServerThatDoesNotStopIsEnded(t *testing.T) {
	t.Parallel()
	c, said := liveCluster(t).withSayings()
	c.mustUp(t)
	c.mustAsk(t, "CREATE TABLE kept AS SELECT 1 AS n")
	c.deafBackend(t)
	require.NoError(t, c.Down(t.Context()))
	require.Contains(t, said.String(), "SIGQUIT")
	require.NotContains(t, said.String(), "SIGKILL")
	c.mustUp(t)
	require.Equal(t, "1", c.mustAsk(t, "SELECT n FROM kept"))
}

// TestLiveAServerThatIsStoppedWhileItRecoversIsEnded: it waits for a process of its own that nobody told to stop.
func TestLiveAServerThatIsStoppedWhileItRecoversIsEnded(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	c.mustUp(t)
	c.mustAsk(t, "CREATE TABLE kept AS SELECT repeat('x', 500) FROM generate_series(1, 100000)")
	m, err := c.postmaster(t.Context())
	require.NoError(t, err)
	pid := c.deafBackend(t)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.Eventually(t, func() bool { return len(childrenOf(t, m.pid, "postgres: startup")) == 1 }, 10*time.Second, time.Millisecond)
	require.NoError(t, c.Down(t.Context()))
	c.mustUp(t)
	require.Equal(t, "100000", c.mustAsk(t, "SELECT count(*) FROM kept"))
}

// TestLiveAServerThatDoesNotEndIsNotWaitedForForEver by who wants to start it: who does not end is named.
func TestLiveAServerThatDoesNotEndIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	c, said := liveCluster(t).withSayings()
	c.mustUp(t)
	m, err := c.postmaster(t.Context())
	require.NoError(t, err)
	c.deafBackend(t)
	require.NoError(t, syscall.Kill(m.pid, syscall.SIGINT)) // by hand, or systemd's
	require.Eventually(t, func() bool { return c.mustLook(t) == Stopping }, 10*time.Second, 10*time.Millisecond)
	since := time.Now()
	err = c.Up(t.Context())
	require.ErrorIs(t, err, ErrUnended)
	require.ErrorContains(t, err, Processes([]int{m.pid}))
	require.Less(t, time.Since(since), stopPatience+5*time.Second)
	require.Contains(t, said.String(), "waiting for PostgreSQL")
	require.NoError(t, c.Down(t.Context()))
	c.mustUp(t)
}

// TestLiveWhatAKilledServerLeftIsNamedAndEnded: a process of it that goes on for ever keeps its data from every
// other server. A shell that stands in the data, and the server of others, are let alone.
func TestLiveWhatAKilledServerLeftIsNamedAndEnded(t *testing.T) {
	t.Parallel()
	c, other := liveCluster(t), liveCluster(t)
	c.mustUp(t)
	other.mustUp(t)
	bystander := exec.CommandContext(t.Context(), "sleep", "600")
	bystander.Dir = c.data()
	require.NoError(t, bystander.Start())
	t.Cleanup(func() { _ = bystander.Wait() })
	pid := c.deafBackend(t)
	m, err := c.postmaster(t.Context())
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(m.pid, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		users, err := c.Users(t.Context())
		require.NoError(t, err)
		return len(users) == 1 && users[0] == pid
	}, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, Stopping, c.mustLook(t))
	runs, err := c.Running(t.Context())
	require.NoError(t, err)
	require.True(t, runs)

	before := len(mustRead(t, c.logFile()))
	err = c.Up(t.Context())
	require.ErrorIs(t, err, ErrUnended)
	require.ErrorContains(t, err, Processes([]int{pid}))
	require.NotContains(t, mustRead(t, c.logFile())[before:], "FATAL", "no server was tried")
	require.NoError(t, c.Down(t.Context()))
	require.NoError(t, syscall.Kill(bystander.Process.Pid, 0))
	require.Equal(t, "1", other.mustAsk(t, "SELECT 1"))
	c.mustUp(t)
}

// TestLiveAFrozenServerIsNamedAndEnds: who wants to use it is not left waiting.
func TestLiveAFrozenServerIsNamedAndEnds(t *testing.T) {
	t.Parallel()
	c, said := liveCluster(t).withSayings()
	c.mustUp(t)
	m, err := c.postmaster(t.Context())
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(m.pid, syscall.SIGSTOP))
	require.Eventually(t, func() bool { return c.mustLook(t) == Frozen }, 10*time.Second, 10*time.Millisecond)
	require.ErrorIs(t, c.Up(t.Context()), ErrFrozen)
	require.NoError(t, c.Down(t.Context()))
	require.Empty(t, said.String(), "it is woken, and stops as others do")
}

// TestLiveASilentClientKeepsNoConnection: nobody needs a login to take one.
func TestLiveASilentClientKeepsNoConnection(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	c.mustUp(t)
	conn, err := net.Dial("tcp", net.JoinHostPort(loopback, strconv.Itoa(c.Port)))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	_, err = io.ReadAll(conn)
	require.NoError(t, err, "the server ends it")
}

// TestLiveACommandThatEndsAServerIsToldWhoIsAtIt, if that is another one for too long.
func TestLiveACommandThatEndsAServerIsToldWhoIsAtIt(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	c.mustUp(t)
	held, err := acquire(t.Context(), c.Dir, c.say)
	require.NoError(t, err)
	defer held.release()
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, ErrBusy)
	defer cancel()
	require.ErrorIs(t, c.Down(ctx), ErrBusy)
	held.release()
}

func (c Cluster) mustLook(t *testing.T) Look {
	t.Helper()
	seen, err := c.Look(t.Context())
	require.NoError(t, err)
	return seen
}
