package db

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Read is a transaction that sees one instant of the file. It is a connection within
// BEGIN and not a sql.Tx, which has a goroutine wait for the end of each statement.
type Read struct {
	*sql.Conn
	path  string
	file  fs.FileInfo // that is read
	here  placed      // where it was recorded
	all   []placed    // all that is recorded
	lock  *Lock
	trust Trust
}

// CopyOf returns the directory of the registry whose copy this one is; nothing for one
// that is none, or has been changed since and so is a registry of its own.
func (r *Read) CopyOf() string { return r.trust.copyOf(r.here, r.path) }

// File returns what is read, and where it was found.
func (r *Read) File() (path string, file fs.FileInfo) { return r.path, r.file }

// Close ends the reading.
func (r *Read) Close() {
	r.end()
	r.lock.Unlock()
}

// end leaves the transaction, in which nothing was written, whoever has ended by now.
func (r *Read) end() {
	_, _ = r.ExecContext(context.Background(), "ROLLBACK")
	_ = r.Conn.Close()
}

// Read begins reading. It takes no lock, but when a writer is in the way it
// queues on the lock as a sharer instead of polling, so that no busy writer can
// starve it. A file of an older schema is migrated first.
func (d *DB) Read(ctx context.Context) (*Read, error) {
	return d.readBy(ctx, in(d.options.Wait))
}

func (d *DB) readBy(ctx context.Context, deadline time.Time) (*Read, error) {
	tx, err := d.beginRead(ctx, d.checkRead)
	if errors.Is(err, errOlder) || errors.Is(err, errLogs) {
		if err := d.migrate(ctx, deadline); err != nil {
			return nil, err
		}
		tx, err = d.beginRead(ctx, d.checkRead)
	}
	switch {
	case isBusy(err):
		return d.queue(ctx, deadline)
	case errors.Is(err, ErrUntrusted):
		err = d.whileNobodyChanges(ctx, func() (err error) {
			tx, err = d.beginRead(ctx, d.checkRead)
			return err
		})
	}
	return tx, err
}

// errLogs is returned inside for a file in WAL mode: it has to leave that under the lock, or
// SQLite would make files beside it that nobody could tell from somebody else's.
var errLogs = errors.New("in WAL mode")

// queue begins reading when the writers before it are done.
func (d *DB) queue(ctx context.Context, deadline time.Time) (*Read, error) {
	lock, err := d.options.acquire(ctx, filepath.Dir(d.path), unix.LOCK_SH, deadline)
	if err != nil {
		return nil, err
	}
	d.forget() // it was looked at without the lock
	tx, err := d.poll(ctx, deadline, d.checkRead)
	if err == nil {
		tx.lock = lock
		return tx, nil
	}
	lock.Unlock()
	if errors.Is(err, errOlder) || errors.Is(err, errLogs) { // put back from a backup meanwhile; migrating takes the lock alone
		return d.readBy(ctx, deadline)
	}
	return nil, err
}

// poll begins a transaction under the lock. It can be busy even there: with a
// program that does not take the lock, or with another reader that rolls back
// what a crash left.
func (d *DB) poll(ctx context.Context, deadline time.Time, check func(context.Context, rower) error) (*Read, error) {
	var r *Read
	err := whileBusy(deadline, func() (err error) {
		r, err = d.beginRead(ctx, check)
		return err
	})
	return r, err
}

// whileBusy tries until SQLite is not busy any more, or the deadline is over.
func whileBusy(deadline time.Time, try func() error) error {
	for {
		err := try()
		if !isBusy(err) || time.Until(deadline) <= 0 {
			return err
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// in returns the moment at which waiting ends. It measures, on the monotonic
// clock; what the registry dates, it is told by its caller.
func in(wait time.Duration) time.Time { return time.Now().Add(wait) }

// errOlder is returned inside for a file that must be migrated first.
var errOlder = errors.New("older schema")

// checkRead checks what is about to be read; how large it is was seen just now.
func (d *DB) checkRead(ctx context.Context, tx rower) error {
	if d.size() > checkedWhole*pageSize {
		return checkRead(ctx, tx, nil)
	}
	if _, err := headerValue(ctx, tx, "user_version"); err == nil && isAsChanged(d.path) { // from here on nobody writes
		return nil
	}
	return checkRead(ctx, tx, d.options.Relied)
}

// beginRead begins a transaction and checks the file in it: what is read is of the
// instant that was checked.
func (d *DB) beginRead(ctx context.Context, check func(context.Context, rower) error) (*Read, error) {
	now, err := d.current(ctx)
	if err != nil {
		return nil, err
	}
	if now.logs {
		return nil, errLogs
	}
	conn, err := now.reader.Conn(ctx)
	if err != nil {
		return nil, err
	}
	r := &Read{Conn: conn, path: d.path, file: now.file, trust: d.options.Trust}
	if _, err = conn.ExecContext(ctx, "BEGIN"); err == nil {
		err = r.checkJournal(ctx)
	}
	if err == nil {
		err = named(d.path, check(ctx, r))
	}
	if known, refused := now.found.identify(ctx, d.path, r, err); refused != nil {
		err = refused
	} else {
		r.here, r.all = known, now.found.all
	}
	if err != nil {
		r.end()
		return r, err // which of an older file still tells where it was recorded
	}
	return r, nil
}

// checkJournal finds a file in WAL mode where its header could not be read before.
func (r *Read) checkJournal(ctx context.Context) error {
	if mayOpen.Load() {
		return nil
	}
	var mode string
	err := r.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode)
	if err == nil && mode == "wal" {
		err = errLogs
	}
	return unreadable(err)
}
