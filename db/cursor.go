package db

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// cursor reads rows through SQLite's own interface, on a connection of its own: no
// value is copied, and none becomes an interface, which is where database/sql spends
// more time than SQLite itself. It reads, and nothing else. Its errors say little: who
// meets one reads again in the plain way, which says more.
type cursor struct {
	tls      *libc.TLS
	out      uintptr // where SQLite puts a pointer that it returns
	db, stmt uintptr
	failed   bool
}

// setup makes the connection as wary as every other, and begins its transaction.
func setup() string {
	return "PRAGMA " + strings.Join(wary, "; PRAGMA ") + "; PRAGMA cache_size(-256); BEGIN"
}

// openCursor opens the file at path for a query with one parameter, in a transaction.
func openCursor(path, query string) (*cursor, error) {
	c := &cursor{tls: libc.NewTLS()}
	c.out = libc.Xmalloc(c.tls, 16)
	if c.out == 0 {
		c.tls.Close()
		return nil, errCursor
	}
	err := c.with(path, func(name uintptr) int32 {
		rc := sqlite3.Xsqlite3_open_v2(c.tls, name, c.out, sqlite3.SQLITE_OPEN_READONLY|sqlite3.SQLITE_OPEN_NOMUTEX|sqlite3.SQLITE_OPEN_NOFOLLOW, 0)
		c.db = pointerAt(c.out)
		return rc
	})
	if err == nil {
		err = c.with(setup(), func(text uintptr) int32 { return sqlite3.Xsqlite3_exec(c.tls, c.db, text, 0, 0, 0) })
	}
	if err == nil {
		c.stmt, err = prepare(c.tls, c.db, query)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

var errCursor = errors.New("cursor")

// with hands fn a text as C knows it.
func (c *cursor) with(text string, fn func(text uintptr) int32) error {
	p, err := libc.CString(text)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, p)
	return checked(fn(p))
}

// prepare prepares a statement. SQLite returns it in memory of its own: what stands on
// Go's stack may move.
func prepare(tls *libc.TLS, db uintptr, text string) (stmt uintptr, err error) {
	sql, err := libc.CString(text)
	if err != nil {
		return 0, err
	}
	defer libc.Xfree(tls, sql)
	out := libc.Xmalloc(tls, 8)
	if out == 0 {
		return 0, errCursor
	}
	defer libc.Xfree(tls, out)
	if err := checked(sqlite3.Xsqlite3_prepare_v2(tls, db, sql, -1, out, 0)); err != nil {
		return 0, err
	}
	return pointerAt(out), nil
}

// pointerAt is the pointer that stands at an address of C's memory.
func pointerAt(address uintptr) uintptr {
	return *(*uintptr)(unsafe.Pointer(&libc.GoBytes(address, 8)[0]))
}

func checked(rc int32) error {
	if rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("%w (SQLite %d)", errCursor, rc)
	}
	return nil
}

// seek begins the query anew.
func (c *cursor) seek(parameter int64) error {
	_ = sqlite3.Xsqlite3_reset(c.tls, c.stmt) // whose result is that of the last step
	return checked(sqlite3.Xsqlite3_bind_int64(c.tls, c.stmt, 1, parameter))
}

// next tells whether there is another row.
func (c *cursor) next() (bool, error) {
	switch rc := sqlite3.Xsqlite3_step(c.tls, c.stmt); {
	case c.failed:
		return false, errCursor
	case rc == sqlite3.SQLITE_ROW:
		return true, nil
	case rc == sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, checked(rc)
	}
}

// Int returns a column of the row as a number. What is none is not made one, as SQLite
// would.
func (c *cursor) Int(column int) int64 {
	if sqlite3.Xsqlite3_column_type(c.tls, c.stmt, int32(column)) != sqlite3.SQLITE_INTEGER {
		c.failed = true
	}
	return sqlite3.Xsqlite3_column_int64(c.tls, c.stmt, int32(column))
}

// Text returns a column of the row, nil for NULL. It is SQLite's memory, and gone with
// the row.
func (c *cursor) Text(column int) []byte {
	p := sqlite3.Xsqlite3_column_text(c.tls, c.stmt, int32(column))
	if p == 0 {
		if sqlite3.Xsqlite3_column_type(c.tls, c.stmt, int32(column)) != sqlite3.SQLITE_NULL {
			c.failed = true // no memory
		}
		return nil
	}
	return libc.GoBytes(p, int(sqlite3.Xsqlite3_column_bytes(c.tls, c.stmt, int32(column))))
}

func (c *cursor) close() {
	_ = sqlite3.Xsqlite3_finalize(c.tls, c.stmt) // nothing was written
	_ = sqlite3.Xsqlite3_close_v2(c.tls, c.db)
	libc.Xfree(c.tls, c.out)
	c.tls.Close()
}
