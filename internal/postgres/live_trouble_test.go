package postgres

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

// mustSleep is another program.
func mustSleep(t *testing.T) (pid int) {
	t.Helper()
	other := exec.CommandContext(t.Context(), "sleep", "60")
	require.NoError(t, other.Start())
	t.Cleanup(func() { _ = other.Wait() })
	return other.Process.Pid
}

func TestLiveAStalePidOfAnotherProgramIsNoServer(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	c.mustUp(t)
	require.True(t, c.kill(t))
	mustWrite(t, c.PIDFile(), staleOf(mustSleep(t)))
	runs, err := c.Running(soon(t))
	require.NoError(t, err)
	require.False(t, runs)
	require.NoError(t, c.Down(soon(t)), "and this process is not ended")
	c.mustUp(t)
	require.Equal(t, "1", c.mustAsk(t, "SELECT 1"))
}

func TestLiveCommandsAtOnceShareAServer(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	var all []*exec.Cmd
	for range 3 {
		child := c.child(t)
		require.NoError(t, child.Start())
		all = append(all, child)
	}
	for _, child := range all {
		require.NoError(t, child.Wait())
	}
	require.Equal(t, "1", c.mustAsk(t, "SELECT 1"))
	require.Equal(t, "data lock log namespace", entries(t, c.Dir))
}

// As in `sp tenant create | cat`, which ends when nobody has the pipe any more.
func TestLiveTheServerHoldsNoPipeAndOutlivesTheSession(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	child := c.child(t)
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	read, write, err := os.Pipe()
	require.NoError(t, err)
	child.Stdout, child.Stderr = write, write
	require.NoError(t, child.Start())
	require.NoError(t, write.Close())
	require.NoError(t, read.SetReadDeadline(time.Now().Add(time.Minute)))
	said, err := io.ReadAll(read)
	require.NoError(t, err)
	require.Equal(t, "up\n", string(said))
	require.NoError(t, child.Wait())
	_ = syscall.Kill(-child.Process.Pid, syscall.SIGINT) // Ctrl-C, to all of the group
	require.Equal(t, "1", c.mustAsk(t, "SELECT 1"))
	held, err := acquire(soon(t), c.Dir, c.say)
	require.NoError(t, err, "nor the lock")
	held.release()
}

func TestLiveACommandKilledInInitIsMadeGood(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	child := c.child(t)
	require.NoError(t, child.Start())
	require.Eventually(t, func() bool {
		_, err := os.Stat(c.unfinished() + "/global")
		return err == nil
	}, 30*time.Second, time.Millisecond)
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	require.False(t, c.Exists())
	c.Password = secret.New("another") // as the next try may have
	c.mustUp(t)
	require.Equal(t, "1", c.mustAsk(t, "SELECT 1"))
	require.Equal(t, "data lock log namespace", entries(t, c.Dir))
}

func TestLiveAForeignProgramOnThePortIsTold(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	c.Port = mustListen(t)
	require.ErrorIs(t, c.Up(soon(t)), ErrTaken)
	c.Port = mustFreePort(t)
	c.mustUp(t)
	require.Equal(t, "1", c.mustAsk(t, "SELECT 1"))

	// The port is part of what the registry says: another one is followed.
	c.Port = mustFreePort(t)
	c.mustUp(t)
	require.Equal(t, strconv.Itoa(c.Port), c.mustAsk(t, "SHOW port"))
}

func TestLiveAMovedDirectoryIsStillTheServers(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	c.mustUp(t)
	moved := c
	moved.Dir += "-moved"
	require.NoError(t, os.Rename(c.Dir, moved.Dir))
	runs, err := moved.Running(soon(t))
	require.NoError(t, err)
	require.True(t, runs)
	require.NoError(t, moved.Down(soon(t)))
	runs, err = moved.Running(soon(t))
	require.NoError(t, err)
	require.False(t, runs)
}

func TestLiveALongPathIsNoTrouble(t *testing.T) {
	t.Parallel()
	c := liveCluster(t)
	long := filepath.Join(c.Dir, strings.Repeat("d", 120))
	require.NoError(t, os.MkdirAll(long, 0o700))
	c.Dir = filepath.Join(long, "it's a $server")
	t.Cleanup(func() { c.end(t) })
	c.mustUp(t)
	require.Equal(t, "1", c.mustAsk(t, "SELECT 1"))
}

func TestLiveAContainerOfTestsIsAServer(t *testing.T) {
	t.Parallel()
	programs := live(t)
	for _, plugin := range []bool{false, true} {
		f := newFakeDocker(t)
		if plugin {
			f.has("compose", "")
		}
		f.Env = append(f.Env, "FAKE_DOCKER_POSTGRES="+programs.Dir)
		c := Cluster{Dir: f.keep} // the same place for data
		t.Cleanup(func() { c.kill(t) })
		answers := func(context.Context) error {
			said, err := ask(t, DockerURL(f.Port, f.Password), "SELECT 1")
			if err != nil {
				return fmt.Errorf("%s: %w", said, err)
			}
			return nil
		}
		require.NoError(t, f.Up(soon(t), answers))
		require.NoError(t, f.Down(soon(t)))
		require.Error(t, answers(t.Context()))
		require.NoError(t, f.Up(soon(t), answers))
		_, err := ask(t, DockerURL(f.Port, secret.New("wrong")), "SELECT 1")
		require.Error(t, err)
		require.True(t, c.kill(t))
	}
}
