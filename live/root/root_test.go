// Package root runs sp as root on a server of its own, once through all that it does with one: as in a dev
// container or in CI, with the capabilities that a container leaves to its root. It has tests only.
// SP_TEST_POSTGRES has them run.
package root

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/postgres"
)

// ofContainers are the capabilities that a container's root has by default. It may not look into other users'
// processes.
const ofContainers = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap"

func TestEverythingOnceAsRoot(t *testing.T) {
	if os.Getenv("SP_TEST_POSTGRES") == "" {
		t.Skip("it needs a PostgreSQL server's programs: make test-pg runs it")
	}
	harness.NeedRoot(t)
	limit := harness.Need(t, "setpriv")
	if _, err := postgres.AccountFor(0); err != nil {
		harness.Missing(t, err.Error())
	}
	programs, err := postgres.FindPrograms(os.Getenv("SP_POSTGRES_BIN"), filepath.SplitList(os.Getenv("PATH")), "")
	if err != nil {
		harness.Missing(t, err.Error())
	}
	bin := t.TempDir()
	require.NoError(t, harness.Build(filepath.Join(bin, "real")))
	sp := fmt.Sprintf("#!/bin/sh\nexec %s --bounding-set %s %s/real \"$@\"\n", limit, ofContainers, bin)
	require.NoError(t, os.WriteFile(filepath.Join(bin, "sp"), []byte(sp), 0o755))
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		WorkdirRoot:         open(t),
		RequireExplicitExec: true,
		Cmds:                harness.ScriptCommands(),
		Setup: func(env *testscript.Env) error {
			env.Vars = harness.Environment(filepath.Join(env.WorkDir, "home"), "PATH="+bin+":"+os.Getenv("PATH"),
				"WORK="+env.WorkDir, "SP_DATA_DIR="+filepath.Join(env.WorkDir, "data"), "SP_POSTGRES_BIN="+programs.Dir, "SP_TOKEN=canary")
			env.Defer(func() { stop(t, env.WorkDir, bin) })
			return os.Mkdir(filepath.Join(env.WorkDir, "home"), 0o700)
		},
	})
}

// open is a directory to which everybody gets.
func open(t *testing.T) string {
	dir, err := os.MkdirTemp(cmp.Or(harness.QuickPlace(1<<30), "/tmp"), "sp-root-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o711))
	return dir
}

// stop ends what a script that failed left running.
func stop(t *testing.T, work, bin string) {
	places, err := filepath.Glob(filepath.Join(work, "data", "postgres", "*"))
	require.NoError(t, err)
	for _, place := range places {
		remove := exec.Command(filepath.Join(bin, "real"), "db", "remove", filepath.Base(place), "-y")
		remove.Dir, remove.Env = work, append(os.Environ(), "SP_DATA_DIR="+filepath.Join(work, "data"))
		if said, err := remove.CombinedOutput(); err != nil {
			t.Errorf("%s", strings.TrimSpace(string(said)))
		}
	}
}

// TestSpdTriesItAsRoot: its server runs as postgres, too, and its data are where that user gets.
func TestSpdTriesItAsRoot(t *testing.T) {
	if os.Getenv("SP_TEST_POSTGRES") == "" {
		t.Skip("it needs a PostgreSQL server's programs: make test-pg runs it")
	}
	harness.NeedRoot(t)
	bin, work := t.TempDir(), open(t)
	spd := filepath.Join(bin, "spd")
	require.NoError(t, harness.BuildPlane(spd))
	data := filepath.Join(work, "data")
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(spd, append([]string{"--dir", filepath.Join(work, "spd")}, args...)...)
		cmd.Env = append(harness.Environment(work, "PATH="+os.Getenv("PATH")), "SP_DATA_DIR="+data)
		return cmd
	}
	serve := command("--dev", "--listen", "127.0.0.1:0")
	said, err := serve.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, serve.Start())
	text := ""
	for lines := bufio.NewScanner(said); !strings.Contains(text, "join code") && lines.Scan(); {
		text += lines.Text() + "\n"
	}
	require.NoError(t, serve.Process.Signal(unix.SIGTERM))
	_ = serve.Wait()
	require.Contains(t, text, "join code")
	places, err := filepath.Glob(filepath.Join(data, "postgres", "*", "data"))
	require.NoError(t, err)
	require.Len(t, places, 1)
	info, err := os.Stat(places[0])
	require.NoError(t, err)
	require.NotZero(t, info.Sys().(*syscall.Stat_t).Uid, "the data are root's")

	out, err := command("--stop").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "PostgreSQL server local stopped")
}
