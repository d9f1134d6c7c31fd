package place

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnIdentityStaysWithItsFileAndNoOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	require.NoError(t, os.WriteFile(path, []byte("a"), 0o600))
	before, err := IdentityOf(path)
	require.NoError(t, err)
	if !before.Known() {
		t.Skip("this file system keeps no time of birth")
	}

	require.NoError(t, os.WriteFile(path, []byte("other"), 0o600))
	require.NoError(t, os.Rename(path, path+"2"))
	same, err := IdentityOf(path + "2")
	require.NoError(t, err)
	require.True(t, before.Is(same))

	require.NoError(t, os.Remove(path+"2"))
	after := before // with the same inode, until the file system's clock goes on
	for n := 0; n < 10000 && before.Is(after); n++ {
		require.NoError(t, os.WriteFile(path, []byte("a"), 0o600))
		after, err = IdentityOf(path)
		require.NoError(t, err)
		require.NoError(t, os.Remove(path))
	}
	require.False(t, before.Is(after))

	read, err := ParseIdentity(before.String())
	require.NoError(t, err)
	require.Equal(t, before, read)
}

func TestAnUnknownIdentityIsNothing(t *testing.T) {
	t.Parallel()
	require.False(t, Identity{}.Is(Identity{}))
	require.Empty(t, Identity{}.String())
	read, err := ParseIdentity("")
	require.NoError(t, err)
	require.False(t, read.Known())
	for _, wrong := range []string{"1", "x:1", "1:x", "1:2:3", ":"} {
		_, err := ParseIdentity(wrong)
		require.Error(t, err, wrong)
	}
	_, err = IdentityOf(filepath.Join(t.TempDir(), "missing"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
