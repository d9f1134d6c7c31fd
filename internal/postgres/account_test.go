package postgres

import (
	"os"
	"os/user"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOnlyRootLendsThePrograms to another user, who is neither root nor in root's group, nor in any that
// sp is in.
func TestOnlyRootLendsThePrograms(t *testing.T) {
	t.Parallel()
	self, err := AccountFor(1000)
	require.NoError(t, err)
	require.Equal(t, Account{}, self)
	require.Nil(t, self.attributes(syscall.SysProcAttr{Setsid: true}).Credential)
	require.Equal(t, os.Geteuid(), self.owner())

	_, err = accountOf(&user.User{Uid: "0", Gid: "0", Username: "toor"})
	require.ErrorIs(t, err, ErrRoot)
	a, err := accountOf(&user.User{Uid: "101", Gid: "0", Username: "postgres"})
	require.NoError(t, err)
	require.Equal(t, &syscall.Credential{Uid: 101, Gid: 101}, a.attributes(syscall.SysProcAttr{}).Credential)
}

// TestAnotherUserLearnsNothingOfRootsEnvironment, which that user can read in /proc.
func TestAnotherUserLearnsNothingOfRootsEnvironment(t *testing.T) {
	t.Parallel()
	env := []string{"HOME=/root", "SP_TOKEN=canary", "PATH=/bin", "PGDATA=/x", "TZ=UTC", "XDG_DATA_HOME=/root/x"}
	require.Equal(t, []string{"PATH=/bin", "TZ=UTC"}, Account{lent: true}.env(env))
	require.Equal(t, env, Account{}.env(env))
}

// TestTheDirectoryThatIsInTheWayIsNamed: the first on the way to the data that lets nobody else in.
func TestTheDirectoryThatIsInTheWayIsNamed(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for at := root; len(at) > len(os.TempDir()); at = filepath.Dir(at) {
		require.NoError(t, os.Chmod(at, 0o755))
	}
	at := filepath.Join(root, "a", "b", "c")
	require.NoError(t, os.MkdirAll(at, 0o755))
	stranger := Account{uid: 12345, gid: 12345, lent: true}
	require.Empty(t, stranger.closed(at))
	require.NoError(t, os.Chmod(filepath.Dir(at), 0o700))
	require.Equal(t, filepath.Dir(at), stranger.closed(at))
	require.NoError(t, os.Chmod(filepath.Dir(at), 0o711))
	require.Empty(t, stranger.closed(at))
	require.NoError(t, os.Chmod(at, 0o700))
	require.Equal(t, at, stranger.closed(at))
	require.Empty(t, Account{uid: os.Geteuid(), gid: 12345, lent: true}.closed(at), "its own")
}

// TestRootWritesNowhereThroughWhatAnotherUserPutThere in place of the file that initdb makes.
func TestRootWritesNowhereThroughWhatAnotherUserPutThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mustWrite(t, filepath.Join(dir, "roots"), "as it was\n")
	conf := filepath.Join(dir, "postgresql.conf")
	require.NoError(t, os.Symlink("roots", conf))
	require.Error(t, Cluster{}.appendTo(conf, "more"))
	require.NoError(t, os.Remove(conf))
	require.NoError(t, os.Link(filepath.Join(dir, "roots"), conf))
	require.ErrorIs(t, Cluster{as: Account{uid: 12345, lent: true}}.appendTo(conf, "more"), ErrUnusable)
	require.Equal(t, "as it was\n", mustRead(t, conf))
}

// TestRootsDataAreCheckedAsTheirOwners: a look before a restart judges them as a start does.
func TestRootsDataAreCheckedAsTheirOwners(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root lends the programs")
	}
	c := newFakeCluster(t, "")
	mustWrite(t, c.data()+"/PG_VERSION", c.Programs.Version+"\n")
	require.NoError(t, os.Chown(c.data(), 12345, -1))
	require.NoError(t, c.CheckData())
	require.NoError(t, os.Chown(c.data(), 0, -1))
	require.ErrorIs(t, c.CheckData(), ErrUnusable)
}
