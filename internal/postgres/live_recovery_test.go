package postgres

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLiveFiftyDatabasesComeBackFromAKillInACheckpoint, however long the server recovers: that it does is said,
// and it is waited for.
func TestLiveFiftyDatabasesComeBackFromAKillInACheckpoint(t *testing.T) {
	const databases = 50
	if os.Getenv("SP_TEST_RECOVERY") == "" {
		t.Skip("make test-recovery runs it")
	}
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("it finds the server's processes in /proc")
	}
	c := liveCluster(t)
	c.mustUp(t)
	var made, fill, ask strings.Builder
	for i := range databases {
		fmt.Fprintf(&made, "CREATE DATABASE d%d;\n", i)
		fmt.Fprintf(&fill, "\\c d%d\nDROP TABLE IF EXISTS kept;\nCREATE TABLE kept AS SELECT g AS n, repeat('x', 500) FROM generate_series(1, 200) g;\n", i)
		fmt.Fprintf(&ask, "\\c d%d\nSELECT sum(n) FROM kept;\n", i)
	}
	since := time.Now()
	c.mustRun(t, made.String())
	killed := false
	for tries := 0; !killed && tries < 10; tries++ {
		c.mustRun(t, fill.String())
		if killed = c.killInCheckpoint(t); !killed {
			require.NoError(t, c.Up(t.Context()))
		}
	}
	require.True(t, killed, "each checkpoint was over too soon")
	t.Logf("made, filled and killed in %v", time.Since(since).Round(time.Millisecond))

	var told atomic.Int32
	c.Say = func(string) { told.Add(1) }
	held := holdRecovery(t, c)
	since = time.Now()
	require.NoError(t, c.Up(t.Context()))
	t.Logf("recovered in %v", time.Since(since).Round(time.Millisecond))
	require.True(t, <-held, "it recovered before it could be stopped")
	require.Positive(t, told.Load())
	require.Greater(t, time.Since(since), quick)
	require.Equal(t, strings.Repeat("20100\n", databases), c.mustRun(t, ask.String()))
}

// mustRun has psql run a script.
func (c Cluster) mustRun(t *testing.T, script string) string {
	t.Helper()
	psql := exec.CommandContext(t.Context(), "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--set=ON_ERROR_STOP=1", ClusterURL(c.Port, c.Password).Reveal())
	var said bytes.Buffer
	psql.Stdin, psql.Stdout, psql.Stderr = strings.NewReader("SET client_min_messages = warning;\n"+script), &said, &said
	require.NoError(t, psql.Run(), said.String())
	return said.String()
}

// killInCheckpoint kills all processes of the server while a session waits for a checkpoint, and tells whether
// that was not over by then.
func (c Cluster) killInCheckpoint(t *testing.T) bool {
	t.Helper()
	m, err := c.postmaster(t.Context())
	require.NoError(t, err)
	checkpoint := exec.CommandContext(t.Context(), "psql", "--no-psqlrc", "--command", "CHECKPOINT", ClusterURL(c.Port, c.Password).Reveal())
	require.NoError(t, checkpoint.Start())
	ended := make(chan error, 1)
	go func() { ended <- checkpoint.Wait() }()
	for len(childrenOf(t, m.pid, "CHECKPOINT")) == 0 {
		select {
		case err := <-ended:
			require.NoError(t, err)
			return false
		case <-time.After(time.Millisecond):
		}
	}
	for _, pid := range append([]int{m.pid}, childrenOf(t, m.pid, "")...) {
		require.NoError(t, ignoring(syscall.ESRCH, syscall.Kill(pid, syscall.SIGKILL)))
	}
	return <-ended != nil
}

// childrenOf are the processes that a server started and whose titles have these words.
func childrenOf(t *testing.T, parent int, words string) (pids []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended
		}
		_, after, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(after)
		title, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) && strings.Contains(string(title), words) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			require.NoError(t, err)
			pids = append(pids, pid)
		}
	}
	return pids
}

// holdRecovery stops the process that recovers for longer than a start may take, and tells whether it could.
func holdRecovery(t *testing.T, c Cluster) <-chan bool {
	t.Helper()
	before, err := c.postmaster(t.Context())
	require.NoError(t, err)
	done := make(chan bool, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	go func() {
		for ctx.Err() == nil {
			m, err := c.postmaster(ctx)
			if err != nil || m.pid == before.pid || m.pid == 0 {
				time.Sleep(time.Millisecond)
				continue
			}
			for _, pid := range childrenOf(t, m.pid, "postgres: startup") {
				stopped := syscall.Kill(pid, syscall.SIGSTOP) == nil
				time.Sleep(quick + time.Second)
				done <- stopped && syscall.Kill(pid, syscall.SIGCONT) == nil
				return
			}
			if m.ready {
				break
			}
		}
		done <- false
	}()
	return done
}
