package workspace_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// unsafe puts, by name, what is no plain file at a place; target is for the links.
var unsafe = map[string]func(path, target string) error{
	"symlink":  func(path, target string) error { return os.Symlink(target, path) },
	"dangling": func(path, target string) error { return os.Symlink(target+".none", path) },
	"loop":     func(path, _ string) error { return os.Symlink(filepath.Base(path), path) },
	"link to directory": func(path, target string) error {
		return os.Symlink(filepath.Dir(target), path)
	},
	"directory": func(path, _ string) error { return os.Mkdir(path, 0o700) },
	"fifo":      func(path, _ string) error { return syscall.Mkfifo(path, 0o600) },
	"socket": func(path, _ string) error {
		l, err := net.Listen("unix", path)
		if err == nil {
			l.(*net.UnixListener).SetUnlinkOnClose(false)
			err = l.Close()
		}
		return err
	},
}

func TestUnsafePlaceIsRefused(t *testing.T) {
	t.Parallel()
	for name, put := range unsafe {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := mustTrack(t)
			target := filepath.Join(t.TempDir(), "target")
			mustWrite(t, target, h.encoded(t)) // even when it holds our bytes
			untouched := fingerprint(t, target, false)
			require.NoError(t, os.Remove(h.path()))
			require.NoError(t, put(h.path(), target))
			before := h.everything(t)

			for _, p := range []workspace.Publisher{h.follower(), h.wanted(), h.forced()} {
				require.ErrorIs(t, h.do(p.Publish, create("b")), place.ErrUnsafe)
				require.Equal(t, before, h.everything(t))
			}
			require.ErrorIs(t, h.do(h.wanted().Publish, export), place.ErrUnsafe)
			require.ErrorIs(t, h.do(h.copyTo(h.path()).Publish, export), place.ErrUnsafe)
			h.view(t, func(view *registry.View) {
				_, err := h.follower().Standing(t.Context(), view)
				require.ErrorIs(t, err, place.ErrUnsafe)
				_, err = h.follower().IsCurrent(t.Context(), view)
				require.ErrorIs(t, err, place.ErrUnsafe)
				require.EqualError(t, err, h.path()+": refused as unsafe: not a regular file")
			})
			require.Equal(t, before, h.everything(t))
			require.Equal(t, untouched, fingerprint(t, target, false))
			_, err := os.Lstat(target + ".none")
			require.ErrorIs(t, err, os.ErrNotExist)
		})
	}
}

// A command that changes no tenant is not the one to complain.
func TestUnsafePlaceDoesNotStopOtherChanges(t *testing.T) {
	t.Parallel()
	for name, put := range unsafe {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := mustTrack(t)
			h.must(t, nil, create("b"))
			require.NoError(t, os.Remove(h.path()))
			require.NoError(t, put(h.path(), filepath.Join(t.TempDir(), "target")))
			row := h.remembered(t, workspace.TrackedName)
			h.must(t, h.follower().Publish, profile("x", "a"))
			require.Equal(t, row, h.remembered(t, workspace.TrackedName))

			require.NoError(t, os.Remove(h.path()))
			h.must(t, h.follower().Publish, profile("y", "a"))
			h.mustBeCurrent(t)
		})
	}
}

// What is at the place is not ours to judge before we wrote there.
func TestUntrackedPlaceIsNotLookedAt(t *testing.T) {
	t.Parallel()
	h := mustHouse(t)
	require.NoError(t, syscall.Mkfifo(h.path(), 0o600))
	require.Equal(t, workspace.Untracked, h.standing(t))
	h.must(t, h.follower().Publish, create("a"))
}

func TestAnotherUsersFileIsRefused(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	h := mustTrack(t)
	require.NoError(t, os.Chown(h.path(), 4711, -1))
	before := h.everything(t)
	for _, p := range []workspace.Publisher{h.follower(), h.wanted(), h.forced()} {
		require.ErrorIs(t, h.do(p.Publish, create("b")), place.ErrForeign)
		require.Equal(t, before, h.everything(t))
	}
}
