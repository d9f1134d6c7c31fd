// Package db opens the registry's SQLite file safely and brings it to the current
// schema. It knows nothing of what the tables mean.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Options say how a file is opened.
type Options struct {
	// Now tells the time, by which automatic copies are dated and expire.
	Now func() time.Time
	// Wait bounds, for each read or change, all waiting for the lock and for
	// SQLite together; zero fails at once.
	Wait time.Duration
	// Holder says who this process is to those who wait for it; no secrets.
	Holder string
	// Waiting, if not nil, is told once when the lock takes longer than a second, and
	// who holds it, if that is known.
	Waiting func(holder string)
}

// DB is one registry file. It is opened when something is first read or written.
type DB struct {
	path    string
	options Options
	reader  *sql.DB
}

// Open prepares to use the file at path, an absolute path. It refuses what is
// missing, unsafe or not a registry, and leaves it untouched.
func Open(_ context.Context, path string, o Options) (*DB, error) {
	if err := checkFile(path); err != nil {
		return nil, err
	}
	reader, err := sql.Open("sqlite", readDSN(path))
	if err != nil {
		return nil, err
	}
	return &DB{path: path, options: o, reader: reader}, nil
}

// Close releases the file.
func (d *DB) Close() error { return d.reader.Close() }

// Read is a transaction that sees one instant of the file.
type Read struct {
	*sql.Tx
	lock *Lock
}

// Close ends the reading.
func (r *Read) Close() {
	_ = r.Rollback() // nothing was written
	r.lock.Unlock()
}

// Read begins reading. It takes no lock, but when a writer is in the way it
// queues on the lock as a sharer instead of polling, so that no busy writer can
// starve it. A file of an older schema is migrated first.
func (d *DB) Read(ctx context.Context) (*Read, error) {
	return d.readBy(ctx, in(d.options.Wait))
}

func (d *DB) readBy(ctx context.Context, deadline time.Time) (*Read, error) {
	tx, err := d.beginRead(ctx)
	if errors.Is(err, errOlder) {
		if err := d.migrate(ctx, deadline); err != nil {
			return nil, err
		}
		tx, err = d.beginRead(ctx)
	}
	if isBusy(err) {
		return d.queue(ctx, deadline)
	}
	if err != nil {
		return nil, err
	}
	return &Read{Tx: tx}, nil
}

// queue begins reading when the writers before it are done.
func (d *DB) queue(ctx context.Context, deadline time.Time) (*Read, error) {
	lock, err := d.options.acquire(ctx, filepath.Dir(d.path), unix.LOCK_SH, deadline)
	if err != nil {
		return nil, err
	}
	tx, err := d.poll(ctx, deadline)
	if err == nil {
		return &Read{Tx: tx, lock: lock}, nil
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
func (d *DB) poll(ctx context.Context, deadline time.Time) (*sql.Tx, error) {
	for {
		tx, err := d.beginRead(ctx)
		if !isBusy(err) || time.Until(deadline) <= 0 {
			return tx, err
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// in returns the moment at which waiting ends. It measures, on the monotonic
// clock; what the registry dates, it is told by its caller.
func in(wait time.Duration) time.Time { return time.Now().Add(wait) }

// errOlder is returned inside for a file that must be migrated first.
var errOlder = errors.New("older schema")

// beginRead begins a transaction and, in it, checks whose file this is and which
// schema it has: what is read is of the instant that was checked.
func (d *DB) beginRead(ctx context.Context) (*sql.Tx, error) {
	tx, err := d.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	if err := d.checkHeader(ctx, tx); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx, nil
}

func (d *DB) checkHeader(ctx context.Context, tx *sql.Tx) error {
	var application, version int64
	row := tx.QueryRowContext(ctx, "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version")
	if err := row.Scan(&application, &version); err != nil {
		return err
	}
	switch {
	case application != applicationID:
		return fmt.Errorf("%s: %w", d.path, ErrForeign)
	case version > schemaVersion:
		return fmt.Errorf("%s: %w: schema %d, this program knows %d", d.path, ErrNewer, version, schemaVersion)
	case version < schemaVersion:
		return errOlder
	}
	return nil
}

// migrate brings the file to the current schema. Under the lock it looks again:
// another process may have migrated it meanwhile, even a newer program.
func (d *DB) migrate(ctx context.Context, deadline time.Time) error {
	lock, err := d.options.acquire(ctx, filepath.Dir(d.path), unix.LOCK_EX, deadline)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	tx, err := d.poll(ctx, deadline)
	if err == nil {
		return tx.Rollback()
	}
	if !errors.Is(err, errOlder) {
		return err
	}
	d.letGo()
	if _, err := keepCopy(ctx, d.path, BeforeMigration, d.options.Now(), time.Until(deadline)); err != nil {
		return err
	}
	return migrate(ctx, d.path, time.Until(deadline))
}

// letGo closes the connection that waits for the next read: while any is open, a
// file in WAL mode can't be turned back to the rollback journal.
func (d *DB) letGo() {
	d.reader.SetMaxIdleConns(0)
	d.reader.SetMaxIdleConns(1)
}
