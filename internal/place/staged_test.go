package place_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/place"
)

// shelf is a directory whose small files are staged.
type shelf struct{ dir string }

func newShelf(t *testing.T) shelf {
	t.Helper()
	return shelf{dir: t.TempDir()}
}

func (s shelf) path(inside string) string { return filepath.Join(s.dir, filepath.FromSlash(inside)) }

func (s shelf) write(t *testing.T, inside, text string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(s.path(inside)), 0o700))
	require.NoError(t, os.WriteFile(s.path(inside), []byte(text), 0o600))
	return hashOf(text)
}

// change is what a file is to become; was is what it holds, "" for no file.
func (s shelf) change(inside, was, text string) place.Change {
	c := place.Change{Path: s.path(inside)}
	if was != "" {
		c.Expected = hashOf(was)
	}
	if text != "" {
		c.Text = []byte(text)
	}
	return c
}

func (s shelf) move(from, to string) []place.Move {
	return []place.Move{{From: s.path(from), To: s.path(to)}}
}

func (s shelf) stage(t *testing.T, moves []place.Move, changes ...place.Change) *place.Staged {
	t.Helper()
	staged, err := place.Stage(nil, s.dir, moves, changes)
	require.NoError(t, err)
	return staged
}

var numbers = regexp.MustCompile(`\.[0-9]+\.kept\.`)

// all lists every path below the directory, with what the files hold.
func (s shelf) all(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(s.dir, func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		inside, err := filepath.Rel(s.dir, path)
		require.NoError(t, err)
		switch {
		case inside == ".":
		case entry.IsDir():
			found[inside+"/"] = ""
		case entry.Type().IsRegular():
			found[numbers.ReplaceAllString(inside, ".N.kept.")] = mustRead(t, path)
		default:
			found[inside] = entry.Type().String()
		}
		return nil
	}))
	return found
}

func TestSmallFilesAreBornPrivate(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	secret, shared := s.change("profiles/p/secrets.json", "", "{}"), s.change("profiles/p/profile.yaml", "", "name: p\n")
	shared.Shared = true
	staged := s.stage(t, nil, secret, shared)
	require.Len(t, s.all(t), 2, "files that wait")
	require.NoFileExists(t, secret.Path)
	require.NoError(t, staged.Place())
	require.Equal(t, map[string]string{
		"profiles/": "", "profiles/p/": "", "profiles/p/secrets.json": "{}", "profiles/p/profile.yaml": "name: p\n",
	}, s.all(t))
	for inside, mode := range map[string]os.FileMode{
		"profiles": 0o700, "profiles/p": 0o700, "profiles/p/secrets.json": 0o600, "profiles/p/profile.yaml": 0o644,
	} {
		info, err := os.Lstat(s.path(inside))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), inside)
	}
}

