package place_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/place"
)

func TestPermitNamesWhatBarsTheWay(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("nothing bars the way of root")
	}
	dir := t.TempDir()
	plain := func(path string) string { return path }
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "a/b"), 0o700))
	file := filepath.Join(dir, "a/b/file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.Empty(t, place.Permit(file, plain))
	require.NoError(t, os.Chmod(file, 0))
	require.Equal(t, "chmod u+rw "+file, place.Permit(file, plain))
	require.NoError(t, os.Chmod(filepath.Join(dir, "a/b"), 0o500))
	require.Equal(t, "chmod u+rwx "+filepath.Join(dir, "a/b"), place.Permit(filepath.Join(dir, "a/b/new"), plain))
	require.NoError(t, os.Chmod(file, 0o600))
	require.Equal(t, "chmod u+rwx "+filepath.Join(dir, "a/b"), place.Permit(file, plain))
	require.NoError(t, os.Chmod(filepath.Join(dir, "a"), 0))
	require.Equal(t, "chmod u+rwx "+filepath.Join(dir, "a"), place.Permit(file, plain))
	require.NoError(t, os.Chmod(filepath.Join(dir, "a"), 0o700))
	require.Equal(t, "/etc belongs to user 0: run as that user, or ask for it", place.Permit("/etc/nosuch", plain))
}
