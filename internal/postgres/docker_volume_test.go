package postgres

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAVolumeOfAnotherIsNotUsed(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("engine/volume", "/home/me/other/.systemprompt\n")
	err := f.up()
	require.ErrorIs(t, err, ErrTaken)
	require.ErrorContains(t, err, "volume systemprompt-shared-db-data: it belongs to /home/me/other/.systemprompt")
	require.Empty(t, f.calls())
	f.has("engine/volume", f.Owner+"\n")
	require.NoError(t, f.up())
}

// TestAVolumeOnWhichNothingIsIsNotKept, for it would keep every other project out; one with
// data is.
func TestAVolumeOnWhichNothingIsIsNotKept(t *testing.T) {
	t.Parallel()
	for _, plugin := range []bool{false, true} {
		f := newFakeDocker(t)
		if plugin {
			f.has("compose", "")
		}
		f.has("pull", "no such image")
		require.ErrorContains(t, f.up(), "no such image")
		require.NoFileExists(t, filepath.Join(f.keep, "engine", "volume"))
		f.has("engine/volume", f.Owner+"\n")
		require.ErrorContains(t, f.up(), "no such image")
		require.FileExists(t, filepath.Join(f.keep, "engine", "volume"))
		f.hasNot("pull")
		f.hasNot("engine/volume")
		f.has("refuse", "the port is not to be had")
		require.ErrorContains(t, f.up(), "the port is not to be had")
		require.FileExists(t, filepath.Join(f.keep, "engine", "volume"), "the container that was created has it")
	}
}

// Docker keeps the volume of who made it first.
func TestOfTwoProjectsOneHasTheVolume(t *testing.T) {
	t.Parallel()
	f := newFakeDocker(t)
	f.has("engine/volume", "/home/me/other/.systemprompt\n") // made since we looked
	require.ErrorIs(t, f.create(soon(t)), ErrTaken)
	require.Equal(t, []string{f.volumeCreate()}, f.calls())
}