// A file that others could read is replaced by a private one.
func TestASmallFileThatOthersCouldReadIsNotAnyMore(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.write(t, "secrets.json", "old")
	require.NoError(t, os.Chmod(s.path("secrets.json"), 0o644))
	require.NoError(t, s.stage(t, nil, s.change("secrets.json", "old", "new")).Place())
	info, err := os.Lstat(s.path("secrets.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// Whatever it was for, and also where nothing is staged.
func TestWhatStoppedCommandsStagedIsSwept(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for _, changes := range [][]place.Change{nil, {s.change("a", "", "x")}} {
		s.write(t, ".file.123.tmp", "a secret")
		s.write(t, ".file.tmp", "theirs")
		require.NoError(t, s.stage(t, nil, changes...).Place())
		require.NoFileExists(t, s.path(".file.123.tmp"))
		require.FileExists(t, s.path(".file.tmp"))
	}
}

func TestADiscardLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.write(t, "profiles/old/profile.yaml", "y")
	s.write(t, "sessions/index.json", "1")
	before := s.all(t)
	staged := s.stage(t, s.move("profiles/old", "profiles/new"),
		s.change("profiles/a/secrets.json", "", "{}"), s.change("profiles/old/profile.yaml", "y", "z"), s.change("sessions/index.json", "1", ""))
	require.NotEqual(t, before, s.all(t))
	require.NoError(t, staged.Discard())
	require.Equal(t, before, s.all(t))
}

// A file can't be made where a directory should be: nothing of the others stays.
func TestWhatCannotBeStagedLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.write(t, "profiles/a", "a file")
	before := s.all(t)
	_, err := place.Stage(nil, s.dir, nil, []place.Change{s.change("profiles/b/secrets.json", "", "{}"), s.change("profiles/a/secrets.json", "", "{}")})
	require.Error(t, err)
	require.Equal(t, before, s.all(t))
}

// What another program did meanwhile is kept, and the files have their places all the
// same; what is no file stays.
func TestASmallFileThatChangedMeanwhileIsKept(t *testing.T) {
	t.Parallel()
	vanish := func(t *testing.T, s shelf) { require.NoError(t, os.Remove(s.path("d/f"))) }
	replace := func(t *testing.T, s shelf) { s.write(t, "d/f", "theirs") }
	kept := new(place.KeptError)
	for name, c := range map[string]struct {
		was, text string
		meanwhile func(t *testing.T, s shelf)
		after     map[string]string
		want      error
	}{
		"replaced":           {"1", "2", replace, map[string]string{"d/f": "2", "d/.f.N.kept.tmp": "theirs"}, kept},
		"made":               {"", "2", replace, map[string]string{"d/f": "2", "d/.f.N.kept.tmp": "theirs"}, kept},
		"vanished":           {"1", "2", vanish, map[string]string{"d/f": "2"}, nil},
		"replaced, to go":    {"1", "", replace, map[string]string{"d/.f.N.kept.tmp": "theirs"}, kept},
		"made, to go":        {"", "", replace, map[string]string{"d/.f.N.kept.tmp": "theirs"}, kept},
		"vanished, to go":    {"1", "", vanish, map[string]string{}, nil},
		"became a directory": {"1", "2", func(t *testing.T, s shelf) { vanish(t, s); s.write(t, "d/f/x", "") }, map[string]string{"d/f/": "", "d/f/x": ""}, place.ErrUnsafe},
		"became a link": {"1", "2", func(t *testing.T, s shelf) {
			vanish(t, s)
			require.NoError(t, os.Symlink("x", s.path("d/f")))
		}, map[string]string{"d/f": "L---------"}, place.ErrUnsafe},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			s.write(t, "d/other", "")
			if c.was != "" {
				s.write(t, "d/f", c.was)
			}
			staged := s.stage(t, nil, s.change("d/f", c.was, c.text), s.change("d/next", "", "placed all the same"))
			c.meanwhile(t, s)
			err := staged.Place()
			if c.want == kept {
				var of *place.KeptError
				require.ErrorAs(t, err, &of)
				require.Equal(t, s.path("d/f"), of.Path)
				require.Equal(t, "theirs", mustRead(t, of.Kept))
			} else {
				require.ErrorIs(t, err, c.want)
			}
			c.after["d/"], c.after["d/other"], c.after["d/next"] = "", "", "placed all the same"
			require.Equal(t, c.after, s.all(t), "and nothing waits any more")
		})
	}
}

func TestARemovedFileTakesItsEmptyDirectoryAlong(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for _, name := range []string{"empty", "full"} {
		s.write(t, name+"/secrets.json", "1")
		s.write(t, name+"/profile.yaml", "2")
	}
	s.write(t, "full/theirs", "")
	var changes []place.Change
	for _, name := range []string{"empty", "full"} {
		changes = append(changes, s.change(name+"/secrets.json", "1", ""), s.change(name+"/profile.yaml", "2", ""))
	}
	changes = append(changes, s.change("nowhere/secrets.json", "", ""))
	require.NoError(t, s.stage(t, nil, changes...).Place())
	require.Equal(t, map[string]string{"full/": "", "full/theirs": ""}, s.all(t))
}

func TestADirectoryMovesWithAllThatIsInIt(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.write(t, "profiles/old/secrets.json", "1")
	s.write(t, "profiles/old/profile.yaml", "2")
	s.write(t, "profiles/old/docker/theirs", "3")
	staged := s.stage(t, s.move("profiles/old", "profiles/new"),
		s.change("profiles/old/secrets.json", "1", "1b"), s.change("profiles/old/profile.yaml", "2", ""))
	require.FileExists(t, s.path("profiles/old/secrets.json"), "nothing moves before the commit")
	require.NoError(t, staged.Place())
	require.Equal(t, map[string]string{
		"profiles/": "", "profiles/new/": "", "profiles/new/secrets.json": "1b", "profiles/new/docker/": "", "profiles/new/docker/theirs": "3",
	}, s.all(t))
}

func TestADirectoryMovesOverNothing(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.write(t, "profiles/old/secrets.json", "1")
	staged := s.stage(t, s.move("profiles/old", "profiles/new"), s.change("profiles/old/secrets.json", "1", "2"))
	s.write(t, "profiles/new/secrets.json", "theirs")
	require.ErrorIs(t, staged.Place(), fs.ErrExist)
	require.Equal(t, map[string]string{
		"profiles/": "", "profiles/old/": "", "profiles/old/secrets.json": "1", "profiles/new/": "", "profiles/new/secrets.json": "theirs",
	}, s.all(t))
}

// What follows a directory that can't be renamed waits for the next change, which would
// otherwise find a new one in its way.
func TestWhatIsInADirectoryThatCanNotMoveStays(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.write(t, "profiles/other/secrets.json", "1")
	staged := s.stage(t, s.move("profiles/old", "profiles/new"), s.change("profiles/old/secrets.json", "", "2"))
	require.ErrorIs(t, staged.Place(), fs.ErrNotExist)
	require.Equal(t, map[string]string{"profiles/": "", "profiles/other/": "", "profiles/other/secrets.json": "1"}, s.all(t))
}
