package workspace

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// place gives the temporary file its name, unless somebody wrote there since we looked.
// One that can't be placed stays, so that the next command tries again.
func (p Publisher) place(made temporary, there destination, isOver bool, left []string) error {
	last, err := p.put(made, there, isOver)
	err = errors.Join(err, removeAll(left), made.dir.Sync())
	if last != nil {
		err = errors.Join(err, last())
	}
	if err == nil && made.outside != nil { // else the next command finds by it what is left
		err = errors.Join(syncDir(filepath.Dir(p.Path)), made.outside.End())
	}
	return errors.Join(err, made.dir.Close())
}

// put is place without the sync, and without what is to be done after that, if anything.
func (p Publisher) put(made temporary, there destination, isOver bool) (last func() error, err error) {
	switch {
	case p.Force:
		return nil, os.Rename(made.path, p.Path)
	case !there.isStillAt(p.Path):
		return nil, &ChangedError{Path: p.Path}
	case there.info == nil:
		return nil, p.putFirst(made)
	}
	old, err := guardFile(p.Path)
	if err != nil {
		return nil, err
	}
	if err = p.exchange(&made, there, old, isOver); err == nil {
		return func() error { return p.endExchange(made, there, old) }, nil
	}
	old.close()
	if errors.Is(err, errNoSwap) {
		err = os.Rename(made.path, p.Path)
	}
	return nil, err
}

// putFirst puts it where nothing stood.
func (p Publisher) putFirst(made temporary) error {
	err := moveNew(made.path, p.Path)
	switch {
	case errors.Is(err, errNoSwap):
		return os.Rename(made.path, p.Path)
	case errors.Is(err, os.ErrExist):
		return &ChangedError{Path: p.Path}
	}
	return err
}

// exchange puts it where something stands. Another program may open that for writing at
// any time, by its name and before it loses it, and write after. So nobody is let to, from
// a last look at it until ours has the name; the two change places, and who wants to write
// by then is given the old one back. Where that can't be had, what comes out is looked at
// instead; where that neither, the instant between look and rename is left to chance.
func (p Publisher) exchange(made *temporary, there destination, old guarded, isOver bool) error {
	if old.isWritten() {
		return &ChangedError{Path: p.Path}
	}
	same, err := there.isWhole(old.file, isOver)
	if err == nil && !same {
		err = &ChangedError{Path: p.Path}
	}
	if err != nil {
		return err
	}
	name := exchangedName(made.path, p.Path)
	if err := os.Rename(made.path, name); err != nil {
		return err
	}
	made.path = name
	return swap(made.path, p.Path)
}

// endExchange removes the old one, or puts it back. The sync before it gave time to who
// had found it already to ask for it.
func (p Publisher) endExchange(made temporary, there destination, old guarded) (err error) {
	defer old.close()
	same := old.isAt(made.path) && !old.isWanted()
	if same && !old.guarded {
		same, err = there.isWhole(old.file, false)
	}
	if !same {
		return errors.Join(err, p.putBack(made))
	}
	return os.Remove(made.path)
}

// putBack gives what stood there its name again. What comes out is ours, unless somebody
// wrote into it in that instant: then both are kept.
func (p Publisher) putBack(made temporary) error {
	changed := &ChangedError{Path: p.Path}
	if err := swap(made.path, p.Path); err != nil {
		return errors.Join(changed, err, p.keep(made.path))
	}
	ours, err := guardFile(made.path)
	if err != nil {
		return errors.Join(changed, err, p.keep(made.path))
	}
	defer ours.close()
	if same, err := (destination{hash: made.hash}).isWhole(ours.file, false); !same || err != nil || ours.isWritten() {
		return errors.Join(changed, err, p.keep(made.path))
	}
	return changed
}

// keep gives a file that must not be lost a name that no later command sweeps, and says so.
func (p Publisher) keep(path string) error {
	kept := strings.TrimSuffix(path, temporarySuffix) + ".kept" + temporarySuffix
	if err := os.Rename(path, kept); err != nil {
		return err
	}
	return fmt.Errorf("%s: two programs wrote it at once: what the other version held is in %s", p.Path, filepath.Base(kept))
}

// guarded is a file that nobody else is writing and, where the system offers that, nobody
// can begin to write until it is closed.
type guarded struct {
	file    *os.File
	guarded bool
	written bool // somebody was writing it, and did not end
}

func guardFile(path string) (guarded, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return guarded{}, err
	}
	g := guarded{file: file}
	g.guarded, g.written = guard(file)
	return g, nil
}

func (g guarded) close() { _ = g.file.Close() } // it was only read

func (g guarded) isWritten() bool { return g.written }

// isAt tells whether it is the one that has this path: another may have been renamed there.
func (g guarded) isAt(path string) bool {
	there, err := os.Lstat(path)
	info, failed := g.file.Stat()
	return err == nil && failed == nil && os.SameFile(there, info)
}

// isWanted tells whether somebody waits to write it.
func (g guarded) isWanted() bool { return g.guarded && isWanted(g.file) }

// isWhole tells whether the file holds what it held. By its dates alone that shows where
// those of before were over.
func (d destination) isWhole(file *os.File, isOver bool) (bool, error) {
	info, err := file.Stat()
	if err != nil || isOver && d.is(info) {
		return err == nil, err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(file, 0, math.MaxInt64)); err != nil {
		return false, err
	}
	return hexOf(sum.Sum(nil)) == d.hash, nil
}
