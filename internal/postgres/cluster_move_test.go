package postgres

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// stoppedCluster is one with data that no server has ever run on.
func stoppedCluster(t *testing.T) Cluster {
	t.Helper()
	c := Cluster{Dir: filepath.Join(t.TempDir(), "postgres"), Owner: "/home/me/project/.systemprompt"}
	mustWrite(t, c.data()+"/PG_VERSION", "98\n")
	mustWrite(t, c.data()+"/base/1/2", "rows")
	mustWrite(t, c.passwordFile(), "left by a command that was killed")
	require.NoError(t, os.Symlink("/elsewhere", c.data()+"/link"))
	require.NoError(t, os.Chmod(c.data()+"/base", 0o750))
	return c
}

// requireMoved holds that a cluster is at dir, and nowhere else.
func requireMoved(t *testing.T, c Cluster, dir string) {
	t.Helper()
	require.NoDirExists(t, c.Dir)
	require.Equal(t, "data lock project", entries(t, dir))
	require.Equal(t, c.Owner+"\n", mustRead(t, dir+"/project"))
	require.Equal(t, "rows", mustRead(t, dir+"/data/base/1/2"))
	require.Equal(t, os.FileMode(0o750), modeOf(t, dir+"/data/base"))
	leads, err := os.Readlink(dir + "/data/link")
	require.NoError(t, err)
	require.Equal(t, "/elsewhere", leads)
}

func TestAClusterIsMovedWhole(t *testing.T) {
	t.Parallel()
	c := stoppedCluster(t)
	to := filepath.Join(t.TempDir(), "place")
	require.NoError(t, c.MoveTo(soon(t), to))
	requireMoved(t, c, to)
}

// TestAClusterIsCopiedWhereItCannotBeRenamed, over what a command left that was killed.
func TestAClusterIsCopiedWhereItCannotBeRenamed(t *testing.T) {
	t.Parallel()
	c := stoppedCluster(t)
	to := filepath.Join(t.TempDir(), "place")
	mustWrite(t, to+".new/data/half", "x")
	require.NoError(t, os.Remove(c.passwordFile()))
	mustWrite(t, c.ownerFile(), c.Owner+"\n")
	mustWrite(t, filepath.Join(c.Dir, "lock"), "")
	require.NoError(t, c.copyTo(soon(t), to))
	requireMoved(t, c, to)
	require.NoDirExists(t, to+".new")
}

// TestAClusterStaysUntilItsCopyIsTheSame, whatever stops that.
func TestAClusterStaysUntilItsCopyIsTheSame(t *testing.T) {
	t.Parallel()
	c := stoppedCluster(t)
	to := filepath.Join(t.TempDir(), "place")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("Ctrl-C"))
	require.ErrorContains(t, c.copyTo(ctx, to), "Ctrl-C")
	require.Equal(t, "rows", mustRead(t, c.data()+"/base/1/2"))
	require.NoDirExists(t, to)

	same, err := sumOf(soon(t), c.Dir)
	require.NoError(t, err)
	mustWrite(t, c.data()+"/base/1/2", "rowz")
	other, err := sumOf(soon(t), c.Dir)
	require.NoError(t, err)
	require.NotEqual(t, same, other)
}

// TestALinkInThePlaceOfAClusterIsNotFollowed: a clone may hold one.
func TestALinkInThePlaceOfAClusterIsNotFollowed(t *testing.T) {
	t.Parallel()
	c := stoppedCluster(t)
	link := Cluster{Dir: filepath.Join(t.TempDir(), "postgres")}
	require.NoError(t, os.Symlink(c.Dir, link.Dir))
	require.ErrorIs(t, link.MoveTo(soon(t), link.Dir+"2"), ErrUnusable)
	require.DirExists(t, c.Dir)
}
