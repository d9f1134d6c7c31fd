package place

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// What waits for the place NAME is called `.NAME.N.tmp`, in its directory; what comes out
// of that place `.NAME.old.N.tmp`, until it was looked at; and what is kept of that
// `.NAME.N.kept.tmp`. N is a number.
const (
	temporarySuffix = ".tmp"
	keptSuffix      = ".kept" + temporarySuffix
	old             = "old."
)

// waiting is what files wait for, by their names, whose own directories may be missing.
const waiting = "file"

func temporaryName(path, what, number, suffix string) string {
	return filepath.Join(filepath.Dir(path), temporaryPrefix(path)+what+number+suffix)
}

func temporaryPrefix(path string) string { return "." + filepath.Base(path) + "." }

func oldName(path, number string) string { return temporaryName(path, old, number, temporarySuffix) }

// number is the N in the name of a temporary file.
func number(temporary string) string {
	return filepath.Ext(strings.TrimSuffix(filepath.Base(temporary), temporarySuffix))[1:]
}

func freshNumber() string { return strconv.FormatUint(uint64(rand.Uint32()), 10) }

// createTemporary makes a new file beside path, which only its owner can reach from
// its first instant.
func createTemporary(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), temporaryPrefix(path)+"*"+temporarySuffix)
}

// named lists the regular files of a directory that have a number between these parts of
// a name beside path.
func named(entries []os.DirEntry, path, what, suffix string) (found []string) {
	for _, entry := range entries {
		digits, begins := strings.CutPrefix(entry.Name(), temporaryPrefix(path)+what)
		digits, ends := strings.CutSuffix(digits, suffix)
		if begins && ends && digits != "" && strings.Trim(digits, "0123456789") == "" && entry.Type().IsRegular() {
			found = append(found, filepath.Join(filepath.Dir(path), entry.Name()))
		}
	}
	return found
}

// Names are what is in directories: each is listed once, however often it is asked, while a
// change has the lock. With nil, each question lists it.
type Names map[string][]os.DirEntry

func (n Names) beside(path string) ([]os.DirEntry, error) {
	dir := filepath.Dir(path)
	if entries, listed := n[dir]; listed {
		return entries, nil
	}
	entries, err := os.ReadDir(dir)
	if n != nil && err == nil {
		n[dir] = entries
	}
	return entries, err
}

// Left lists what stopped commands left of the file at path. Nobody may be writing it:
// whoever asks has the lock.
func Left(n Names, path string) ([]string, error) {
	left, _, err := Beside(n, path)
	return left, err
}

// Beside lists what Left does, and what is kept of what other programs wrote at path.
func Beside(n Names, path string) (left, kept []string, err error) {
	entries, err := n.beside(path)
	left = append(named(entries, path, "", temporarySuffix), named(entries, path, old, temporarySuffix)...)
	return left, named(entries, path, "", keptSuffix), err
}

// Recover lists what stopped commands left of the file at path and can be swept: what
// was rendered, whole or not, and what has come out of the place and has one of these
// hashes, which are those of what was rendered and of what stood there before. Any other
// that came out is another program's: it is kept, of which kept is the KeptError, unless
// mayKeep, which may be nil, returns an error of it.
func Recover(n Names, path string, mayKeep func(string) error, known ...string) (left []string, kept, err error) {
	all, err := Left(n, path)
	left, kept, bad := recoverAll(all, path, mayKeep, known)
	return left, kept, errors.Join(err, bad)
}

func recoverAll(all []string, path string, mayKeep func(string) error, known []string) (left []string, kept, err error) {
	for _, leftover := range all {
		own, bad := recoverOne(leftover, path, mayKeep, known)
		var another *KeptError
		switch {
		case errors.As(bad, &another):
			kept = errors.Join(kept, another)
		case errors.Is(bad, fs.ErrNotExist): // a command without our lock has seen to it
		case bad != nil:
			err = errors.Join(err, bad)
		default:
			left = append(left, own)
		}
	}
	return left, kept, err
}

func recoverOne(leftover, path string, mayKeep func(string) error, known []string) (own string, err error) {
	if leftover != oldName(path, number(leftover)) {
		return leftover, nil
	}
	free, file, err := openFree(leftover, known)
	if file != nil {
		_ = file.Close() // it was only read
	}
	switch {
	case err != nil:
		return "", err
	case !free:
		if mayKeep != nil {
			err = mayKeep(leftover)
		}
		if err == nil {
			err = keep(leftover, path)
		}
		return "", err
	}
	own = temporaryName(path, "", number(leftover), temporarySuffix) // the next commands know it by this
	return own, os.Rename(leftover, own)
}

// Sweep removes files that may be gone already.
func Sweep(paths []string) error {
	var errs []error
	for _, path := range paths {
		errs = append(errs, ignoring(fs.ErrNotExist, os.Remove(path)))
	}
	return errors.Join(errs...)
}
