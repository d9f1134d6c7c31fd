package control

import (
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
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
