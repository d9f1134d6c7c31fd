package cli

import (
	"context"
	"os"
	"os/signal"
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
	ctx, stop := UntilSignal(context.Background())
	defer stop()

	require.NoError(t, unix.Kill(os.Getpid(), unix.SIGHUP))
	require.NoError(t, unix.Kill(os.Getpid(), unix.SIGTERM)) // comes after it
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("no signal came")
	}

	var told *SignalError
	require.ErrorAs(t, context.Cause(ctx), &told)
	require.Equal(t, unix.SIGTERM, told.Signal)
}
