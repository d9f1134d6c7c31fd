package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestASignalThatWasIgnoredStaysIgnored is what nohup and a shell's & rely on. Not
// parallel: signals are the process's.
func TestASignalThatWasIgnoredStaysIgnored(t *testing.T) {
	signal.Ignore(unix.SIGHUP)
	defer signal.Reset(unix.SIGHUP, unix.SIGPIPE)
	ctx, stop := untilSignal(context.Background())
	defer stop()

	require.NoError(t, unix.Kill(os.Getpid(), unix.SIGHUP))
	require.NoError(t, unix.Kill(os.Getpid(), unix.SIGTERM)) // comes after it
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("no signal came")
	}

	var told *signalError
	require.ErrorAs(t, context.Cause(ctx), &told)
	require.Equal(t, unix.SIGTERM, told.signal)
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
	require.Equal(t, []string{".gitignore", ".lock", ".place", "sp.db", "sp.db-journal"}, p.Names())
}
