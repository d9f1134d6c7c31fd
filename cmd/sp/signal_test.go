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
)

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
	require.Equal(t, []string{".gitignore", ".lock", ".place", "sp.db", "sp.db-journal", "tenants.json"}, p.Names())
}
