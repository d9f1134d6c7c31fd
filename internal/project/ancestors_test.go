package project

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// above makes the directories a/b below a new one and returns them, and where a
// `.systemprompt` would be in them.
func above(t *testing.T) (a, b, place string) {
	t.Helper()
	a = mustMkdir(t, filepath.Join(tempDir(t), "a"))
	b = mustMkdir(t, filepath.Join(a, "b"))
	return a, b, filepath.Join(b, Name)
}

func TestADirectoryThatOthersCouldReplaceIsRefused(t *testing.T) {
	t.Parallel()
	for mode, safe := range map[os.FileMode]bool{
		0o700: true, 0o755: true, 0o555: true, 0o777 | os.ModeSticky: true,
		0o757: false, 0o777: false, 0o703: false, 0o777 | os.ModeSetgid: false,
	} {
		a, b, place := above(t)
		for _, dir := range []string{a, b} {
			require.NoError(t, CheckAbove(place, ""))
			require.NoError(t, os.Chmod(dir, mode))
			err := CheckAbove(place, "")
			if safe {
				require.NoError(t, err, mode)
			} else {
				require.ErrorIs(t, err, ErrUnsafe, mode)
				require.ErrorContains(t, err, "(chmod go-w "+dir+", or ")
			}
			require.NoError(t, os.Chmod(dir, 0o755))
		}
	}
}

func TestOneCommandMendsAllThatIsAbove(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	a := mustMkdir(t, filepath.Join(top, "a b"))
	b := mustMkdir(t, filepath.Join(a, "b"))
	for _, dir := range []string{a, b} {
		require.NoError(t, os.Chmod(dir, 0o777))
	}
	require.EqualError(t, CheckAbove(filepath.Join(b, Name), ""),
		a+": refused as unsafe: others can write in it, and so replace what is in it "+
			"(chmod go-w '"+a+"' '"+b+"', or keep the registry elsewhere: --dir DIRECTORY)")
}

// A user's private group, and root's, hold nobody else; any other one does.
func TestAGroupMayWriteIfNobodyElseIsInIt(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can give a file away")
	}
	_, b, place := above(t)
	require.NoError(t, os.Chmod(b, 0o775))
	require.NoError(t, CheckAbove(place, ""))
	require.NoError(t, os.Chown(b, 0, 4711))
	require.NoError(t, os.Chmod(b, 0o775))
	require.ErrorIs(t, CheckAbove(place, ""), ErrUnsafe)
	require.NoError(t, os.Chmod(b, 0o775|os.ModeSticky))
	require.NoError(t, CheckAbove(place, ""))
}

func TestADirectoryInOneOfAnotherUserIsRefused(t *testing.T) {
	t.Parallel()
	a, b, place := above(t)
	giveAway(t, a)
	err := CheckAbove(place, "")
	require.ErrorIs(t, err, ErrUnsafe)
	require.ErrorContains(t, err, a+": refused as unsafe: it belongs to user 65534")
	require.NoError(t, CheckAbove(place, b), "above home it is the system's affair")
	require.ErrorIs(t, CheckAbove(place, a), ErrUnsafe, "home itself is ours")
}

func TestWhatIsMissingAboveWillBePrivate(t *testing.T) {
	t.Parallel()
	a, b, _ := above(t)
	place := filepath.Join(b, "to", "come", Name)
	require.NoError(t, CheckAbove(place, ""))
	require.NoError(t, os.Chmod(a, 0o777))
	require.ErrorIs(t, CheckAbove(place, ""), ErrUnsafe)
	require.NoError(t, CheckAbove(place, b))
	require.ErrorContains(t, CheckAbove("relative", ""), "not absolute")
}

func TestHomeMayBeALink(t *testing.T) {
	t.Parallel()
	a, b, place := above(t)
	require.NoError(t, syscall.Chmod(a, 0o777))
	link := filepath.Join(tempDir(t), "home")
	mustSymlink(t, b, link)
	require.NoError(t, CheckAbove(place, link))
}
