package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

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
	other := exec.CommandContext(t.Context(), "sleep", "60")
	other.Dir = c.data()
	require.NoError(t, other.Start())
	t.Cleanup(func() { _ = other.Wait() })
	state := "ready"
	file := func(pid, port int) {
		mustWrite(t, c.PIDFile(), fmt.Sprintf("%d\n%s\n1\n%d\n\n\n\n%s\n", pid, c.data(), port, state))
	}
	for said, want := range map[string]Look{"": Starting, "starting": Starting, "stopping": Stopping, "standby ": There, "ready   ": There} {
		state = said
		file(other.Process.Pid, c.Port)
		require.Equal(t, want, look(), said)
	}
	file(other.Process.Pid, c.Port+1)
	require.Equal(t, NotThere, look(), "who listens on the port is somebody else")
	file(os.Getpid(), c.Port)
	require.Equal(t, NotThere, look(), "it was killed")
	mustWrite(t, c.namespaceFile(), namespace())
	require.Equal(t, NotThere, look(), "it was killed")
	mustWrite(t, c.namespaceFile(), "pid:[1]")
	require.Equal(t, Unseen, look())
	require.NoError(t, os.Remove(c.PIDFile()))
	require.Equal(t, NotThere, look(), "it was stopped")
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
