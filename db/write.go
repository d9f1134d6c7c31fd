package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"

	"github.com/sp-registry/sp/internal/place"
)

// Write is a transaction that holds the lock until Close, so that files that
// follow the registry can be put in place after Commit and before the next writer. It
// is a connection, as Read is.
type Write struct {
	*sql.Conn
	// Now is the instant of the change; the clock is asked once for each.
	Now time.Time
	// Since is an instant before the change, by the clock of the file system: whatever
	// is written beside the file from now on is dated that or later.
	Since time.Time

	ctx  context.Context
	path string
	file fs.FileInfo // of path, before it was opened
	pool *sql.DB     // of the one connection
	lock *Lock
	settled
	trust Trust
	born  *stagedNew // the registry, if this change makes it
}

// CopyOf returns the directory of the registry whose copy this one was until this change,
// which makes it a registry of its own; nothing otherwise.
func (w *Write) CopyOf() string { return w.copyOf }

// Original returns the directory of the registry of which this one is a copy, or has once been one;
// nothing where that is gone, or it is none.
func (w *Write) Original() string { return w.trust.original(w.origins, w.path) }

// File returns what is written, and where it was found.
func (w *Write) File() (path string, file fs.FileInfo) { return w.path, w.file }

// Commit makes the change durable, unless its context has ended or it would go into a
// file that nobody finds any more: SQLite looks for that only until its journal is there.
// When it fails in another way, the change may have taken effect all the same: Recheck
// tells.
func (w *Write) Commit() error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if there, err := os.Lstat(w.path); err != nil || !os.SameFile(there, w.file) {
		return fmt.Errorf("%s: %w", w.path, ErrReplaced)
	}
	if err := w.syncStaged(); err != nil {
		return err
	}
	if w.id != "" && !w.trust.Named { // before: who is killed behind it finds the registry trusted
		w.trust.giveReceipt(w.id, filepath.Dir(w.path))
	}
	w.guard(nil)
	_, err := w.ExecContext(context.WithoutCancel(w.ctx), "COMMIT")
	if err == nil {
		_ = w.Conn.Close() // what came now would be outside of any transaction
		writeSum(w.path)
	}
	return err
}

// syncStaged makes the names of files that were staged beside the registry outlast a power cut.
// SQLite syncs the directory with the journal's first sync, which of a small change is in the
// commit; of one that did not fit in memory it was before.
func (w *Write) syncStaged() error {
	const inMemory = 1 << 20 // half of SQLite's cache
	if journal, err := os.Lstat(w.path + journalSide); err != nil || journal.Size() < inMemory {
		return nil
	}
	return place.SyncDir(filepath.Dir(w.path))
}

// Recheck ends the transaction, whatever became of it, and has look read what is in
// the file now, through a new connection and before the next writer. It does not call
// look while the journal is still there, which to remove is to commit: the change was
// not made then, even if taking it back is left to the next command.
func (w *Write) Recheck(look func(context.Context, *sql.Tx) error) (err error) {
	_ = w.end() // it has failed before
	if IsInterrupted(w.path) {
		return nil
	}
	const wait = 2 * time.Second // for those who read just now, or take a change back
	conn, err := sql.Open("sqlite", recheckDSN(w.path, wait))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx := context.WithoutCancel(w.ctx)
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return look(ctx, tx)
}

// Close rolls back what was not committed and releases the lock.
func (w *Write) Close() error {
	err := w.end()
	if w.born != nil {
		err = errors.Join(err, removeWithJournal(w.born.file))
	}
	w.lock.Unlock()
	return err
}

func (w *Write) end() error {
	_, _ = w.ExecContext(context.WithoutCancel(w.ctx), "ROLLBACK") // which may have ended by itself
	w.guard(nil)                                                   // of which the driver would keep it
	_ = w.Conn.Close()                                             // which gives it back to the pool
	return w.pool.Close()
}

// Write takes the lock and begins a change (BEGIN IMMEDIATE, so that what is
// looked up first can't change before it is written).
func (d *DB) Write(ctx context.Context) (*Write, error) {
	return d.write(ctx, false)
}

// WriteBulk is Write for a change that adds very many rows.
func (d *DB) WriteBulk(ctx context.Context) (*Write, error) {
	return d.write(ctx, true)
}

