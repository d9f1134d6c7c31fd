package workspace_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/place"
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

// Who had the file open when ours took its place may write into it still: what it writes
// is in the file that is kept.
func TestALateWriteIsNotLost(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	same := strings.Replace(mustRead(t, h.path()), "name of a", "eman of a", 1) // of the same length
	for i, text := range []string{foreign, same} {
		h.must(t, h.forced().Publish, export)
		begin, done := latecomer(t, h.path(), text, 100*time.Millisecond)
		err := h.do(meanwhile(h.follower(), begin), create(fmt.Sprint("b", i)))
		require.NoError(t, <-done)
		h.mustKeep(t, err, text)
		require.Contains(t, h.ids(t), fmt.Sprint("b", i))
	}
}

// Who reads the file is in nobody's way; who has it open for writing may write at any time.
func TestAnOpenFileIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	reader, err := os.Open(h.path())
	require.NoError(t, err)
	h.must(t, h.follower().Publish, create("b"))
	require.NoError(t, reader.Close())
	h.mustBeCurrent(t)

	before := mustRead(t, h.path())
	writer, err := os.OpenFile(h.path(), os.O_WRONLY, 0)
	require.NoError(t, err)
	err = h.do(h.follower().Publish, create("c"))
	require.NoError(t, writer.Close())
	h.mustKeep(t, err, before)
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

// Who asks for the file while ours takes its place writes into the one or the other.
func TestWhoWritesInBetweenIsNotOverwritten(t *testing.T) {
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
		kept, failed := place.Kept(nil, h.path())
		require.NoError(t, failed)
		found := []string{mustRead(t, h.path())}
		for _, path := range kept {
			found = append(found, mustRead(t, path))
		}
		require.Contains(t, found, text, "%d: %v", i, err)
		require.NoError(t, place.Sweep(kept))
	}
}
