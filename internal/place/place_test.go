package place_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/place"
)

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mustRead(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func mustWrite(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func mustLook(t testing.TB, path string) place.Seen {
	t.Helper()
	seen, err := place.Look(path)
	require.NoError(t, err)
	return seen
}

func text(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func mustWait(t testing.TB, path string, o place.Options, content string) *place.Waiting {
	t.Helper()
	w, err := place.Write(path, o, text(content))
	require.NoError(t, err)
	return w
}

// names lists what is in the directory of a path, beside it.
func names(t testing.TB, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	found := []string{}
	for _, entry := range entries {
		if entry.Name() != filepath.Base(path) {
			found = append(found, entry.Name())
		}
	}
	return found
}

// meanwhile is what can become of a file between the look and the placing: what it is that
// is kept, and what another program does with it later.
type meanwhile struct {
	none   bool // nothing stood there
	do     func(t *testing.T, path string) (later func())
	kept   []string // one, or none
	unsafe error    // it is refused, and stays
}

var meanwhiles = map[string]meanwhile{
	"nothing stood":        {none: true},
	"what was read":        {},
	"the same again":       {do: func(t *testing.T, path string) func() { replace(t, path, "old"); return nil }},
	"made":                 {none: true, do: func(t *testing.T, path string) func() { mustWrite(t, path, "theirs"); return nil }, kept: []string{"theirs"}},
	"changed":              {do: func(t *testing.T, path string) func() { mustWrite(t, path, "theirs"); return nil }, kept: []string{"theirs"}},
	"of the same length":   {do: func(t *testing.T, path string) func() { mustWrite(t, path, "OLD"); return nil }, kept: []string{"OLD"}},
	"emptied":              {do: func(t *testing.T, path string) func() { mustWrite(t, path, ""); return nil }, kept: []string{""}},
	"replaced by a rename": {do: func(t *testing.T, path string) func() { replace(t, path, "theirs"); return nil }, kept: []string{"theirs"}},
	"being written":        {do: beingWritten, kept: []string{"late"}},
	"removed":              {do: func(t *testing.T, path string) func() { require.NoError(t, os.Remove(path)); return nil }},
	"removed and made anew": {do: func(t *testing.T, path string) func() {
		require.NoError(t, os.Remove(path))
		mustWrite(t, path, "theirs")
		return nil
	}, kept: []string{"theirs"}},
	"became a link": {do: func(t *testing.T, path string) func() {
		require.NoError(t, os.Rename(path, path+".target"))
		require.NoError(t, os.Symlink(path+".target", path))
		return nil
	}, unsafe: place.ErrUnsafe},
	"became a fifo": {do: func(t *testing.T, path string) func() {
		require.NoError(t, os.Remove(path))
		require.NoError(t, syscall.Mkfifo(path, 0o600))
		return nil
	}, unsafe: place.ErrUnsafe},
	"became another's": {do: func(t *testing.T, path string) func() { require.NoError(t, os.Chown(path, 4711, -1)); return nil }, unsafe: place.ErrForeign},
}

func replace(t *testing.T, path, text string) {
	mustWrite(t, path+".new", text)
	require.NoError(t, os.Rename(path+".new", path))
}

// beingWritten opens the file, as a program does that writes it when all is over.
func beingWritten(t *testing.T, path string) func() {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	return func() {
		_, err := file.WriteString("late")
		require.NoError(t, errors.Join(err, file.Close()))
	}
}

// ways are how a file gets its place, or loses it.
var ways = map[string]func(t *testing.T, path string) (do func(was place.Seen) error, after string){
	"exchanged": func(t *testing.T, path string) (func(place.Seen) error, string) {
		return mustWait(t, path, place.Options{}, "new").Place, "new"
	},
	"without exchange": func(t *testing.T, path string) (func(place.Seen) error, string) {
		return mustWait(t, path, place.WithoutExchange(place.Options{}), "new").Place, "new"
	},
	"waiting elsewhere": func(t *testing.T, path string) (func(place.Seen) error, string) {
		return mustWait(t, path, place.Options{In: filepath.Dir(filepath.Dir(path))}, "new").Place, "new"
	},
	"waiting elsewhere, without exchange": func(t *testing.T, path string) (func(place.Seen) error, string) {
		return mustWait(t, path, place.WithoutExchange(place.Options{In: filepath.Dir(filepath.Dir(path))}), "new").Place, "new"
	},
	"removed": func(_ *testing.T, path string) (func(place.Seen) error, string) {
		return func(was place.Seen) error { return place.Remove(path, was) }, ""
	},
}

func TestWhatAnotherProgramDidMeanwhileIsNeverLost(t *testing.T) {
	t.Parallel()
	for way, begin := range ways {
		for name, m := range meanwhiles {
			t.Run(way+", "+name, func(t *testing.T) {
				t.Parallel()
				if m.unsafe == place.ErrForeign && os.Geteuid() != 0 {
					t.Skip("only root can give a file away")
				}
				if name == "being written" && runtime.GOOS != "linux" {
					t.Skip("without leases nobody knows")
				}
				path := filepath.Join(t.TempDir(), "d", "f")
				require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
				if !m.none {
					mustWrite(t, path, "old")
				}
				was := mustLook(t, path)
				do, after := begin(t, path)
				later := func() {}
				if m.do != nil {
					if l := m.do(t, path); l != nil {
						later = l
					}
				}
				err := do(was)
				later()
				kept, failed := place.Kept(nil, path)
				require.NoError(t, failed)
				if m.unsafe != nil {
					require.ErrorIs(t, err, m.unsafe)
					require.Empty(t, kept)
					_, err = os.Lstat(path)
					require.NoError(t, err)
					return
				}
				if after == "" {
					require.NoFileExists(t, path)
				} else {
					require.Equal(t, after, mustRead(t, path))
				}
				if len(m.kept) == 0 {
					require.NoError(t, err)
					require.Empty(t, names(t, path))
					return
				}
				var of *place.KeptError
				require.ErrorAs(t, err, &of)
				require.Equal(t, path, of.Path)
				require.Equal(t, []string{of.Kept}, kept)
				require.Equal(t, []string{filepath.Base(of.Kept)}, names(t, path))
				require.Equal(t, m.kept[0], mustRead(t, of.Kept))
			})
		}
	}
}

// Another program writes once in each of many placings, a bit later each time.
func TestWhoComesInBetweenLosesNothing(t *testing.T) {
	t.Parallel()
	inPlace := func(path string, text []byte) error { return os.WriteFile(path, text, 0o600) }
	renamed := func(path string, text []byte) error {
		return errors.Join(os.WriteFile(path+".new", text, 0o600), os.Rename(path+".new", path))
	}
	for name, c := range map[string]struct {
		options place.Options
		write   func(string, []byte) error
	}{
		"exchanged, in place": {place.Options{}, inPlace},
		"exchanged, renamed":  {place.Options{}, renamed},
		"linked, in place":    {place.WithoutExchange(place.Options{}), inPlace},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "f")
			mustWrite(t, path, "old")
			for i := range 300 {
				was := mustLook(t, path)
				w := mustWait(t, path, c.options, fmt.Sprint("new ", i))
				theirs := fmt.Sprint("theirs ", i)
				wrote := make(chan error, 1)
				go func() {
					for at := time.Now().Add(time.Duration(i) * time.Microsecond); time.Now().Before(at); { // sleeping is too coarse
						runtime.Gosched()
					}
					wrote <- c.write(path, []byte(theirs))
				}()
				err := w.Place(was)
				require.NoError(t, <-wrote)
				kept, failed := place.Kept(nil, path)
				require.NoError(t, failed)
				found := []string{mustRead(t, path)}
				for _, path := range kept {
					found = append(found, mustRead(t, path))
				}
				require.Contains(t, found, theirs, "%d: %v", i, err)
				require.NoError(t, place.Sweep(kept))
			}
			require.Empty(t, names(t, path))
		})
	}
}

