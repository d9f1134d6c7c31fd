package postgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/secret"
)

// Of the environment: whether to run what really starts servers, and with which programs.
const (
	liveVariable     = "SP_TEST_POSTGRES"
	programsVariable = "SP_POSTGRES_BIN"
)

func TestMain(m *testing.M) {
	harness.Roles{"up": upAsChild}.Play()
	if os.Getenv(liveVariable) != "" && os.Geteuid() == 0 {
		os.Exit(asNobody())
	}
	os.Exit(m.Run())
}

// asNobody runs these tests as the user nobody, for root can't run a server.
func asNobody() int {
	dir, err := os.MkdirTemp("", "postgres-test-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		err = os.Chmod(dir, 0o755)
	}
	if err == nil {
		err = exec.Command("cp", "-R", "testdata", dir).Run()
	}
	exit := 1
	if err == nil {
		exit, err = harness.Again(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return exit
}

// upAsChild brings a cluster up: its directory and port.
func upAsChild(args []string) error {
	port, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	programs, err := FindPrograms(os.Getenv(programsVariable), filepath.SplitList(os.Getenv("PATH")), args[0])
	if err == nil {
		err = Cluster{Dir: args[0], Programs: programs, Port: port, Password: password}.Up(context.Background())
	}
	if err == nil {
		fmt.Println("up")
	}
	return err
}

// live skips where no servers are to be run, and returns the programs.
func live(t *testing.T) Programs {
	t.Helper()
	if os.Getenv(liveVariable) == "" {
		t.Skip("make test-pg runs it")
	}
	programs, err := FindPrograms(os.Getenv(programsVariable), filepath.SplitList(os.Getenv("PATH")), "")
	if err != nil {
		harness.Missing(t, err.Error())
	}
	return programs
}

// liveCluster is one that is stopped in the end.
func liveCluster(t *testing.T) Cluster {
	t.Helper()
	c := Cluster{Programs: live(t), Dir: filepath.Join(t.TempDir(), "postgres"), Port: mustFreePort(t), Password: password}
	t.Cleanup(func() { c.end(t) })
	return c
}

// end stops it with all of its processes: one that was killed has some that still write, the
// statistics of PostgreSQL 14 and older.
func (c Cluster) end(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, c.Down(ctx))
}

// kill ends the postmaster as nothing else would, and tells whether it was there.
func (c Cluster) kill(t *testing.T) bool {
	t.Helper()
	m, err := c.postmaster(context.Background())
	require.NoError(t, err)
	if m.runs {
		require.NoError(t, syscall.Kill(m.pid, syscall.SIGKILL))
		require.Eventually(t, func() bool {
			runs, err := c.Running(context.Background())
			return err == nil && !runs
		}, 30*time.Second, time.Millisecond)
	}
	return m.runs
}

func (c Cluster) mustUp(t *testing.T) {
	t.Helper()
	since := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, c.Up(ctx))
	t.Logf("up in %v", time.Since(since).Round(time.Millisecond))
}

// ask has psql say what the server answers.
func ask(t *testing.T, url secret.Secret, query string) (string, error) {
	t.Helper()
	psql := exec.CommandContext(soon(t), "psql", "--no-psqlrc", "--no-password", "--tuples-only", "--no-align", "--quiet", "--command", query, url.Reveal())
	said, err := psql.CombinedOutput()
	return strings.TrimSpace(string(said)), err
}

func (c Cluster) mustAsk(t *testing.T, query string) string {
	t.Helper()
	said, err := ask(t, ClusterURL(c.Port, c.Password), query)
	require.NoError(t, err, said)
	return said
}

// staleOf is the file of a postmaster whose pid another process has by now.
func staleOf(pid int) string { return fmt.Sprintf("%d\n/data\n1\n5432\n\n\n\nready\n", pid) }

// child is another process that brings the cluster up, and is ended after a minute.
func (c Cluster) child(t *testing.T) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	child := harness.InRole(ctx, "up", c.Dir, strconv.Itoa(c.Port))
	child.Stderr = os.Stderr
	return child
}
