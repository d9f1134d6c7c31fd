// Package scan reads many rows of a SQLite file as raw bytes: no value is copied, and
// none becomes an interface, which is where database/sql spends more time than SQLite
// itself. It reads through SQLite's own interface, on a connection of its own. Its errors
// say little: whoever meets one reads on in the plain way, which says more.
package scan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Rows are what a query finds, one row at a time.
type Rows struct {
	tls      *libc.TLS
	out      uintptr // where SQLite puts a pointer that it returns
	db, stmt uintptr
	failed   bool
}

var errScan = errors.New("scan")

// setup makes the connection as wary as those of db, and begins its transaction.
const setup = "PRAGMA trusted_schema(0); PRAGMA cell_size_check(1); PRAGMA mmap_size(0); PRAGMA cache_size(-256); BEGIN"

// Open begins a query of the file at path, which must still be that file once it is
// open.
//
// It is called within a transaction that has read the file or locked it for writing. So
// both see one instant: with a rollback journal nobody can commit as long as anyone
// reads, and who opens the file meanwhile reads the same. What that transaction has
// written itself, it does not see.
func Open(path string, file fs.FileInfo, query string) (*Rows, error) {
	r := &Rows{tls: libc.NewTLS()}
	if r.out = libc.Xmalloc(r.tls, 8); r.out == 0 {
		r.tls.Close()
		return nil, errScan
	}
	if err := r.open(path, file, query); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Rows) open(path string, file fs.FileInfo, query string) error {
	const flags = sqlite3.SQLITE_OPEN_READONLY | sqlite3.SQLITE_OPEN_NOMUTEX | sqlite3.SQLITE_OPEN_NOFOLLOW
	err := r.with(path, func(name uintptr) int32 {
		rc := sqlite3.Xsqlite3_open_v2(r.tls, name, r.out, flags, 0)
		r.db = r.returned()
		return rc
	})
	if err == nil {
		err = r.with(setup, func(text uintptr) int32 { return sqlite3.Xsqlite3_exec(r.tls, r.db, text, 0, 0, 0) })
	}
	if err == nil {
		err = r.with(query, func(text uintptr) int32 {
			rc := sqlite3.Xsqlite3_prepare_v2(r.tls, r.db, text, -1, r.out, 0)
			r.stmt = r.returned()
			return rc
		})
	}
	if there, looked := os.Lstat(path); err == nil && (looked != nil || !os.SameFile(there, file)) {
		err = errScan
	}
	return err
}

// with hands fn a text as C knows it.
func (r *Rows) with(text string, fn func(text uintptr) int32) error {
	p, err := libc.CString(text)
	if err != nil {
		return err
	}
	defer libc.Xfree(r.tls, p)
	if rc := fn(p); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("%w (SQLite %d)", errScan, rc)
	}
	return nil
}

// returned is the pointer that SQLite returned last, in C's memory: what stands on Go's
// stack may move.
func (r *Rows) returned() uintptr {
	return *(*uintptr)(unsafe.Pointer(&libc.GoBytes(r.out, 8)[0]))
}

// Next passes to the next row, and tells whether there is one. There is none behind one
// whose values could not be read.
func (r *Rows) Next() bool {
	return !r.failed && sqlite3.Xsqlite3_step(r.tls, r.stmt) == sqlite3.SQLITE_ROW
}

// Int returns a column of the row as a number. What is none is not made one, as SQLite
// would.
func (r *Rows) Int(column int) int64 {
	if sqlite3.Xsqlite3_column_type(r.tls, r.stmt, int32(column)) != sqlite3.SQLITE_INTEGER {
		r.failed = true
	}
	return sqlite3.Xsqlite3_column_int64(r.tls, r.stmt, int32(column))
}

// Text returns a column of the row, nil for NULL. It is SQLite's memory, and gone with
// the row.
func (r *Rows) Text(column int) []byte {
	p := sqlite3.Xsqlite3_column_text(r.tls, r.stmt, int32(column))
	if p == 0 {
		if sqlite3.Xsqlite3_column_type(r.tls, r.stmt, int32(column)) != sqlite3.SQLITE_NULL {
			r.failed = true // no memory
		}
		return nil
	}
	return libc.GoBytes(p, int(sqlite3.Xsqlite3_column_bytes(r.tls, r.stmt, int32(column))))
}

// Failed tells whether a value of the row could not be read.
func (r *Rows) Failed() bool { return r.failed }

// Close ends the reading.
func (r *Rows) Close() {
	_ = sqlite3.Xsqlite3_finalize(r.tls, r.stmt) // nothing was written
	_ = sqlite3.Xsqlite3_close_v2(r.tls, r.db)
	libc.Xfree(r.tls, r.out)
	r.tls.Close()
}
