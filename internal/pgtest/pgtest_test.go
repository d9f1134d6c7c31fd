package pgtest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

func TestServerChecksPasswords(t *testing.T) {
	t.Parallel()
	url := Server(t)
	require.Equal(t, []string{"on"}, Exec(t, url, `SHOW is_superuser`))
	_, err := Try(withWrongPassword(t, url), `SELECT 1`)
	require.ErrorContains(t, err, "28P01")
}

func TestTrustChecksNone(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"1"}, Exec(t, withWrongPassword(t, Trust(t)), `SELECT 1`))
}

func withWrongPassword(t *testing.T, url secret.Secret) secret.Secret {
	t.Helper()
	wrong, err := pgurl.WithPassword(url, secret.New("wrong"))
	require.NoError(t, err)
	return wrong
}

func TestAdminMayMakeDatabasesAndRolesAndNoMore(t *testing.T) {
	t.Parallel()
	url := Admin(t, "pgtest_admin", "pw")
	require.Equal(t, []string{"f|t|t"}, Exec(t, url, `SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user`))
}

func TestLogHasEveryStatement(t *testing.T) {
	t.Parallel()
	log := Log(t)
	Exec(t, Server(t), `SELECT 'a needle'`)
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Contains(t, string(text), "a needle")
}

// TestServerEndsWithItsProcess also where that is killed.
func TestServerEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv("SP_PGTEST_CHILD") == "1" {
		fmt.Println("running:", filepath.Dir(Log(t)))
		select {}
	}
	_ = Log(t) // whether it can be tested
	child := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	child.Env = append(os.Environ(), "SP_PGTEST_CHILD=1")
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	var dir string
	for lines := bufio.NewScanner(out); dir == "" && lines.Scan(); {
		_, dir, _ = strings.Cut(lines.Text(), "running: ")
	}
	require.NotEmpty(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	require.NoError(t, err)
	var pid int
	_, err = fmt.Sscan(string(text), &pid)
	require.NoError(t, err)

	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	require.Eventually(t, func() bool {
		_, err := os.Stat(dir)
		return os.IsNotExist(err) && syscall.Kill(pid, 0) == syscall.ESRCH
	}, 20*time.Second, 20*time.Millisecond)
}
