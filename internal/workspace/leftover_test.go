package workspace_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A command may have been killed between two bytes, or many of them.
func TestWhatCommandsLeftIsSwept(t *testing.T) {
	t.Parallel()
	for name := range repairs(house{}) {
		h := mustTrack(t)
		for i, text := range []string{"", "{", foreign, mustRead(t, h.path())} {
			mustWrite(t, filepath.Join(h.dir, fmt.Sprintf(".tenants.json.%d.tmp", i)), text)
		}
		require.NoError(t, repairs(h)[name]())
		h.mustBeCurrent(t)
	}
}

// A forced export that was killed leaves secrets beside a file that is not ours.
func TestWhatCommandsLeftBesideAForeignFileIsSwept(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	mustWrite(t, h.path(), foreign)
	left := filepath.Join(h.dir, ".tenants.json.1.tmp")
	mustWrite(t, left, "{")
	h.must(t, h.follower().Publish, profile("x", "a"))
	require.NoFileExists(t, left)
	require.Equal(t, foreign, mustRead(t, h.path()))
}

// Somebody may tidy up at the same time.
func TestWhatCommandsLeftMayBeGone(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	left := filepath.Join(h.dir, ".tenants.json.1.tmp")
	for _, a := range []act{profile("x", "a"), create("b")} {
		mustWrite(t, left, "")
		h.must(t, meanwhile(h.follower(), func() { require.NoError(t, os.Remove(left)) }), a)
		h.mustBeCurrent(t)
	}
}

// What can't be ours stays, whatever it is called, and is no reason to fail.
func TestWhatOthersLeftStays(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	others := []string{
		".tenants.json.tmp", ".tenants.json..tmp", ".tenants.json.1", ".tenants.json.1.tmp~", ".tenants.json.swp",
		".tenants.json.bak.tmp", ".tenants.json.1a.tmp", "tenants.json.1.tmp", ".tenants-json.1.tmp", ".tenants.json.1.2.tmp",
	}
	for _, name := range others {
		mustWrite(t, filepath.Join(h.dir, name), "theirs")
	}
	target := filepath.Join(t.TempDir(), "target")
	mustWrite(t, target, "theirs")
	require.NoError(t, os.Symlink(target, filepath.Join(h.dir, ".tenants.json.1.tmp")))
	require.NoError(t, os.MkdirAll(filepath.Join(h.dir, ".tenants.json.2.tmp", "full"), 0o700))
	before := names(t, h.dir)
	for name := range repairs(h) {
		require.NoError(t, repairs(h)[name](), name)
		require.Equal(t, before, names(t, h.dir), name)
	}
	require.Equal(t, "theirs", mustRead(t, target))
	require.Equal(t, h.encoded(t), mustRead(t, h.path()))
}
