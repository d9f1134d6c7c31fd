package exporter_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/registry"
)

// latecomer opens the file for writing and, when everybody else is done with it, writes
// into it, as the original tool does.
func latecomer(t *testing.T, path, text string, after time.Duration) (begin func(), done chan error) {
	t.Helper()
	done = make(chan error, 1)
	return func() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		require.NoError(t, err)
		go func() {
			time.Sleep(after)
			_, err := file.WriteAt([]byte(text), 0)
			if err == nil {
				err = file.Truncate(int64(len(text)))
			}
			if closed := file.Close(); err == nil {
				err = closed
			}
			done <- err
		}()
	}, done
}

// Who had the file open when ours took its place may write into it still: that is found
// where it was moved to, and moved back.
func TestALateWriteIsNotLost(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	same := strings.Replace(mustRead(t, h.path()), "name of a", "eman of a", 1) // of the same length
	for i, text := range []string{foreign, same} {
		h.must(t, h.forced().Publish, export)
		begin, done := latecomer(t, h.path(), text, 100*time.Millisecond)
		err := h.do(meanwhile(h.follower(), begin), create(fmt.Sprint("b", i)))
		require.NoError(t, <-done)
		require.ErrorIs(t, err, registry.ErrIncomplete)
		mustConflict(t, err, h.path())
		require.Equal(t, text, mustRead(t, h.path()))
		require.Equal(t, exporter.Changed, h.standing(t))
		require.Contains(t, h.ids(t), fmt.Sprint("b", i))
	}
}

// Who has it open and writes nothing, or what it held already, is in nobody's way; who
// keeps it open may write at any time.
func TestAnOpenFileIsWaitedForButNotForLong(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	begin, done := latecomer(t, h.path(), mustRead(t, h.path()), 50*time.Millisecond)
	h.must(t, meanwhile(h.follower(), begin), create("b"))
	require.NoError(t, <-done)
	h.mustBeCurrent(t)

	reader, err := os.Open(h.path())
	require.NoError(t, err)
	h.must(t, h.follower().Publish, create("c"))
	require.NoError(t, reader.Close())

	before := mustRead(t, h.path())
	writer, err := os.OpenFile(h.path(), os.O_WRONLY, 0)
	require.NoError(t, err)
	start := time.Now()
	mustConflict(t, h.do(h.follower().Publish, create("d")), h.path())
	require.Less(t, time.Since(start), 10*time.Second)
	require.NoError(t, writer.Close())
	require.Equal(t, before, mustRead(t, h.path()))
	h.must(t, h.follower().Publish, create("e"))
	h.mustBeCurrent(t)
}

// Where ours was written into in the instant that it had the name, both are kept.
func TestOfTwoWritesAtOnceNoneIsLost(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	begin, done := latecomer(t, h.path(), foreign, 200*time.Millisecond)
	second := strings.ReplaceAll(foreign, "theirs", "others")
	wrote := make(chan error, 1)
	err := h.do(meanwhile(h.follower(), func() {
		before, err := os.Lstat(h.path())
		require.NoError(t, err)
		begin()
		go func() {
			for now, err := os.Lstat(h.path()); err != nil || os.SameFile(before, now); now, err = os.Lstat(h.path()) {
				time.Sleep(time.Millisecond)
			}
			wrote <- os.WriteFile(h.path(), []byte(second), 0o600)
		}()
	}), create("b"))
	require.NoError(t, <-done)
	require.NoError(t, <-wrote)
	require.ErrorIs(t, err, registry.ErrIncomplete)
	mustConflict(t, err, h.path())
	require.Equal(t, foreign, mustRead(t, h.path()))
	kept := ""
	for _, name := range names(t, h.dir) {
		if strings.HasSuffix(name, ".kept.tmp") {
			kept = name
		}
	}
	require.ErrorContains(t, err, kept)
	require.Equal(t, second, mustRead(t, h.dir+"/"+kept))
	h.must(t, h.forced().Publish, export)
	require.FileExists(t, h.dir+"/"+kept)
}
