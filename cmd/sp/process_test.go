package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/cli"
)

// runChild is a command of the tests: a guarded process whose child prints its umask
// and environment; it prints what it sees itself.
func runChild() int {
	self := cli.Guard()
	child := exec.Command("sh", "-c", "umask; env")
	child.Stdout = os.Stdout
	if err := self.Start(child); err != nil || child.Wait() != nil {
		return 1
	}
	lookupEnv := self.LookupEnv(os.LookupEnv)
	token, _ := lookupEnv("SP_TOKEN")
	dir, _ := lookupEnv("SP_DIR")
	_, missing := lookupEnv("SP_NO_SUCH_TOKEN")
	fmt.Printf("itself: %s %s %v umask %04o\n", token, dir, missing, unix.Umask(0))
	return 0
}

func TestAChildGetsItsUsersUmaskAndNoSecretOfSp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "sp-child")
	cmd.Env = append(os.Environ(), "SP_TOKEN=canary-token", "SP_POSTGRES_ADMIN_URL=canary-admin", "SP_CLOUD_SYNC_TOKEN=canary-sync",
		"SP_DIR=/a/directory", "PGPASSWORD=the user's own", "TOKEN=the user's own")
	cmd.Stdout = &out
	require.NoError(t, cmd.Run())
	child, itself, found := bytes.Cut(out.Bytes(), []byte("itself: "))
	require.True(t, found)
	require.Equal(t, "canary-token /a/directory false umask 0077\n", string(itself))
	require.Regexp(t, `^0022\n`, string(child))
	require.NotContains(t, string(child), "canary")
	for _, kept := range []string{"SP_DIR=/a/directory", "PGPASSWORD=the user's own", "\nTOKEN=the user's own"} {
		require.Contains(t, string(child), kept)
	}
}

// TestASignalLeavesNothingHalfDone ends an import as soon as its journal is there: by
// the time the process is gone, all has been taken back.
func TestASignalLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	var file bytes.Buffer
	file.WriteString(`{"synced_at": "2026-02-01T10:00:00Z", "tenants": [`)
	for i := range 30_000 {
		fmt.Fprintf(&file, `{"id": "t%d", "name": "%0200d"},`, i, i)
	}
	file.WriteString(`{"id": "last", "name": "last"}]}`)
	require.NoError(t, os.WriteFile(filepath.Join(p.Dir, "many.json"), file.Bytes(), 0o600))
	p.Must("init")

	cmd := p.Command("import", "many.json")
	require.NoError(t, cmd.Start())
	for journal := p.Store("sp.db-journal"); ; time.Sleep(time.Millisecond) {
		if info, err := os.Stat(journal); err == nil && info.Size() > 0 {
			break
		}
		require.NoError(t, cmd.Process.Signal(unix.Signal(0)), "it ended by itself")
	}
	require.NoError(t, cmd.Process.Signal(unix.SIGTERM))
	var ended *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &ended)

	require.Equal(t, 128+int(unix.SIGTERM), ended.ExitCode())
	require.Equal(t, []string{".gitignore", ".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum", "tenants.json"}, p.Names())
}
