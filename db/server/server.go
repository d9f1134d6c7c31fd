// Package server opens serve.db, the file of what a control plane knows beside its registry: users,
// grants, tokens, requests that are under way, events and the audit. It holds the schema and the
// queries of that file, and no rule.
package server

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the driver
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is an open serve.db. It may be used by several goroutines, and the file by several processes.
type DB struct {
	reader, writer *sql.DB
	path           string
	file           os.FileInfo // at path when it was opened
}

// ErrReplaced is returned where another file is in the place of the one that was opened, or none.
var ErrReplaced = errors.New("moved or replaced while spd has it open, so what is written there would be lost")

// Look refuses a file that is not in its place any more.
func (d *DB) Look() error {
	now, err := os.Lstat(d.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(d.file, now) {
		err = fmt.Errorf("%s: %w", d.path, ErrReplaced)
	}
	return err
}

// Open opens the file at path, an absolute path, and brings it to the current schema; where there is
// none it makes one, which its owner alone can read.
func Open(ctx context.Context, path string) (d *DB, err error) {
	if err := prepare(ctx, path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d = &DB{path: path}
	if d.file, err = os.Lstat(path); err != nil {
		return nil, err
	}
	if d.reader, err = sql.Open("sqlite", dsn(path, "_query_only", "1")); err == nil {
		d.writer, err = sql.Open("sqlite", dsn(path, "_txlock", "immediate"))
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	d.reader.SetMaxOpenConns(8)
	d.reader.SetMaxIdleConns(8)
	d.writer.SetMaxOpenConns(1)
	return d, nil
}

// ErrExposed is returned for a file that others can read, or that is no file.
var ErrExposed = errors.New("it holds users and tokens, and others can read it (chmod 600), or it is no regular file")

func checkPrivate(path string) error {
	info, err := os.Lstat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0) {
		err = ErrExposed
	}
	return err
}

// dsn says how the file is opened. In WAL mode readers and the writer don't wait for each other, and
// FULL has every commit outlast a power cut.
func dsn(path string, more ...string) string {
	values := url.Values{
		"mode": {"rw"}, "_busy_timeout": {"10000"}, "_foreign_keys": {"1"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"},
		"_defensive": {"1"}, "_dqs": {"0"}, "_error_rc": {"1"},
		"_pragma": {"secure_delete(1)", "temp_store(2)", "trusted_schema(0)", "cell_size_check(1)", "mmap_size(0)"},
	}
	for i := 0; i < len(more); i += 2 {
		if values.Set(more[i], more[i+1]); more[i+1] == "" {
			values.Del(more[i])
		}
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: values.Encode()}).String()
}

// prepare has a whole file of the newest schema at path, under a lock of its own: goose has none for
// SQLite, and without one a migration can run twice.
func prepare(ctx context.Context, path string) (err error) {
	lock, err := os.OpenFile(filepath.Join(filepath.Dir(path), ".serve.lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return create(ctx, path)
	}
	if err := checkPrivate(path); err != nil {
		return err
	}
	if err := examine(ctx, path); err != nil {
		return err
	}
	return migrate(ctx, path)
}

// create makes the file beside its place, so that one that is there is whole. What is left of one that is
// gone would be played into it.
func create(ctx context.Context, path string) error {
	for _, left := range []string{path + "-wal", path + "-shm", path + "-journal"} {
		if _, err := os.Lstat(left); err == nil {
			return fmt.Errorf("%s: %w", filepath.Base(left), ErrLeft)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	staged := path + ".new"
	for _, left := range []string{staged, staged + "-wal", staged + "-shm"} { // by a process that died here
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	file, err := os.OpenFile(staged, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Close(), migrate(ctx, staged)); err != nil {
		return err
	}
	if err := os.Rename(staged, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// migrate brings a file to the newest schema. Foreign keys are off, as a rebuild of a table needs.
func migrate(ctx context.Context, path string) (err error) {
	conn, err := sql.Open("sqlite", dsn(path, "_foreign_keys", "0"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetMaxOpenConns(1)
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, conn, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	has, newest, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return explain(err)
	case has > newest:
		return ErrNewer
	case has == 0:
		if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
	}
	_, err = provider.Up(ctx)
	return explain(err)
}

// Close releases the file.
func (d *DB) Close() error {
	var problems []error
	for _, pool := range []*sql.DB{d.reader, d.writer} {
		if pool != nil {
			problems = append(problems, pool.Close())
		}
	}
	return errors.Join(problems...)
}

// Read runs fn on one instant of the file.
func (d *DB) Read(ctx context.Context, fn func(*Queries) error) error {
	tx, err := d.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return fn(New(tx))
}

// Write runs fn in one change of the file. What fn did is kept if it returns nil, and else taken
// back. It is not ended with its context: whoever has written once has the answer.
func (d *DB) Write(ctx context.Context, fn func(*Queries) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := d.Look(); err != nil {
		return err
	}
	tx, err := d.writer.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return explainFull(err)
	}
	defer func() { _ = tx.Rollback() }() // of what panics, too: it is over behind a commit
	if err := fn(New(tx)); err != nil {
		return explainFull(err)
	}
	return explainFull(tx.Commit())
}

// ErrFull is returned where there is no room for a change: the disk is full, or a quota or a limit of size is
// reached.
var ErrFull = errors.New("disk full")

// explainFull names that trouble, of which SQLite's own error has only a number: 13, or for a write that
// failed without a reason 778 (https://www.sqlite.org/rescode.html).
func explainFull(err error) error {
	const full, write = 13, 778
	var coded interface{ Code() int }
	if errors.As(err, &coded) && (coded.Code() == full || coded.Code() == write) {
		return fmt.Errorf("serve.db: %w: %w", ErrFull, err)
	}
	return err
}

// IsMissing tells whether a query found no row.
func IsMissing(err error) bool { return errors.Is(err, sql.ErrNoRows) }
