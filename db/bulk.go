package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// Bulk is the write's transaction for many rows: it remembers the statement that it
// ran last, and runs it without what database/sql does around it, which takes longer
// than the engine. One goroutine at a time may use it.
type Bulk struct {
	*sql.Conn
	text string
	stmt driver.StmtExecContext
	fast *engine // nil where there is no such way
	args []driver.NamedValue
}

// Bulk returns the transaction for many rows; the caller closes it before the commit.
func (w *Write) Bulk() *Bulk { return &Bulk{Conn: w.Conn} }

// ExecContext runs a statement that returns no rows. Its arguments are strings,
// numbers, booleans and pointers to strings. The context is looked at before, and does
// not interrupt it.
func (b *Bulk) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var result driver.Result
	err := b.Raw(func(conn any) (err error) {
		if b.stmt == nil || b.text != text {
			if err := b.prepare(conn, text); err != nil {
				return err
			}
		}
		if b.fast != nil {
			if done, err := b.fast.run(args); done || err != nil {
				return err
			}
		}
		b.args = b.args[:0]
		for i, arg := range args {
			b.args = append(b.args, driver.NamedValue{Ordinal: i + 1, Value: plain(arg)})
		}
		result, err = b.stmt.ExecContext(context.Background(), b.args)
		return err
	})
	return result, err
}

// plain is the value that the driver takes.
func plain(arg any) driver.Value {
	text, ok := arg.(*string)
	switch {
	case !ok:
		return arg
	case text == nil:
		return nil
	}
	return *text
}

func (b *Bulk) prepare(conn any, text string) error {
	if err := b.close(); err != nil {
		return err
	}
	stmt, err := conn.(driver.Conn).Prepare(text)
	if err != nil {
		return err
	}
	b.text, b.stmt, b.fast = text, stmt.(driver.StmtExecContext), newEngine(conn, text)
	return nil
}

func (b *Bulk) close() error {
	b.fast.close()
	stmt := b.stmt
	b.stmt, b.fast = nil, nil
	if stmt == nil {
		return nil
	}
	return stmt.(driver.Stmt).Close()
}

// Close gives the statement back.
func (b *Bulk) Close() error {
	return b.Raw(func(any) error { return b.close() })
}

// WithoutIndexes runs fn while a table has no index, and makes the indexes again: for
// many rows that is several times as fast as keeping them up to date. A unique index
// that can't be made again is ErrNotUnique.
func (w *Write) WithoutIndexes(ctx context.Context, table string, fn func() error) error {
	rows, err := w.QueryContext(ctx, "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL ORDER BY rowid", table)
	indexes, err := collect(rows, err, func() (index [2]string, err error) {
		return index, rows.Scan(&index[0], &index[1])
	})
	if err != nil {
		return err
	}
	for _, index := range indexes {
		if _, err := w.ExecContext(ctx, fmt.Sprintf("DROP INDEX %q", index[0])); err != nil {
			return err
		}
	}
	if err := fn(); err != nil {
		return err
	}
	for _, index := range indexes {
		_, err := w.ExecContext(ctx, index[1])
		var e coded
		if errors.As(err, &e) && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE {
			err = ErrNotUnique
		}
		if err != nil {
			return err
		}
	}
	return nil
}
