package place

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Outside is a file with secrets that a command writes outside of the registry's
// directory. Before it is made, a note in that directory names it, so that a later command
// finds it if this one is killed. The note is `.outside.N.tmp` and holds the path of the
// file, which has the same N in its name; it is locked as long as the command runs.
type Outside struct {
	// Path is the place that the file was to have, and Temporary the name under which it
	// was made, whose end Suffix is. All are empty if the note was cut short: then nothing
	// was made yet.
	Path, Temporary, Suffix string

	note *os.File
}

const noteName = "outside"

// CreateOutside makes a file beside path, which only its owner can reach from its first
// instant, and the note of it in dir. Its name ends in suffix. End is to follow when that
// name is gone. Where dir can't be written, as on a full disk that a backup is made to save,
// there is no note, and o is nil.
func CreateOutside(dir, path, suffix string) (file *os.File, o *Outside, err error) {
	for {
		o, name, err := newNote(dir, path, suffix)
		if err != nil {
			file, err = os.CreateTemp(filepath.Dir(path), temporaryPrefix(path)+"*"+suffix)
			return file, nil, err
		}
		if file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			return file, o, nil
		}
		if ended := o.End(); !errors.Is(err, fs.ErrExist) || ended != nil {
			return nil, nil, errors.Join(err, ended)
		}
	}
}

// newNote makes a note that outlasts a power cut, and returns the name in it.
func newNote(dir, path, suffix string) (*Outside, string, error) {
	note, err := createTemporary(filepath.Join(dir, noteName))
	if err != nil {
		return nil, "", err
	}
	o := lockNote(note)
	if o == nil { // swept before it was locked
		return newNote(dir, path, suffix)
	}
	name := filepath.Join(filepath.Dir(path), temporaryPrefix(path)+number(o.note.Name())+suffix)
	_, err = note.WriteString(name)
	if err = errors.Join(err, note.Sync()); err == nil {
		err = SyncDir(dir)
	}
	if err != nil {
		return nil, "", errors.Join(err, o.End())
	}
	return o, name, nil
}

// lockNote returns the note, unless somebody else has it or it has lost its name.
func lockNote(note *os.File) *Outside {
	if TryLock(note) && IsAt(note, note.Name()) {
		return &Outside{note: note}
	}
	_ = note.Close() // nothing was written
	return nil
}

// End removes the note; none is none to remove.
func (o *Outside) End() error {
	if o == nil {
		return nil
	}
	return errors.Join(Sweep([]string{o.note.Name()}), o.note.Close())
}

// Outsides returns the notes in dir of commands that were killed. Sweep or Release is to
// follow of each. One that can't be read is gone, or doctor tells of it.
func Outsides(n Names, dir string) ([]*Outside, error) {
	paths, err := Left(n, filepath.Join(dir, noteName))
	var found []*Outside
	for _, path := range paths {
		note, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		if o := lockNote(note); o != nil && o.read() == nil {
			found = append(found, o)
		}
	}
	return found, err
}

func (o *Outside) read() error {
	text, err := io.ReadAll(io.LimitReader(o.note, unix.PathMax))
	temporary := string(text)
	prefix, suffix, ours := strings.Cut(filepath.Base(temporary), "."+number(o.note.Name())+".")
	name, hidden := strings.CutPrefix(prefix, ".")
	if err == nil && ours && hidden && filepath.IsAbs(temporary) {
		o.Path, o.Temporary, o.Suffix = filepath.Join(filepath.Dir(temporary), name), temporary, "."+suffix
	}
	return err
}

// Recover is Recover of what this one command left.
func (o *Outside) Recover(known ...string) (left []string, kept, err error) {
	all, err := Left(nil, o.Path)
	all = slices.DeleteFunc(all, func(leftover string) bool { return number(leftover) != number(o.note.Name()) })
	left, kept, bad := recoverAll(all, o.Path, nil, known)
	return left, kept, errors.Join(err, bad)
}

// Sweep removes what a killed command left, if it is regular files of this user's, and
// then the note of it. What can't be swept keeps its note, by which sp doctor tells of it.
func (o *Outside) Sweep(left []string) {
	defer o.Release()
	for _, path := range left {
		if checkAt(path) != nil || Sweep([]string{path}) != nil {
			return
		}
	}
	if len(left) == 0 || SyncDir(filepath.Dir(left[0])) == nil {
		_ = os.Remove(o.note.Name()) // with the next change, then
	}
}

// Release leaves the note to a later command.
func (o *Outside) Release() { _ = o.note.Close() } // nothing was written
