package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWhatCanBeSeenOfAServer is its own process on its port, or that there is none, or that
// its process is not to be seen from here.
func TestWhatCanBeSeenOfAServer(t *testing.T) {
	t.Parallel()
	if namespace() == "" {
		t.Skip("pids mean the same everywhere here")
	}
	c := newFakeCluster(t, "")
	look := func() Look {
		t.Helper()
		seen, err := c.Look(soon(t))
		require.NoError(t, err)
		return seen
	}
	require.Equal(t, NotThere, look())
	mustWrite(t, c.data()+"/PG_VERSION", "98\n")
	server := c.mustStandInData(t, "postgres")
	state := "ready"
	file := func(pid, port int) {
		mustWrite(t, c.PIDFile(), fmt.Sprintf("%d\n%s\n1\n%d\n\n\n\n%s\n", pid, c.data(), port, state))
	}
	for said, want := range map[string]Look{"": Starting, "starting": Starting, "stopping": Stopping, "standby ": There, "ready   ": There} {
		state = said
		file(server, c.Port)
		require.Equal(t, want, look(), said)
	}
	file(server, c.Port+1)
	require.Equal(t, NotThere, look(), "who listens on the port is somebody else")
	require.NoError(t, syscall.Kill(server, syscall.SIGKILL))
	require.Eventually(t, func() bool { return isZombie(server) }, 5*time.Second, time.Millisecond)
	file(os.Getpid(), c.Port)
	require.Equal(t, NotThere, look(), "it was killed")
	mustWrite(t, c.namespaceFile(), namespace())
	require.Equal(t, NotThere, look(), "it was killed")
	mustWrite(t, c.namespaceFile(), "pid:[1]")
	require.Equal(t, Unseen, look())
	require.NoError(t, os.Remove(c.PIDFile()))
	require.Equal(t, NotThere, look(), "it was stopped")
}

// mustStandInData starts another program, by this name, in the directory of the data.
func (c Cluster) mustStandInData(t *testing.T, name string) (pid int) {
	t.Helper()
	if namespace() == "" {
		t.Skip("a process is known by its arguments here")
	}
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	program := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.Symlink(sleep, program))
	require.NoError(t, os.MkdirAll(c.data(), 0o700))
	other := exec.CommandContext(t.Context(), program, "60")
	other.Args[0], other.Dir = "sleep", c.data()
	require.NoError(t, other.Start())
	t.Cleanup(func() { _ = other.Wait() })
	return other.Process.Pid
}

// TestAnotherProgramThatStandsInTheDataIsNotEnded, though it has the pid of a server that was killed.
func TestAnotherProgramThatStandsInTheDataIsNotEnded(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "")
	pid := c.mustStandInData(t, "vi")
	mustWrite(t, c.PIDFile(), staleOf(pid))
	runs, err := c.Running(soon(t))
	require.NoError(t, err)
	require.False(t, runs)
	require.NoError(t, c.Down(soon(t)))
	require.True(t, isAlive(pid) && !isZombie(pid))
}

// TestAServerThatAnotherStartsIsNoLeftover: it works in the data before it writes its pid.
func TestAServerThatAnotherStartsIsNoLeftover(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "")
	mustWrite(t, c.PIDFile(), staleOf(c.mustStandInData(t, "postgres")))
	require.ErrorIs(t, c.awaitEnd(soon(t)), errAgain)
}

func TestAContainerIsSeenThroughItsEngine(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	look := func() Look {
		t.Helper()
		seen, err := f.Look(soon(t))
		require.NoError(t, err)
		return seen
	}
	require.Equal(t, NotThere, look())
	require.NoError(t, f.up())
	require.Equal(t, There, look())
	require.NoError(t, f.Down(soon(t)))
	require.Equal(t, NotThere, look())
	f.hasContainer("running", "/another/.systemprompt")
	require.Equal(t, NotThere, look())
	f.hasContainer("paused", f.Owner)
	require.Equal(t, NotThere, look(), "who connects waits for ever")
	f.has("down", "")
	require.Equal(t, Unseen, look())
}
