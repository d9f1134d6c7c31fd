package workspace

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// mustDate returns how the file system dates what is written now.
func mustDate(t *testing.T, dir string) time.Time {
	t.Helper()
	path := filepath.Join(dir, "now")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info.ModTime()
}

// mustChange writes a file anew, of the same size, and sets its time back: all that
// remains is when the file system says that it was changed.
func mustChange(t *testing.T, path, text string) {
	t.Helper()
	before, err := os.Lstat(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.NoError(t, os.Chtimes(path, before.ModTime(), before.ModTime()))
}

// Both changes are mostly of one tick of the file system's clock: then no stamp may be
// taken in between. (From Linux 6.13 on, to have looked is to see every later change;
// the rule itself has its case below.)
func TestStampIsNeverTakenWithinTheTickOfAChange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	texts := []string{"one", "two"}
	hashes := []string{mustHash(t, dir, texts[0]), mustHash(t, dir, texts[1])}
	require.NoError(t, os.WriteFile(path, []byte(texts[0]), 0o600))
	for i := range 2000 {
		since := mustDate(t, dir)
		stamp, err := takeStamp(path, hashes[i%2], since)
		require.NoError(t, err)
		mustChange(t, path, texts[(i+1)%2])
		require.NotEqual(t, stamp, lastStamp(path), "round %d", i)
	}
}

func mustHash(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "hashed")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	hash, err := HashFile(path)
	require.NoError(t, err)
	return hash
}

func TestStampIsTakenOfAFileThatHasLainStill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	hash := mustHash(t, dir, "one")
	require.NoError(t, os.WriteFile(path, []byte("one"), 0o600))
	since := mustDate(t, dir).Add(time.Hour) // as if it had been written an hour ago
	stamp, err := takeStamp(path, hash, since)
	require.NoError(t, err)
	require.Equal(t, lastStamp(path), stamp)
	require.Regexp(t, `^\d+ 3 \d{19} \d{19}$`, stamp)

	var stat unix.Stat_t
	require.NoError(t, unix.Lstat(path, &stat))
	changed := time.Unix(stat.Ctim.Unix())
	again, err := takeStamp(path, hash, changed.Add(1))
	require.NoError(t, err)
	require.Equal(t, stamp, again)

	for _, wrong := range []func() (string, error){
		func() (string, error) { return takeStamp(path, mustHash(t, dir, "two"), since) },
		func() (string, error) { return takeStamp(path, hash, changed) }, // the tick may not be over
		func() (string, error) { return takeStamp(path, hash, time.Time{}) },
		func() (string, error) {
			require.NoError(t, os.Chmod(path, 0o640))
			return takeStamp(path, hash, since)
		},
	} {
		stamp, err := wrong()
		require.NoError(t, err)
		require.Empty(t, stamp)
	}
	_, err = takeStamp(path+".none", hash, since)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Empty(t, lastStamp(path+".none"))
	require.NoError(t, os.Symlink(path, path+".link"))
	_, err = takeStamp(path+".link", hash, since)
	require.Error(t, err)
}
