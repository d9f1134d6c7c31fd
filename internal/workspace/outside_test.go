package workspace_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/workspace"
)

// A copy that was killed goes with the next command of any kind, wherever it was to be,
// and what it was to replace can be replaced still.
func TestTheNextCommandSweepsAKilledCopy(t *testing.T) {
	t.Parallel()
	for _, point := range points {
		for name := range repairs(house{}) {
			for _, before := range []bool{false, true} {
				t.Run(fmt.Sprint(point, ", then ", name, ", over another: ", before), func(t *testing.T) {
					t.Parallel()
					h := mustTrack(t)
					path := filepath.Join(t.TempDir(), "a copy.json")
					if before {
						h.must(t, h.copyTo(path).Publish, export)
						h.must(t, h.follower().Publish, create("b"))
					}
					h.mustDie(t, point, "copy", path)
					stands := names(t, filepath.Dir(path))
					require.NoError(t, repairs(h)[name]())
					h.mustBeCurrent(t)
					if before || point == "placed" || point == "exchanged" {
						require.Contains(t, stands, "a copy.json")
						require.Equal(t, []string{"a copy.json"}, names(t, filepath.Dir(path)))
					} else {
						require.Empty(t, names(t, filepath.Dir(path)))
					}
					h.must(t, h.copyTo(path).Publish, export)
					require.Equal(t, h.encoded(t), mustRead(t, path))
				})
			}
		}
	}
}

func notes(t *testing.T, h house) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(h.dir, ".outside.*.tmp"))
	require.NoError(t, err)
	return found
}

// What a command is writing still, it keeps.
func TestWhatIsWrittenOutsideIsNotSwept(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	file, outside, err := place.CreateOutside(h.dir, filepath.Join(t.TempDir(), "backup"), workspace.BackupSuffix)
	require.NoError(t, err)
	h.must(t, h.follower().Publish, create("b"))
	require.FileExists(t, file.Name())
	require.Len(t, notes(t, h), 1)
	require.NoError(t, file.Close())
	require.NoError(t, os.Remove(file.Name()))
	require.NoError(t, outside.End())
	h.mustBeCurrent(t)
}

// A note may be of anything: nothing goes but a file that a command of ours names so.
func TestANoteSweepsOnlyWhatHasItsNumber(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	mustWrite(t, target, "theirs")
	require.NoError(t, os.Symlink(target, filepath.Join(dir, ".link.7.backup.tmp")))
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".dir.7.backup.tmp"), 0o700))
	for name, goes := range map[string]bool{
		".b.7.backup.tmp": true, ".a.json.7.tmp": true, ".b.8.backup.tmp": false, "b.7.backup.tmp": false, ".b.7": false, ".b.7.backup.tm": false,
		".link.7.backup.tmp": false, ".dir.7.backup.tmp": false,
	} {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err != nil {
			mustWrite(t, path, "secret")
		}
		mustWrite(t, filepath.Join(h.dir, ".outside.7.tmp"), path)
		h.must(t, h.follower().Publish, create("x"+name))
		_, err := os.Lstat(path)
		require.Equal(t, goes, err != nil, name)
		require.Equal(t, strings.Contains(name, "link") || strings.Contains(name, "dir"), len(notes(t, h)) == 1, name)
		_ = os.Remove(filepath.Join(h.dir, ".outside.7.tmp")) // where it stays
	}
	require.Equal(t, "theirs", mustRead(t, target))
}

// What came out when files changed places is the old one, ours again, or what another
// program wrote in that instant: that is never swept.
func TestRecoverySweepsOnlyWhatItKnows(t *testing.T) {
	t.Parallel()
	for name := range repairs(house{}) {
		h := mustTrack(t)
		old := mustRead(t, h.path())
		h.must(t, h.follower().Publish, create("b"))
		for i, text := range []string{old, mustRead(t, h.path())} {
			mustWrite(t, filepath.Join(h.dir, ".tenants.json.old."+string(rune('1'+i))+".tmp"), text)
		}
		require.NoError(t, repairs(h)[name](), name)
		h.mustBeCurrent(t)

		h = mustTrack(t)
		mustWrite(t, filepath.Join(h.dir, ".tenants.json.old.3.tmp"), foreign)
		err := repairs(h)[name]()
		require.ErrorContains(t, err, ".tenants.json.3.kept.tmp")
		require.Equal(t, foreign, mustRead(t, filepath.Join(h.dir, ".tenants.json.3.kept.tmp")))
		require.NoError(t, h.do(h.follower().Publish, create("c")), "it is said once")
		require.Equal(t, foreign, mustRead(t, filepath.Join(h.dir, ".tenants.json.3.kept.tmp")))
	}
}
