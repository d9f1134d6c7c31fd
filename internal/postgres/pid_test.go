package postgres

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestThePidOfWhoeverListensStays: should it be the server all the same, which could not be
// looked at, it would end without that file.
func TestThePidOfWhoeverListensStays(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "")
	c.Port = mustListen(t)
	mustWrite(t, c.PIDFile(), staleOf(os.Getpid()))
	require.ErrorIs(t, c.tryStart(soon(t), soon(t)), ErrTaken)
	require.FileExists(t, c.PIDFile())
}

// TestNothingIsMadeWhereSomebodyListens: it may be the server of what was moved away from there.
func TestNothingIsMadeWhereSomebodyListens(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "")
	c.Port = mustListen(t)
	require.ErrorIs(t, c.up(soon(t)), ErrTaken)
	require.NoDirExists(t, c.data())
}
