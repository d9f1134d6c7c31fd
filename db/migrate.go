package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
	"golang.org/x/sys/unix"
)

//go:embed migrations/*.sql
var migrations embed.FS

// The header fields by which SQLite lets a program know its own files.
const (
	applicationID = 0x53504442 // "SPDB"
	schemaVersion = 10         // of the newest file in migrations; user_version says which a file has
)

// migrate brings the file to the current schema.
func (d *DB) migrate(ctx context.Context, deadline time.Time) error {
	lock, err := d.options.acquire(ctx, filepath.Dir(d.path), unix.LOCK_EX, deadline)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	_, err = d.makeCurrent(ctx, deadline)
	return err
}

// makeCurrent looks, under the lock, which schema the file has, and migrates it where
// that is older; another process, even of a newer program, may just have done so. It is
// done before the file is opened for writing: that already touches it. It returns a read
// that has ended, and tells where the file was recorded.
func (d *DB) makeCurrent(ctx context.Context, deadline time.Time) (*Read, error) {
	d.forget() // it was looked at without the lock
	read, err := d.poll(ctx, deadline, checkVersion)
	if errors.Is(err, errLogs) {
		if err = d.leaveWAL(ctx, deadline); err == nil {
			read, err = d.poll(ctx, deadline, checkVersion)
		}
	}
	if err == nil {
		read.Close()
	}
	d.letGo()
	if !errors.Is(err, errOlder) {
		return read, err
	}
	if _, err := keepCopy(ctx, d.path, BeforeMigration, d.options.Now(), time.Until(deadline)); err != nil {
		return nil, err
	}
	if _, err := settle(d.path, read.here, read.all, d.options.Trust, false, nil); err != nil {
		return nil, err
	}
	if read.all, err = readPlace(d.path); err != nil {
		return nil, err
	}
	return read, migrate(ctx, d.path, time.Until(deadline))
}

// leaveWAL turns the file back to the rollback journal, under the lock.
func (d *DB) leaveWAL(ctx context.Context, deadline time.Time) error {
	conn, err := sql.Open("sqlite", writeDSN(d.path, time.Until(deadline), false))
	if err != nil {
		return err
	}
	err = errors.Join(unreadable(conn.PingContext(ctx)), conn.Close())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.logs = false
	return err
}

// migrate brings the file at path to the newest schema. Its caller holds the
// lock: goose has none for SQLite, and without one a migration can run twice.
// Foreign keys are off, because with them on the usual rebuild of a table would
// silently delete the rows that refer to it; each migration ends with their check.
func migrate(ctx context.Context, path string, wait time.Duration) (err error) {
	conn, err := sql.Open("sqlite", writeDSN(path, wait, false))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	conn.SetMaxOpenConns(1)
	return migrateOn(ctx, conn)
}

func migrateOn(ctx context.Context, conn *sql.DB) error {
	return migrateTo(ctx, conn, migrations)
}

func migrateTo(ctx context.Context, conn *sql.DB, files fs.FS) error {
	provider, err := migrator(conn, files)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migration: %w", unreadable(err))
	}
	return nil
}

// migrator is goose over the files in migrations.
func migrator(conn *sql.DB, files fs.FS) (*goose.Provider, error) {
	files, err := fs.Sub(files, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider("", conn, files, goose.WithStore(versions{}), goose.WithDisableGlobalRegistry(true))
}