func (d *DB) write(ctx context.Context, bulk bool) (*Write, error) {
	deadline := in(d.options.Wait)
	lock, err := d.options.acquire(ctx, filepath.Dir(d.path), unix.LOCK_EX, deadline)
	if err != nil {
		return nil, err
	}
	if err := unix.Access(filepath.Dir(d.path), unix.W_OK); err != nil { // nothing could follow the change
		lock.Unlock()
		return nil, fmt.Errorf("%w: %w", ErrReadOnly, denied(filepath.Dir(d.path), err))
	}
	w := &Write{Since: lock.since, ctx: ctx, path: d.path, lock: lock, trust: d.options.Trust}
	if _, missing := os.Lstat(d.path); d.seed != nil && errors.Is(missing, os.ErrNotExist) {
		return d.bear(w, bulk)
	}
	read, err := d.makeCurrent(ctx, deadline)
	if err == nil {
		w.Now = d.options.Now()
		sweep(d.path, w.Now)
		w.file, err = os.Lstat(d.path)
	}
	if err == nil {
		dsn := writeDSN(d.path, time.Until(deadline), true)
		if bulk {
			dsn = bulkDSN(d.path, time.Until(deadline))
		}
		err = w.begin(dsn)
	}
	if err != nil {
		lock.Unlock()
		return nil, err
	}
	if err := w.settle(read, d.options.Rand); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// bear begins the change that makes the registry, beside the place that it gets.
func (d *DB) bear(w *Write, bulk bool) (*Write, error) {
	w.Now = d.options.Now()
	s, err := stage(w.ctx, d.path, d.options, d.seed)
	if err == nil {
		w.path = s.file
		if w.file, err = os.Lstat(s.file); err == nil {
			err = w.begin(bornDSN(s.file, bulk))
		}
	}
	if err != nil {
		err = errors.Join(err, removeWithJournal(s.file))
		w.lock.Unlock()
		return nil, err
	}
	w.born = &s
	return w, nil
}

// IsNew tells whether the change makes the registry: then Place commits it.
func (w *Write) IsNew() bool { return w.born != nil }

// Place makes a change durable that makes the registry, and gives that its name. It tells whether it
// has it, also beside an error.
func (w *Write) Place() (bool, error) {
	if w.ctx.Err() != nil {
		return false, context.Cause(w.ctx)
	}
	w.guard(nil)
	if _, err := w.ExecContext(context.WithoutCancel(w.ctx), "COMMIT"); err != nil {
		return false, err
	}
	if err := errors.Join(w.Conn.Close(), w.pool.Close()); err != nil {
		return false, err
	}
	registry := w.born.path
	placed, err := w.born.place(w.trust)
	if placed {
		w.born = nil
		writeSum(registry)
	}
	return placed, err
}

// settle records where the registry lies. From the beginning of the transaction on nobody else
// can remove the journal.
func (w *Write) settle(read *Read, random io.Reader) (err error) {
	if w.settled, err = settle(w.path, read.here, read.all, w.trust, true, random); err != nil || w.id == "" {
		return err
	}
	_, err = w.ExecContext(context.WithoutCancel(w.ctx), "UPDATE registry_meta SET registry_id = ?1", w.id)
	return err
}

// begin is not bound to the context: database/sql would roll back beside us when it
// ends, and this process could be gone before that is done.
func (w *Write) begin(dsn string) (err error) {
	if w.pool, err = sql.Open("sqlite", dsn); err != nil {
		return err
	}
	ctx := context.WithoutCancel(w.ctx)
	if w.Conn, err = w.pool.Conn(ctx); err != nil {
		return errors.Join(err, w.pool.Close())
	}
	if _, err = w.ExecContext(ctx, "BEGIN IMMEDIATE"); err == nil {
		w.guard(func() int32 { return 1 })
		err = named(w.path, check(ctx, w))
	}
	if err != nil {
		return errors.Join(err, w.end())
	}
	return nil
}

// guard has every commit but Commit's fail. SQLite takes the whole transaction back
// where it can't read or write or has no memory; if that was not minded, each statement
// from there on would be a transaction of its own, and stay.
func (w *Write) guard(hook sqlite.CommitHookFn) {
	_ = w.Raw(func(conn any) error { // it fails for one that is closed, which commits nothing
		conn.(sqlite.HookRegisterer).RegisterCommitHook(hook)
		return nil
	})
}
