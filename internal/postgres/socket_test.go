package postgres

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNobodyIsToldToGiveADirectoryAway for a socket: it may be /run.
func TestNobodyIsToldToGiveADirectoryAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := Cluster{as: Account{uid: os.Geteuid() + 1, lent: true}}.openSocketDir(dir)
	require.ErrorIs(t, err, ErrUnusable)
	require.ErrorContains(t, err, "name a directory that is not there yet")
	require.NotContains(t, err.Error(), "chown")

	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(dir, link))
	require.ErrorContains(t, Cluster{}.openSocketDir(link), "no directory")
}
