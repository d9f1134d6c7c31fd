package workspace

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/registry"
)

// Outside is a file with secrets that a command writes outside of the registry's
// directory. Before it is made, a note in that directory names it, so that a later command
// finds it if this one is killed. The note is `.outside.N.tmp` and holds the path of the
// file, which has the same N in its name; it is locked as long as the command runs.
type Outside struct {
	note  *os.File
	left  []string // what a killed command left
	stays bool     // it can't be swept now
}

// BackupSuffix ends the name of a backup that is being written.
const BackupSuffix = ".backup" + temporarySuffix

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
	name := filepath.Join(filepath.Dir(path), temporaryPrefix(path)+o.number()+suffix)
	_, err = note.WriteString(name)
	if err = errors.Join(err, note.Sync()); err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return nil, "", errors.Join(err, o.End())
	}
	return o, name, nil
}

// lockNote returns the note, unless somebody else has it or it has lost its name.
func lockNote(note *os.File) *Outside {
	err := unix.Flock(int(note.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil && (guarded{file: note}).isAt(note.Name()) {
		return &Outside{note: note}
	}
	_ = note.Close() // nothing was written
	return nil
}

func (o *Outside) number() string {
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(o.note.Name()), temporaryPrefix(noteName)), temporarySuffix)
}

// End removes the note; none is none to remove.
func (o *Outside) End() error {
	if o == nil {
		return nil
	}
	return errors.Join(removeAll([]string{o.note.Name()}), o.note.Close())
}

// SweepBackups removes what killed backups left outside of the registry's directory, which
// is dir.
func SweepBackups(ctx context.Context, dir string) error {
	notes, err := leftovers(filepath.Join(dir, noteName))
	if err != nil {
		return err
	}
	return sweepOutside(ctx, notes, nil).Place()
}

// SweepOutside is a publication of nothing that removes what killed commands left outside
// of the registry's directory. A copy that such a command was to replace, and did not, is
// from then on what sp wrote there last. What can't be swept keeps its note, by which sp
// doctor tells of it.
func (s *Staged) SweepOutside(ctx context.Context, view *registry.View) Publication {
	return sweepOutside(ctx, s.notes, view)
}

// sweepOutside sweeps by these notes; without a view, what backups left.
func sweepOutside(ctx context.Context, notes []string, view *registry.View) Publication {
	var found []*Outside
	var files []registry.File
	var told error
	for _, path := range notes {
		note, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
		if err != nil {
			continue // it is gone, or doctor tells of it
		}
		if o := lockNote(note); o != nil {
			row, kept := o.find(ctx, view)
			if row != nil {
				files = append(files, *row)
			}
			found, told = append(found, o), errors.Join(told, kept)
		}
	}
	each := func(fn func(*Outside)) {
		for _, o := range found {
			fn(o)
			_ = o.note.Close() // nothing was written
		}
	}
	return Publication{
		Files:   files,
		Place:   func() error { each((*Outside).sweep); return told },
		Discard: func() error { each(func(*Outside) {}); return nil },
	}
}

// find finds what a killed command left. A copy is remembered as row, if that changes;
// kept says what of it is another program's.
func (o *Outside) find(ctx context.Context, view *registry.View) (row *registry.File, kept error) {
	text, err := io.ReadAll(io.LimitReader(o.note, unix.PathMax))
	file := string(text)
	prefix, suffix, ours := strings.Cut(filepath.Base(file), "."+o.number()+".")
	switch name, hidden := strings.CutPrefix(prefix, "."); {
	case err != nil:
		o.stays = true
	case !ours || !hidden || !filepath.IsAbs(file): // it was cut short, and nothing was made yet
	case "."+suffix == BackupSuffix:
		o.left = []string{file + "-journal", file}
	case "."+suffix == temporarySuffix && view == nil:
		o.stays = true
	case "."+suffix == temporarySuffix:
		row, kept, err = o.findCopy(ctx, view, filepath.Join(filepath.Dir(file), name))
		o.stays = err != nil
	}
	return row, kept
}

func (o *Outside) findCopy(ctx context.Context, view *registry.View, path string) (row *registry.File, kept, err error) {
	p := Publisher{Path: path, Name: path}
	if row, err = view.File(ctx, p.Name); err != nil {
		return nil, nil, err
	}
	left, err := leftovers(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	for _, path := range left {
		if strings.HasSuffix(path, "."+o.number()+temporarySuffix) && err == nil {
			path, kept, err = p.own(path, row)
			o.left = append(o.left, path)
		}
	}
	if err != nil || row == nil {
		return nil, kept, err
	}
	there, err := lookAt(path, nil)
	if err != nil || there.hash == "" || there.hash == row.Current || there.hash != row.Previous {
		return nil, kept, err
	}
	row.Previous, row.Current, row.Stamp = row.Current, row.Previous, ""
	return row, kept, nil
}

// sweep removes what was left, and then the note of it.
func (o *Outside) sweep() {
	if o.stays || removeOwn(o.left) != nil || len(o.left) > 0 && syncDir(filepath.Dir(o.left[0])) != nil {
		return
	}
	_ = os.Remove(o.note.Name()) // with the next change, then
}

// removeOwn removes regular files of this user's, if they are there.
func removeOwn(paths []string) error {
	for _, path := range paths {
		there, err := lookAt(path, nil)
		if err == nil && there.info != nil {
			err = os.Remove(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
