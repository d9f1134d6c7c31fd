package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// The header fields by which SQLite lets a program know its own files.
const (
	applicationID = 0x53504442 // "SPDB"
	schemaVersion = 2          // of the newest file in migrations; user_version says which a file has
)

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
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, conn, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migration: %w", err)
	}
	return seal(ctx, conn)
}

// seal checks a migrated file and marks it as a registry of this schema. The
// unique index makes a second application of a migration an error.
func seal(ctx context.Context, conn *sql.DB) error {
	var broken int
	if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM pragma_foreign_key_check").Scan(&broken); err != nil {
		return err
	}
	if broken > 0 {
		return fmt.Errorf("migration: %d rows refer to rows that are not there: %w", broken, ErrDamaged)
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
