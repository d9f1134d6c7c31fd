package place

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// KeptError is returned for a file that another program wrote in the very instant in
// which it was replaced: what that program wrote is kept under another name.
type KeptError struct {
	// Path is where the file is, Kept where what the other program wrote is, beside it.
	Path, Kept string
}

func (e *KeptError) Error() string {
	return fmt.Sprintf("%s: two programs wrote it at once: what the other version held is in %s", e.Path, filepath.Base(e.Kept))
}

// Kept lists what is kept of what other programs wrote at path.
func Kept(n Names, path string) ([]string, error) {
	_, kept, err := Beside(n, path)
	return kept, ignoring(fs.ErrNotExist, err)
}

// RemoveKept removes what was kept, when that was seen and taken over. If a program still
// has it open or has written it since, it stays, and RemoveKept returns a KeptError of it.
func RemoveKept(path, kept string, was Seen) error {
	gone, err := removeKnown(kept, was.Hash)
	if err == nil && !gone {
		err = &KeptError{Path: path, Kept: kept}
	}
	return err
}

// IsWritten tells whether another program has the file at path open for writing, as far
// as the system tells.
func IsWritten(path string) (bool, error) {
	file, err := open(path)
	if err != nil {
		return false, ignoring(fs.ErrNotExist, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	_, written := lease(file)
	return written, nil
}

// Remove removes the file at path as Place replaces it: it loses its name, and if it is
// what was seen there, and nobody is writing it, it goes. Else it is kept.
func Remove(path string, was Seen) error {
	if err := checkAt(path); err != nil {
		return err
	}
	out := oldName(path, freshNumber())
	if err := os.Rename(path, out); err != nil {
		return ignoring(fs.ErrNotExist, err)
	}
	return errors.Join(settle(out, path, was.Hash), SyncDir(filepath.Dir(path)))
}

// settle removes what came out of a place, or keeps it. What can't be looked at stays for
// Recover.
func settle(out, path string, known string) error {
	gone, err := removeKnown(out, known)
	if gone || err != nil {
		return err
	}
	return keep(out, path)
}

// removeKnown removes a file that has one of these hashes and that nobody is writing.
// Who asks for it meanwhile has found it by the name that it had: that shows, too.
func removeKnown(path string, known ...string) (gone bool, err error) {
	free, file, err := openFree(path, known)
	if file != nil {
		defer func() { _ = file.Close() }() // it was only read
	}
	if err != nil || !free {
		return errors.Is(err, fs.ErrNotExist), ignoring(fs.ErrNotExist, err)
	}
	return true, Sweep([]string{path})
}

// openFree tells whether a file has one of these hashes, and nobody writes it. Nobody
// can begin to, where the system offers that, until the file is closed.
func openFree(path string, known []string) (free bool, file *os.File, err error) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false, nil, err
	}
	if file, err = open(path); err != nil {
		return false, nil, err
	}
	granted, written := lease(file)
	// A process that is forked has what its parent had open, until it begins as another program.
	for pause := time.Millisecond; written && pause <= 8*time.Millisecond; pause *= 2 {
		time.Sleep(pause)
		granted, written = lease(file)
	}
	if written {
		return false, file, nil
	}
	hash, err := hashOf(file)
	wanted := false
	if err == nil && granted {
		wanted, err = isWanted(file)
	}
	return err == nil && !wanted && slices.Contains(known, hash), file, err
}

// keep gives a file that must not be lost a name that nothing sweeps, and says so.
func keep(out, path string) error {
	kept := temporaryName(path, "", number(out), keptSuffix)
	for err := MoveNew(out, kept); err != nil; err = MoveNew(out, kept) {
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		kept = temporaryName(path, "", freshNumber(), keptSuffix)
	}
	return &KeptError{Path: path, Kept: kept}
}
