package db

import (
	"errors"
	"fmt"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"
)

// Why a registry can't be used.
var (
	// ErrMissing is returned when there is no file at the path.
	ErrMissing = errors.New("no registry")
	// ErrUnsafe is returned for a file that others can reach or that is not a
	// plain file of one name.
	ErrUnsafe = errors.New("refused as unsafe")
	// ErrForeign is returned for a file that is not a registry; it stays untouched.
	ErrForeign = errors.New("not a registry of sp")
	// ErrNewer is returned for a registry with a schema newer than this program knows.
	ErrNewer = errors.New("made by a newer sp")
	// ErrDamaged is returned when SQLite finds the file corrupt.
	ErrDamaged = errors.New("damaged")
	// ErrDenied is returned when the system does not let us at a file or directory.
	ErrDenied = errors.New("permission denied")
	// ErrReadOnly is returned when a change meets a read-only file or directory.
	ErrReadOnly = errors.New("read-only")
	// ErrFull is returned when there is no room: the disk is full, or a quota or a
	// limit of size is reached.
	ErrFull = errors.New("disk full")
	// ErrIO is returned when the system can't read, write or sync.
	ErrIO = errors.New("input/output trouble")
	// ErrReplaced is returned when another file stands at the path since a change began.
	ErrReplaced = errors.New("moved or replaced meanwhile")
	// ErrNotUnique is returned when an index can't be made because two rows are alike.
	ErrNotUnique = errors.New("two rows are alike")
	// ErrBusy is returned when another process held the registry for too long.
	ErrBusy = errors.New("busy")
)

// BusyError is ErrBusy with the holder of the lock, where that is known: its pid,
// its command and since when.
type BusyError struct{ Holder string }

func (e *BusyError) Error() string {
	if e.Holder == "" {
		return "busy: another program holds the registry"
	}
	return "busy: held by " + e.Holder
}

// Unwrap returns ErrBusy.
func (e *BusyError) Unwrap() error { return ErrBusy }

// coded is an error that has SQLite's extended result code, as the driver's have.
type coded interface {
	error
	Code() int
}

// resultCode is the error of a call of SQLite's own interface.
type resultCode int

func (c resultCode) Error() string { return fmt.Sprintf("SQLite %d", c.Code()) }

// Code returns the extended result code.
func (c resultCode) Code() int { return int(c) }

// Explain adds to an error of SQLite which of this package's errors it is; other
// errors it returns as they are. It shows SQLite's number, never SQL or a value.
func Explain(err error) error {
	var e coded
	if !errors.As(err, &e) {
		return explainScan(err)
	}
	code := e.Code()
	kind := kindOf(code)
	switch {
	case code == sqlite3.SQLITE_ERROR && strings.Contains(e.Error(), "no such column"): // sqlc vet prepares ours
		return unreadable(err)
	case kind == nil:
		return err
	case code == sqlite3.SQLITE_READONLY_ROLLBACK:
		return fmt.Errorf("registry: %w, and a change that was interrupted must be taken back before it can be read (SQLite %d)", kind, code)
	}
	more := ""
	switch code {
	case sqlite3.SQLITE_IOERR_WRITE: // SQLite says no more than that a write failed
		more = ", or a quota, or a limit of size; or the disk fails"
	case sqlite3.SQLITE_IOERR_GETTEMPPATH: // nor what it wants of us here
		more = ", for there is no directory for temporary files; TMPDIR names one"
	}
	return fmt.Errorf("registry: %w%s (SQLite %d)", kind, more, code)
}

// explainScan takes the place of database/sql's error for a value that its column
// can't hold, which quotes the value. It has no type, only this beginning.
func explainScan(err error) error {
	if err != nil && strings.Contains(err.Error(), "sql: Scan error on column") {
		return fmt.Errorf("registry: %w: a row does not make sense", ErrDamaged)
	}
	return err
}

// kindOf sorts the extended result codes of https://www.sqlite.org/rescode.html;
// nil stands for a broken constraint or a wrong call, which are our bugs.
func kindOf(code int) error {
	switch code { // whose class says the wrong thing
	case sqlite3.SQLITE_CONSTRAINT_DATATYPE: // Go's types fit the columns; a number at its end, to which one is added, does not
		return ErrDamaged
	case sqlite3.SQLITE_READONLY_DBMOVED:
		return ErrReplaced
	case sqlite3.SQLITE_IOERR_WRITE:
		return ErrFull
	case sqlite3.SQLITE_CONSTRAINT_COMMITHOOK: // see Write.guard
		return ErrIO
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrBusy
	case sqlite3.SQLITE_READONLY:
		return ErrReadOnly
	case sqlite3.SQLITE_FULL:
		return ErrFull
	case sqlite3.SQLITE_CORRUPT:
		return ErrDamaged
	case sqlite3.SQLITE_NOTADB:
		return ErrForeign
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL:
		return ErrIO
	}
	return nil
}

func isBusy(err error) bool { return errors.Is(Explain(err), ErrBusy) }

// named says which file an error is about.
func named(path string, err error) error {
	if errors.Is(err, ErrForeign) || errors.Is(err, ErrNewer) || errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
}