// A program that was killed before it looked leaves what came out under a name at which
// the next one looks: only what is known goes.
func TestRecoveryAfterAKillBetweenExchangeAndLook(t *testing.T) {
	t.Parallel()
	for way, o := range map[string]place.Options{"exchanged": {}, "linked": place.WithoutExchange(place.Options{})} {
		for name, m := range meanwhiles {
			if m.unsafe != nil || m.none {
				continue
			}
			t.Run(way+", "+name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "f")
				mustWrite(t, path, "old")
				was := mustLook(t, path)
				w := mustWait(t, path, o, "new")
				later := func() {}
				if m.do != nil {
					if l := m.do(t, path); l != nil {
						later = l
					}
				}
				require.NoError(t, w.PlaceUntilLook(was))
				left, kept, err := place.Recover(nil, path, nil, was.Hash, w.Hash)
				require.NoError(t, err)
				later()
				require.NoError(t, place.Sweep(left))
				require.Equal(t, "new", mustRead(t, path))
				if len(m.kept) == 0 {
					require.NoError(t, kept)
					require.Empty(t, names(t, path))
					return
				}
				var of *place.KeptError
				require.ErrorAs(t, kept, &of)
				require.Empty(t, left)
				require.Equal(t, m.kept[0], mustRead(t, of.Kept))
				left, kept, err = place.Recover(nil, path, nil, was.Hash, w.Hash)
				require.NoError(t, errors.Join(kept, err), "it is said once")
				require.Empty(t, left)
			})
		}
	}
}

