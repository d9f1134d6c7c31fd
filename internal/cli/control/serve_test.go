package control

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
)

// TestWhoMayNotListenThereIsToldWhy: ports below 1024 are root's.
func TestWhoMayNotListenThereIsToldWhy(t *testing.T) {
	t.Parallel()
	p := &cli.Program{Name: "spd", Faults: Faults}
	refused := func(errno syscall.Errno) cli.Failure {
		return p.FailureOf(unheard("127.0.0.1:80", &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", errno)}))
	}
	f := refused(syscall.EACCES)
	require.Equal(t, []any{2, "--listen 127.0.0.1:80: permission denied"}, []any{f.Exit, f.Message})
	require.Equal(t, "ports below 1024 need root; take a higher one: --listen 127.0.0.1:8787", *f.Hint)
	f = refused(syscall.EADDRNOTAVAIL)
	require.Equal(t, []any{2, "--listen 127.0.0.1:80: cannot assign requested address"}, []any{f.Exit, f.Message})
	require.Equal(t, 4, refused(syscall.EADDRINUSE).Exit)
}

// TestTroubleWithADatabaseServerIsNoFaultOfSpd, and there is something to do about it.
func TestTroubleWithADatabaseServerIsNoFaultOfSpd(t *testing.T) {
	t.Parallel()
	p := &cli.Program{Name: "spd", Faults: Faults}
	for err, want := range map[error]struct {
		exit int
		hint string
	}{
		postgres.ErrFrozen:  {9, "spd --stop"},
		postgres.ErrUnended: {9, "spd --stop"},
		postgres.ErrBusy:    {7, "try again"},
		fmt.Errorf("%w; its disk: %w", provision.ErrUnavailable, hosting.ErrNoRoom): {6, "free some space"},
	} {
		f := p.FailureOf(fmt.Errorf("/srv/data: %w", err))
		require.Equal(t, want.exit, f.Exit, err)
		require.NotNil(t, f.Hint, err)
		require.Contains(t, *f.Hint, want.hint)
	}
	require.Equal(t, 9, p.FailureOf(fmt.Errorf("/srv/data: %w", postgres.ErrUnusable)).Exit, "which names the server's log")
}
