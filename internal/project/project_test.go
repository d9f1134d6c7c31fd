package project

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// P3; P1 differs on purpose: the registry is sp.db, and tenants.json follows it.
func TestFindWalksUpToTheNearest(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	mustMake(t, filepath.Join(top, Name))
	near := mustMake(t, filepath.Join(top, "a", Name))
	deep := mustMkdir(t, filepath.Join(top, "a", "b", "c"))

	for _, start := range []string{deep, filepath.Join(top, "a"), near.Path(), mustMkdir(t, filepath.Join(near.Path(), "profiles", "x"))} {
		d, err := Find(start)
		require.NoError(t, err, start)
		require.Equal(t, near, d, start)
	}
	require.Equal(t, filepath.Join(top, "a", Name), near.Path())
	require.Equal(t, filepath.Join(near.Path(), "sp.db"), near.Registry())
	require.Equal(t, filepath.Join(near.Path(), "tenants.json"), near.Tenants())
}

// P3 without a marker.
func TestFindTellsWhenThereIsNone(t *testing.T) {
	t.Parallel()
	start := mustMkdir(t, filepath.Join(tempDir(t), "a"))
	_, err := Find(start)
	require.ErrorIs(t, err, ErrNoDirectory)
	require.ErrorContains(t, err, start+" and above")
}

func TestFindPassesAFileByAndTellsOfIt(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	file := mustWrite(t, filepath.Join(top, "a", Name), "not a directory")
	_, err := Find(filepath.Dir(file))
	require.ErrorIs(t, err, ErrNoDirectory)
	require.ErrorContains(t, err, file+" is not a directory")

	above := mustMake(t, filepath.Join(top, Name))
	d, err := Find(filepath.Dir(file))
	require.NoError(t, err)
	require.Equal(t, above, d)
}

func TestFindWalksUpTheRealParents(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	mustMake(t, filepath.Join(top, "seen", Name))
	real := mustMake(t, filepath.Join(top, "real", Name))
	mustSymlink(t, mustMkdir(t, filepath.Join(top, "real", "src")), filepath.Join(top, "seen", "link"))

	d, err := Find(filepath.Join(top, "seen", "link"))
	require.NoError(t, err)
	require.Equal(t, real, d)
}

func TestFindStopsAtAnUnsafeDirectory(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	mustMake(t, filepath.Join(top, Name))
	inner := mustMake(t, filepath.Join(top, "a", Name))
	require.NoError(t, os.Chmod(inner.Path(), 0o770))

	_, err := Find(filepath.Join(top, "a"))
	require.ErrorIs(t, err, ErrUnsafe)
	require.ErrorContains(t, err, "chmod 700 "+inner.Path())
}

func TestPathsOfAnyNameAreFound(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	for _, name := range []string{"a b", "q?#%41", `quo'te"`, "new\nline", "non-utf8-\xff", "-rf", strings.Repeat("x", 255)} {
		made := mustMake(t, filepath.Join(top, name, Name))
		d, err := Find(filepath.Join(top, name))
		require.NoError(t, err, name)
		require.Equal(t, made, d)
	}
	_, err := Find(top + "/" + strings.Repeat("x/", 3000))
	require.Error(t, err)
	_, err = Find(filepath.Join(top, "gone"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestRelativePathsAreRefused(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", ".", "a/b", "~/x"} {
		_, err := Find(path)
		require.ErrorIs(t, err, ErrInvalid, path)
		_, err = At(path)
		require.ErrorIs(t, err, ErrInvalid, path)
		_, _, err = Make(path)
		require.ErrorIs(t, err, ErrInvalid, path)
		_, err = IgnoreExport(t.Context(), Git{}, path)
		require.ErrorIs(t, err, ErrInvalid, path)
	}
}

func TestAtAllowsAnyName(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	made := mustMake(t, filepath.Join(top, "registry"))
	d, err := At(filepath.Join(top, "registry") + "/")
	require.NoError(t, err)
	require.Equal(t, made, d)

	_, err = At(filepath.Join(top, "missing"))
	require.ErrorIs(t, err, ErrNoDirectory)
	_, err = At(mustWrite(t, filepath.Join(top, "file"), ""))
	require.ErrorIs(t, err, ErrNoDirectory)
	require.ErrorContains(t, err, "it is not a directory")
}

func TestDirectoryOthersCanWriteInIsRefused(t *testing.T) {
	t.Parallel()
	for mode, safe := range map[os.FileMode]bool{
		0o700: true, 0o755: true, 0o750: true,
		0o720: false, 0o702: false, 0o777: false, 0o777 | os.ModeSticky: false,
	} {
		d := mustMake(t, filepath.Join(tempDir(t), Name))
		require.NoError(t, os.Chmod(d.Path(), mode))
		_, err := At(d.Path())
		if safe {
			require.NoError(t, err, mode)
			continue
		}
		require.ErrorIs(t, err, ErrUnsafe, mode)
		_, err = Find(filepath.Dir(d.Path()))
		require.ErrorIs(t, err, ErrUnsafe, mode)
	}
}

func TestDirectoryOfAnotherUserIsRefused(t *testing.T) {
	t.Parallel()
	d := mustMake(t, filepath.Join(tempDir(t), Name))
	giveAway(t, d.Path())
	_, err := Find(filepath.Dir(d.Path()))
	require.ErrorIs(t, err, ErrUnsafe)
	require.ErrorContains(t, err, "belongs to user 65534")
	_, err = At(d.Path())
	require.ErrorIs(t, err, ErrUnsafe)
	_, _, err = Make(d.Path())
	require.ErrorIs(t, err, ErrUnsafe)
}

func TestFindDoesNotSkipWhatItCannotSee(t *testing.T) {
	t.Parallel()
	skipRoot(t)
	top := tempDir(t)
	mustMake(t, filepath.Join(top, Name))
	closed := mustMkdir(t, filepath.Join(top, "closed"))
	require.NoError(t, os.Chmod(closed, 0o600))
	t.Cleanup(func() { _ = os.Chmod(closed, 0o700) })
	_, err := Find(closed)
	require.ErrorIs(t, err, os.ErrPermission)
}