// What was rendered and never placed goes whatever it holds, and what other programs call
// likewise stays.
func TestRecoveryKnowsItsOwnNames(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	own := []string{".f.1.tmp", ".f.22.tmp"}
	others := []string{".f.tmp", ".f..tmp", ".f.1a.tmp", ".f.1.kept.tmp", ".g.1.tmp", "f.1.tmp", ".f.old.tmp", ".f.older.1.tmp", ".f.1.2.tmp"}
	for _, name := range append(own, others...) {
		mustWrite(t, filepath.Join(filepath.Dir(path), name), "half")
	}
	left, kept, err := place.Recover(nil, path, nil)
	require.NoError(t, errors.Join(kept, err))
	require.NoError(t, place.Sweep(left))
	require.ElementsMatch(t, others, names(t, path))
}

func TestWhatIsKeptStaysWhileItIsWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	mustWrite(t, path, "old")
	was := mustLook(t, path)
	w := mustWait(t, path, place.Options{}, "new")
	later := beingWritten(t, path)
	var of *place.KeptError
	require.ErrorAs(t, w.Place(was), &of)
	written, err := place.IsWritten(of.Kept)
	require.NoError(t, err)
	require.True(t, written)
	require.ErrorAs(t, place.RemoveKept(path, of.Kept, mustLook(t, of.Kept)), &of)

	before := mustLook(t, of.Kept)
	later()
	written, err = place.IsWritten(of.Kept)
	require.NoError(t, err)
	require.False(t, written)
	require.ErrorAs(t, place.RemoveKept(path, of.Kept, before), &of, "it was written since it was read")
	require.Equal(t, "late", mustRead(t, of.Kept))
	require.NoError(t, place.RemoveKept(path, of.Kept, mustLook(t, of.Kept)))
	require.Empty(t, names(t, path))
	require.NoError(t, place.RemoveKept(path, of.Kept, before), "it is gone")
}

// What is kept is never overwritten by what is kept next.
func TestWhatIsKeptHasANameOfItsOwn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	mustWrite(t, filepath.Join(filepath.Dir(path), ".f.7.kept.tmp"), "first")
	mustWrite(t, filepath.Join(filepath.Dir(path), ".f.old.7.tmp"), "second")
	_, told, err := place.Recover(nil, path, nil)
	require.NoError(t, err)
	require.Error(t, told)
	kept, err := place.Kept(nil, path)
	require.NoError(t, err)
	found := []string{}
	for _, path := range kept {
		found = append(found, mustRead(t, path))
	}
	require.ElementsMatch(t, []string{"first", "second"}, found)
}

func TestAContentIsPrivateFromBirthAndKnownByItsHash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	w, err := place.Write(path, place.Options{}, func(to io.Writer) error {
		require.Len(t, names(t, path), 1)
		info, err := os.Lstat(filepath.Join(filepath.Dir(path), names(t, path)[0]))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
		return text("new")(to)
	})
	require.NoError(t, err)
	require.Equal(t, hashOf("new"), w.Hash)
	require.NoError(t, w.Place(place.Seen{}))
	seen := mustLook(t, path)
	require.Equal(t, hashOf("new"), seen.Hash)
	require.EqualValues(t, 3, seen.Size)
	require.True(t, seen.IsPrivate())
	require.True(t, w.Written.Equal(seen.Written))
	require.NoError(t, w.Discard(), "it has its place")
	require.Equal(t, "new", mustRead(t, path))
}

// A content that can't be rendered leaves nothing; one that is discarded, neither.
func TestAContentWithoutAPlaceLeavesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	full := errors.New("full")
	_, err := place.Write(path, place.Options{}, func(io.Writer) error { return full })
	require.ErrorIs(t, err, full)
	require.NoError(t, mustWait(t, path, place.Options{}, "new").Discard())
	require.Empty(t, names(t, path))
	note := t.TempDir()
	require.NoError(t, mustWait(t, path, place.Options{Note: note}, "new").Discard())
	require.Empty(t, names(t, path))
	require.Empty(t, names(t, filepath.Join(note, "x")))
}
