package db

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
	sqlite3 "modernc.org/sqlite/lib"
)

// Diagnose is Explain with a look at the file at path where SQLite does not tell what
// is wrong: that it can't open something, that something is read-only, or that a constraint
// failed, which is no wonder in a file with rows that break some already.
func Diagnose(path string, err error) error {
	var e coded
	if path == "" || !errors.As(err, &e) {
		return Explain(err)
	}
	switch code := e.Code(); code & 0xff {
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR:
		if kindOf(code) == ErrReplaced || kindOf(code) == ErrFull || code == sqlite3.SQLITE_READONLY_ROLLBACK {
			break // the code says more than a look would
		}
		deleting := code == sqlite3.SQLITE_IOERR_DELETE // the journal, in a directory that perhaps can't be written
		found := look(path, code&0xff != sqlite3.SQLITE_IOERR || deleting)
		if found != nil && (deleting || kindOf(code) == ErrReadOnly) && !errors.Is(found, ErrReadOnly) {
			found = fmt.Errorf("%w: %w", ErrReadOnly, found)
		}
		if found != nil {
			return fmt.Errorf("registry: %w (SQLite %d)", found, code)
		}
	case sqlite3.SQLITE_CONSTRAINT:
		if isUnsound(path) {
			return fmt.Errorf("registry: %w: it holds rows that sp would not write (SQLite %d)", ErrDamaged, code)
		}
	}
	return Explain(err)
}

// isUnsound tells whether a file holds rows that its own schema does not allow.
func isUnsound(path string) bool {
	ctx := context.Background()                                      // that of the command may have ended
	e, err := Examine(ctx, path, Options{Trust: Trust{Named: true}}) // it was accepted before
	if err != nil {
		return false
	}
	defer e.Close()
	damages, damaged := e.Damages(ctx, 1)
	orphans, orphaned := e.Orphans(ctx)
	return damaged == nil && orphaned == nil && len(damages)+len(orphans) > 0
}

// look finds the first thing in the way of reading the file at path, or of writing it
// too, nil if there is none by now.
func look(path string, writing bool) error {
	dir := filepath.Dir(path)
	opened, err := os.Open(dir)
	if errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%s: %w", dir, ErrMissing)
	}
	if err != nil {
		return denied(dir, err)
	}
	_ = opened.Close() // it was only looked at
	if _, err := os.Lstat(path); err != nil {
		return fmt.Errorf("%s: %w", path, ErrMissing)
	}
	uses := []uint32{unix.R_OK}
	if writing {
		uses = append(uses, unix.W_OK)
	}
	for _, file := range []string{dir, path, path + "-journal"} {
		for _, may := range uses {
			err := unix.Access(file, may)
			if err != nil && !errors.Is(err, unix.ENOENT) {
				return denied(file, err)
			}
		}
	}
	return nil
}

// denied says what the system's refusal of a file means, and what helps.
func denied(path string, err error) error {
	switch {
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%s: %w: it is on a file system that can't be written", path, ErrReadOnly)
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return fmt.Errorf("%s: %w: too many files are open (ulimit -n 1024)", path, ErrIO)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fmt.Errorf("%s: %w (%s)", path, ErrDenied, permit(path))
	}
	return err
}

// permit is the command that gives us back the use of a file or directory of ours.
func permit(path string) string {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return "chmod u+rwx " + quoted(filepath.Dir(path))
	case info.IsDir():
		return "chmod u+rwx " + quoted(path)
	}
	return "chmod 600 " + quoted(path)
}
