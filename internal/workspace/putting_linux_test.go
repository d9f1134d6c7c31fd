package workspace_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
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
		require.Equal(t, workspace.Changed, h.standing(t))
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

// A newer version of the other program puts whole files in place, at any instant.
func TestWhoRenamesInBetweenIsNotOverwritten(t *testing.T) {
	t.Parallel()
	mustKeepWrites(t, func(path string, text []byte) error {
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	})
}

// Who asks for the file while ours takes its place is let in when the old one is back.
func TestWhoComesInBetweenWritesTheOldFile(t *testing.T) {
	t.Parallel()
	mustKeepWrites(t, func(path string, text []byte) error { return os.WriteFile(path, text, 0o600) })
}

// mustKeepWrites has somebody write once in each of many changes, a bit later each time,
// after the change has looked at the file.
func mustKeepWrites(t *testing.T, write func(path string, text []byte) error) {
	t.Helper()
	h := mustTrack(t)
	for i := range 120 {
		text := strings.ReplaceAll(foreign, "theirs", fmt.Sprintf("theirs %d", i))
		h.must(t, h.forced().Publish, export)
		wrote := make(chan error, 1)
		begin := func() {
			go func() {
				for at := time.Now().Add(time.Duration(i) * 25 * time.Microsecond); time.Now().Before(at); { // sleeping is too coarse
					runtime.Gosched()
				}
				wrote <- write(h.path(), []byte(text))
			}()
		}
		err := h.do(meanwhile(h.follower(), begin), create(fmt.Sprint("b", i)))
		require.NoError(t, <-wrote)
		require.Equal(t, text, mustRead(t, h.path()), "%d: %v", i, err)
	}
}
