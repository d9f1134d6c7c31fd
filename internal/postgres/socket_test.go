package postgres

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheSocketsDirectoryIsNobodyElses, and whose it is, such as root's /tmp, is not asked to be given away.
func TestTheSocketsDirectoryIsNobodyElses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := newFakeCluster(t, "")
	require.NoError(t, c.openSocketDir(filepath.Join(dir, "run")))
	require.NoError(t, c.openSocketDir(filepath.Join(dir, "run")))

	err := c.openSocketDir(filepath.Join(dir, "none", "run"))
	require.ErrorIs(t, err, ErrUnusable)
	require.ErrorContains(t, err, "there is no "+filepath.Join(dir, "none")+" for the server's socket")

	file := filepath.Join(dir, "file")
	mustWrite(t, file, "")
	require.ErrorIs(t, c.openSocketDir(file), ErrUnusable)

	c.as = Account{uid: os.Geteuid() + 1, lent: true}
	err = c.openSocketDir(dir)
	require.ErrorIs(t, err, ErrUnusable)
	require.ErrorContains(t, err, "who could put another socket there")
	require.NotContains(t, err.Error(), "chown")

	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(dir, link))
	require.ErrorContains(t, Cluster{}.openSocketDir(link), "not a directory")
}
