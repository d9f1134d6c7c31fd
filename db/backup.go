package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Backup writes what the registry holds at one instant to the file at to, an empty
// one that its owner alone can reach; it keeps its mode. The file is synced and was
// found whole when Backup returns nil. Like a read it takes no lock unless a writer
// is in the way.
func (d *DB) Backup(ctx context.Context, to string) error {
	deadline := in(d.options.Wait)
	read, err := d.readBy(ctx, deadline) // which migrates an older file
	if err != nil {
		return err
	}
	read.Close()
	d.letGo()
	err = vacuumInto(ctx, d.path, to, 0)
	if isBusy(err) {
		err = d.queueBackup(ctx, to, deadline)
	}
	if err == nil {
		err = syncFile(to)
	}
	if err == nil {
		err = named(d.path, verify(ctx, to))
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (d *DB) queueBackup(ctx context.Context, to string, deadline time.Time) error {
	lock, err := d.options.acquire(ctx, filepath.Dir(d.path), unix.LOCK_SH, deadline)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if err := os.Truncate(to, 0); err != nil {
		return err
	}
	return vacuumInto(ctx, d.path, to, time.Until(deadline))
}

// Stream writes what the registry holds at one instant to w, without a file in
// between: byte for byte the file itself, which nobody changes while it is read.
// Like Backup it is checked, and before the first byte.
func (d *DB) Stream(ctx context.Context, w io.Writer) error {
	// Opened before and closed after the reading: where SQLite has only POSIX locks,
	// closing the file drops them.
	file, err := os.OpenFile(d.path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return denied(d.path, err)
	}
	defer func() { _ = file.Close() }() // it is only read
	read, err := d.Read(ctx)
	if err != nil {
		return err
	}
	defer read.Close()
	if !d.isOpen(file) {
		return fmt.Errorf("%s: %w", d.path, ErrReplaced)
	}
	if err := named(d.path, checkAll(ctx, read)); err != nil {
		return err
	}
	_, err = io.Copy(w, cancellable{ctx, file})
	return err
}

// cancellable reads until its context ends.
type cancellable struct {
	ctx context.Context
	io.Reader
}

func (c cancellable) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.Reader.Read(p)
}

// verify checks that the file at path is a whole registry of this schema.
func verify(ctx context.Context, path string) (err error) {
	conn, err := sql.Open("sqlite", recheckDSN(path, 0))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	if err := checkForm(ctx, tx); err != nil {
		return err
	}
	return checkAll(ctx, tx)
}

// checkAll checks all that can be checked, however large the file is.
func checkAll(ctx context.Context, tx rower) error {
	if err := checkWhole(ctx, tx); err != nil {
		return err
	}
	return checkReferences(ctx, tx)
}

func checkReferences(ctx context.Context, tx rower) error {
	var broken int
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM pragma_foreign_key_check").Scan(&broken); err != nil {
		return err
	}
	if broken > 0 {
		return fmt.Errorf("%d rows refer to rows that are not there: %w", broken, ErrDamaged)
	}
	return nil
}
