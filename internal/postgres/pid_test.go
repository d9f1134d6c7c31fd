package postgres

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestThePidOfWhoeverListensStays: should it be the server all the same, which could not be
// looked at, it would end without that file.
func TestThePidOfWhoeverListensStays(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "")
	l, err := net.Listen("tcp4", address(mustFreePort(t)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	c.Port = l.Addr().(*net.TCPAddr).Port
	mustWrite(t, c.pidFile(), staleOf(os.Getpid()))
	require.ErrorIs(t, c.tryStart(soon(t)), ErrTaken)
	require.FileExists(t, c.pidFile())
}
