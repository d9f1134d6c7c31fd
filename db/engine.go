package db

import (
	"reflect"
	"runtime"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// engine runs one statement of a connection by SQLite's own interface. What the driver
// does around a row (boxes, copies, looks for names, counts) takes as long as SQLite
// takes to insert it. It is an addition to the driver and never instead of it: what does
// not go well here is left as it was, and the driver tries it and says what is wrong.
type engine struct {
	tls      *libc.TLS
	db, stmt uintptr
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
	e.stmt = e.prepare(text)
	if e.stmt == 0 {
		return nil
	}
	return e
}

func (e *engine) prepare(text string) uintptr {
	zero := append([]byte(text), 0)
	var stmt uintptr
	rc := sqlite3.Xsqlite3_prepare_v2(e.tls, e.db, address(zero), int32(len(zero)), uintptr(unsafe.Pointer(&stmt)), 0)
	runtime.KeepAlive(zero)
	if rc != sqlite3.SQLITE_OK {
		return 0
	}
	return stmt
}

// run runs the statement, and tells whether it did. The texts are not copied: Go does
// not move what is in use, and SQLite looks at them only until they are bound anew.
func (e *engine) run(args []any) bool {
	for i, arg := range args {
		if !e.bind(int32(i+1), arg) {
			return false
		}
	}
	done := sqlite3.Xsqlite3_step(e.tls, e.stmt) == sqlite3.SQLITE_DONE
	runtime.KeepAlive(args)
	return sqlite3.Xsqlite3_reset(e.tls, e.stmt) == sqlite3.SQLITE_OK && done
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

// nothingThere is where an empty text is; a text that is nowhere would be NULL.
var nothingThere = make([]byte, 1)

func (e *engine) bindText(at int32, text string) int32 {
	const static = 0 // SQLite's word for a text that it need not copy
	where := address(nothingThere)
	if text != "" {
		where = uintptr(unsafe.Pointer(unsafe.StringData(text)))
	}
	return sqlite3.Xsqlite3_bind_text(e.tls, e.stmt, at, where, int32(len(text)), static)
}

func (e *engine) close() {
	if e != nil {
		sqlite3.Xsqlite3_finalize(e.tls, e.stmt)
	}
}

func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
