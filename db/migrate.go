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
	schemaVersion = 2          // of the newest file in migrations; user_version says which a file has
)

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

// migrate brings the file at path to the newest schema. Its caller holds the
// lock: goose has none for SQLite, and without one a migration can run twice.
// Foreign keys are off, because with them on the usual rebuild of a table would
// silently delete the rows that refer to it; they are checked afterwards.
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
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, conn, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migration: %w", unreadable(err))
	}
	return seal(ctx, conn)
}

// seal checks a migrated file and marks it as a registry of this schema. The
// unique index makes a second application of a migration an error.
func seal(ctx context.Context, conn *sql.DB) error {
	if err := checkReferences(ctx, conn); err != nil {
		return fmt.Errorf("migration: %w", err)
	}
	for _, statement := range []string{
		"CREATE UNIQUE INDEX IF NOT EXISTS goose_db_version_once ON goose_db_version (version_id)",
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		fmt.Sprintf("PRAGMA user_version = %d", schemaVersion),
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
