package db

import (
	"reflect"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// engine runs one statement of a connection by SQLite's own interface. What the driver
// does around a row (boxes, copies, looks for names, counts) takes as long as SQLite
// takes to insert it. It is an addition to the driver and never instead of it: what does
// not go well here is left as it was, and the driver tries it and says what is wrong.
type engine struct {
	tls  *libc.TLS
	db   uintptr
	stmt uintptr
	at   uintptr // where the texts of a row are, in C's memory
	room []byte  // the same
	used int     // bytes of it
}

// newEngine prepares the statement on the driver's connection, whose handle the driver
// keeps to itself; nil where it is not found, as in another version of the driver.
func newEngine(conn any, text string) *engine {
	fields := reflect.Indirect(reflect.ValueOf(conn))
	if fields.Kind() != reflect.Struct {
		return nil
	}
	tls, handle := fields.FieldByName("tls"), fields.FieldByName("db")
	if !tls.IsValid() || tls.Type() != reflect.TypeFor[*libc.TLS]() || handle.Kind() != reflect.Uintptr {
		return nil
	}
	e := &engine{tls: (*libc.TLS)(tls.UnsafePointer()), db: uintptr(handle.Uint())}
	var err error
	if e.stmt, err = prepare(e.tls, e.db, text); err != nil {
		return nil
	}
	return e
}

// run runs the statement, and tells whether it did. An error means that SQLite took the
// whole transaction back, as it does where it can't write: what ran now would be
// outside of any.
func (e *engine) run(args []any) (bool, error) {
	if !e.makeRoom(args) {
		return false, nil
	}
	for i, arg := range args {
		if !e.bind(int32(i+1), arg) {
			return false, nil
		}
	}
	_ = sqlite3.Xsqlite3_step(e.tls, e.stmt) // reset says the same again
	if sqlite3.Xsqlite3_reset(e.tls, e.stmt) == sqlite3.SQLITE_OK {
		return true, nil
	}
	if sqlite3.Xsqlite3_get_autocommit(e.tls, e.db) != 0 {
		return false, resultCode(sqlite3.Xsqlite3_extended_errcode(e.tls, e.db))
	}
	return false, nil
}

// makeRoom makes room for the texts of one row in C's memory, where SQLite looks at them
// until they are bound anew.
func (e *engine) makeRoom(args []any) bool {
	need := 1 // an empty text is somewhere, too; one that is nowhere would be NULL
	for _, arg := range args {
		switch text := arg.(type) {
		case string:
			need += len(text)
		case *string:
			if text != nil {
				need += len(*text)
			}
		}
	}
	if need > len(e.room) {
		libc.Xfree(e.tls, e.at)
		size := 2*need + 4096
		if e.at = libc.Xmalloc(e.tls, libc.Tsize_t(size)); e.at == 0 {
			e.room = nil
			return false
		}
		e.room = libc.GoBytes(e.at, size)
	}
	e.used = 0
	return true
}

func (e *engine) bind(at int32, arg any) bool {
	var rc int32
	switch value := arg.(type) {
	case string:
		rc = e.bindText(at, value)
	case *string:
		if value == nil {
			rc = sqlite3.Xsqlite3_bind_null(e.tls, e.stmt, at)
		} else {
			rc = e.bindText(at, *value)
		}
	case int64:
		rc = sqlite3.Xsqlite3_bind_int64(e.tls, e.stmt, at, value)
	case bool:
		number := int32(0)
		if value {
			number = 1
		}
		rc = sqlite3.Xsqlite3_bind_int(e.tls, e.stmt, at, number)
	default:
		return false
	}
	return rc == sqlite3.SQLITE_OK
}

func (e *engine) bindText(at int32, text string) int32 {
	const static = 0 // SQLite's word for a text that it need not copy
	where := e.at + uintptr(e.used)
	e.used += copy(e.room[e.used:], text)
	return sqlite3.Xsqlite3_bind_text(e.tls, e.stmt, at, where, int32(len(text)), static)
}

func (e *engine) close() {
	if e != nil {
		sqlite3.Xsqlite3_finalize(e.tls, e.stmt)
		libc.Xfree(e.tls, e.at)
	}
}
