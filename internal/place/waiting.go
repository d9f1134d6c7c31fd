// Package place puts bytes safely in place: one protocol for every file.
//
// Write has the new content wait beside the place, and Waiting.Place has both change places
// (waiting.go). What comes out is looked at, and removed or kept (kept.go). After a crash,
// Recover finds what was left (leftover.go). Stage and Staged.Place do the same for many
// small files (staged.go).
package place

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Waiting is a new content of a file, written and synced, that waits for its place.
type Waiting struct {
	// Hash is the SHA-256 of the content in hexadecimal, Written when it was written, as
	// the file system dates that.
	Hash    string
	Written time.Time

	path    string   // where it waits; empty when it has its place
	to      string   // its place
	outside *Outside // the note of it, if there is one
	options Options
}

// Options say where a new content waits, and who may read it.
type Options struct {
	// In is the directory in which it waits under a name of no file in particular, because
	// its own may not be there yet; empty for beside its place. Where its place is on
	// another file system, it waits near that.
	In string
	// Note is the directory in which it is noted that it waits outside, so that a later
	// command finds it if this one is killed; empty for no note.
	Note string
	// Shared has others read it, too.
	Shared bool

	noExchange bool // as on a file system that doesn't offer it; for tests
}

// Write renders a new content of the file at path into a temporary file, private from
// its first byte, hashed as it is written, and synced. Place or Discard is to follow.
func Write(path string, o Options, render func(io.Writer) error) (*Waiting, error) {
	w := &Waiting{to: path, options: o}
	file, err := w.create()
	if err != nil {
		return nil, err
	}
	w.path = file.Name()
	to := &sink{file: file, sum: sha256.New()}
	err = render(to)
	if ended := to.end(); err == nil {
		err = ended
	}
	if err == nil && o.Shared {
		err = file.Chmod(0o644)
	}
	if err == nil {
		err = file.Sync()
	}
	info, failed := file.Stat()
	if err = errors.Join(err, failed, file.Close()); err == nil && o.Note != "" {
		// Whether a command was stopped shows by what it left, so that must be durable
		// before the commit is. In the registry's own directory it is: the commit syncs that.
		err = SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(err, w.Discard())
	}
	w.Hash, w.Written = hex.EncodeToString(to.sum.Sum(nil)), info.ModTime()
	return w, nil
}

func (w *Waiting) create() (file *os.File, err error) {
	switch {
	case w.options.Note != "":
		file, w.outside, err = CreateOutside(w.options.Note, w.to, temporarySuffix)
		return file, err
	case w.options.In != "":
		dir, err := waitingRoom(w.options.In, filepath.Dir(w.to))
		if err != nil {
			return nil, err
		}
		return createTemporary(filepath.Join(dir, waiting))
	}
	return createTemporary(w.to)
}

// Place gives the content its place, whatever stands there: what comes out is removed
// if it is what was read, and nobody is writing it. Else it is kept, and Place returns a
// KeptError; nothing is ever put back. After any other error the content waits on, so
// that by it the next command knows that there is something to do.
func (w *Waiting) Place(was Seen) error {
	if err := checkAt(w.to); err != nil {
		return err
	}
	out, err := w.change(was.IsThere())
	if err != nil {
		return err
	}
	w.path = ""
	err = SyncDir(filepath.Dir(w.to)) // before what tells of a stopped command is gone
	if out != "" {
		err = errors.Join(err, settle(out, w.to, was.Hash))
	}
	if err == nil && w.outside != nil { // else the next command finds by it what is left
		err = errors.Join(SyncDir(filepath.Dir(w.to)), w.outside.End())
	}
	return err
}

// change puts it in its place, where something is or not, and returns the name of what
// comes out, empty for nothing. Other programs may make and remove the file at any time.
// What comes out has a name at which recovery looks: it may be another program's.
func (w *Waiting) change(isThere bool) (out string, err error) {
	move, change := MoveNew, swap
	if w.options.noExchange {
		move, change = linkNew, linkSwap
	}
	for range 100 {
		if !isThere {
			if err = move(w.path, w.to); !errors.Is(err, fs.ErrExist) {
				return "", err
			}
			isThere = true
			continue
		}
		isThere = false
		out = oldName(w.to, number(w.path))
		if err = change(w.path, w.to, out); errors.Is(err, errNotOffered) {
			err = linkSwap(w.path, w.to, out)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return out, err
		}
	}
	return "", err
}

// Discard removes the content, if it has no place; none is none to remove.
func (w *Waiting) Discard() error {
	if w == nil || w.path == "" {
		return nil
	}
	return errors.Join(Sweep([]string{w.path}), w.outside.End())
}
