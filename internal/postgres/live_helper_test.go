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

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

// Of the environment: whether to run what really starts servers, whether it is wrong that
// a machine has none, and with which programs.
const (
	liveVariable     = "SP_TEST_POSTGRES"
	requireVariable  = "SP_REQUIRE_POSTGRES"
	programsVariable = "SP_POSTGRES_BIN"
	childVariable    = "POSTGRES_TEST_UP" // the directory and port of a cluster that the test binary brings up
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(childVariable) != "":
		os.Exit(upAsChild(os.Getenv(childVariable)))
	case os.Getenv(liveVariable) != "" && os.Geteuid() == 0:
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
	if err == nil { // the test binary lies where only root gets to
		err = exec.Command("cp", "-R", os.Args[0], "testdata", dir).Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	tests := exec.Command(filepath.Join(dir, filepath.Base(os.Args[0])))
	for _, arg := range os.Args[1:] {
		if !strings.HasPrefix(arg, "-test.testlogfile=") { // which root has made
			tests.Args = append(tests.Args, arg)
		}
	}
	tests.Dir, tests.Stdout, tests.Stderr = dir, os.Stdout, os.Stderr
	tests.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if err := tests.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func upAsChild(where string) int {
	dir, port, _ := strings.Cut(where, ":")
	number, _ := strconv.Atoi(port)
	programs, err := FindPrograms(os.Getenv(programsVariable), filepath.SplitList(os.Getenv("PATH")), dir)
	if err == nil {
		err = Cluster{Dir: dir, Programs: programs, Port: number, Password: password}.Up(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("up")
	return 0
}

// live skips where no servers are to be run, and returns the programs.
func live(t *testing.T) Programs {
	t.Helper()
	if os.Getenv(liveVariable) == "" {
		t.Skip("make test-pg runs it")
	}
	programs, err := FindPrograms(os.Getenv(programsVariable), filepath.SplitList(os.Getenv("PATH")), "")
	if err != nil && os.Getenv(requireVariable) == "" {
		t.Skip(err)
	}
	require.NoError(t, err)
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

// child is another process that brings the cluster up.
func (c Cluster) child(t *testing.T) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+c.Dir+":"+strconv.Itoa(c.Port))
	child.Stderr = os.Stderr
	return child
}
