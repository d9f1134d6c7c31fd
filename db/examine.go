package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Examination looks at a registry file as it is, whatever schema it has; unlike a
// Read it migrates nothing. What a crash interrupted SQLite rolls back even so.
type Examination struct {
	// Schema is the version of its schema, Newest the one that this program knows.
	Schema, Newest int64
	// Logs tells that the file is in WAL mode, in which sp never leaves it.
	Logs bool
	tx   *sql.Tx
	conn *sql.DB
	lock *Lock
}

// Examine begins to look at the file at path, an absolute path, which Open would take
// but for its schema. It waits as a Read does: only behind a writer that is in the way.
func Examine(ctx context.Context, path string, o Options) (*Examination, error) {
	d, err := Open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }() // nothing was read
	e, err := d.examine(ctx)
	if errors.Is(err, ErrUntrusted) && !d.logs {
		err = d.whileNobodyChanges(ctx, func() (err error) {
			e, err = d.examine(ctx)
			return err
		})
	}
	return e, err
}

func (d *DB) examine(ctx context.Context) (*Examination, error) {
	now, err := d.current(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := sql.Open("sqlite", readDSN(d.path))
	if err != nil {
		return nil, err
	}
	e := &Examination{conn: conn, Newest: schemaVersion, Logs: now.logs}
	if e.Logs { // nobody may see what SQLite makes beside it
		err = e.queue(ctx, d.path, d.options, unix.LOCK_EX)
	} else if err = e.begin(ctx); isBusy(err) {
		err = e.queue(ctx, d.path, d.options, unix.LOCK_SH)
	}
	if err == nil {
		_, err = now.found.identify(ctx, d.path, e.tx, errOlder)
	}
	if err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *Examination) queue(ctx context.Context, path string, o Options, how int) (err error) {
	deadline := in(o.Wait)
	if e.lock, err = o.acquire(ctx, filepath.Dir(path), how, deadline); err != nil {
		return err
	}
	// Under the lock only a program that does not take it can be in the way.
	return whileBusy(deadline, func() error { return e.begin(ctx) })
}

func (e *Examination) begin(ctx context.Context) error {
	tx, err := e.conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	err = tx.QueryRowContext(ctx, "SELECT user_version FROM pragma_user_version").Scan(&e.Schema)
	if err == nil { // those are in the header; this reads the first page, and so whether it can be read
		_, err = tx.ExecContext(ctx, "SELECT COUNT(*) FROM sqlite_schema")
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	e.tx = tx
	return nil
}

// Close ends the looking.
func (e *Examination) Close() {
	if e.tx != nil {
		_ = e.tx.Rollback() // nothing was written
	}
	_ = e.conn.Close()
	e.lock.Unlock()
}

// Damages returns the first limit things that SQLite's integrity_check finds wrong,
// in its words: names of tables and numbers of rows and pages, no values.
func (e *Examination) Damages(ctx context.Context, limit int) ([]string, error) {
	rows, err := e.tx.QueryContext(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", limit))
	found, err := collect(rows, err, func() (string, error) {
		var what string
		return what, rows.Scan(&what)
	})
	if len(found) == 1 && found[0] == "ok" {
		found = nil
	}
	return found, err
}

// Orphans are the rows of one table that refer to rows of another that are not there.
type Orphans struct {
	Table, Parent string
	Rows          int64
}

// Orphans counts the rows whose foreign keys lead nowhere.
func (e *Examination) Orphans(ctx context.Context) ([]Orphans, error) {
	rows, err := e.tx.QueryContext(ctx, `SELECT "table", parent, COUNT(*) FROM pragma_foreign_key_check GROUP BY "table", parent ORDER BY "table", parent`)
	return collect(rows, err, func() (o Orphans, err error) {
		return o, rows.Scan(&o.Table, &o.Parent, &o.Rows)
	})
}

// collect reads all rows with scan.
func collect[T any](rows *sql.Rows, err error, scan func() (T, error)) (all []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		one, err := scan()
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
