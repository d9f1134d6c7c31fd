package db

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Read is a transaction that sees one instant of the file. It is a connection within
// BEGIN and not a sql.Tx, which has a goroutine wait for the end of each statement.
type Read struct {
	*sql.Conn
	db   *DB
	path string
	file fs.FileInfo // that is read
	lock *Lock
}

// Close ends the reading.
func (r *Read) Close() {
	r.end()
	r.lock.Unlock()
}

// end leaves the transaction, in which nothing was written, whoever has ended by now. A
// connection that has read a log is closed, too: while it is open, nobody can turn the
// file back to the rollback journal, and who has read may be long in printing it.
func (r *Read) end() {
	_, _ = r.ExecContext(context.Background(), "ROLLBACK")
	_ = r.Conn.Close()
	if _, err := os.Lstat(r.path + "-wal"); err == nil {
		r.db.letGo()
	}
}

// Read begins reading. It takes no lock, but when a writer is in the way it
// queues on the lock as a sharer instead of polling, so that no busy writer can
// starve it. A file of an older schema is migrated first.
func (d *DB) Read(ctx context.Context) (*Read, error) {
	return d.readBy(ctx, in(d.options.Wait))
}

func (d *DB) readBy(ctx context.Context, deadline time.Time) (*Read, error) {
	tx, err := d.beginRead(ctx, d.checkRead)
	if errors.Is(err, errOlder) {
		if err := d.migrate(ctx, deadline); err != nil {
			return nil, err
		}
		tx, err = d.beginRead(ctx, d.checkRead)
	}
	if isBusy(err) {
		return d.queue(ctx, deadline)
	}
	return tx, err
}

// queue begins reading when the writers before it are done.
func (d *DB) queue(ctx context.Context, deadline time.Time) (*Read, error) {
	lock, err := d.options.acquire(ctx, filepath.Dir(d.path), unix.LOCK_SH, deadline)
	if err != nil {
		return nil, err
	}
	tx, err := d.poll(ctx, deadline, d.checkRead)
	if err == nil {
		tx.lock = lock
		return tx, nil
	}
	lock.Unlock()
	if errors.Is(err, errOlder) { // put back from a backup meanwhile; migrating takes the lock alone
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
	var relied []string
	if d.size() <= checkedWhole*pageSize {
		relied = d.options.Relied
	}
	return checkRead(ctx, tx, relied)
}

// beginRead begins a transaction and checks the file in it: what is read is of the
// instant that was checked.
func (d *DB) beginRead(ctx context.Context, check func(context.Context, rower) error) (*Read, error) {
	reader, file, err := d.current()
	if err != nil {
		return nil, err
	}
	conn, err := reader.Conn(ctx)
	if err != nil {
		return nil, err
	}
	r := &Read{Conn: conn, db: d, path: d.path, file: file}
	if _, err = conn.ExecContext(ctx, "BEGIN"); err == nil {
		err = named(d.path, check(ctx, r))
	}
	if err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}
