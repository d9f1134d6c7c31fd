package db

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// checkedWhole is up to how many pages a file is checked whole, by SQLite itself,
// before anything in it is believed: with a page of an index gone a session would
// look as if it had never been, and the default would take its place. Registries of
// some hundred tenants are that small, and it costs them about a millisecond.
// In a larger one SQLite sees the damage that it meets; the rest is left to doctor.
const checkedWhole = 64

// shape is what there is in a file of the newest schema, a line for each: a trigger
// or a view that is not ours would act in our name. It is not compared as SQL, whose
// spelling may change with SQLite's version when a migration alters a table.
//
//go:embed shape.txt
var shape string

const readHeader = `SELECT application_id, user_version, page_count, (
	SELECT group_concat(type || ' ' || name || ' ' || tbl_name || char(10), '' ORDER BY type, name)
	FROM sqlite_schema
	WHERE NOT (type IN ('table', 'index') AND (name LIKE 'sqlite~_%' ESCAPE '~' OR name IN ('goose_db_version', 'goose_db_version_once')))
) FROM pragma_application_id, pragma_user_version, pragma_page_count`

// rower is a transaction or a connection.
type rower interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// check finds out, in the transaction that is about to use the file, whose it is,
// which schema it has, and whether it can be believed.
func check(ctx context.Context, tx rower) error {
	var application, version, pages int64
	var found sql.NullString
	if err := tx.QueryRowContext(ctx, readHeader).Scan(&application, &version, &pages, &found); err != nil {
		return unreadable(err)
	}
	switch {
	case application != applicationID:
		return ErrForeign
	case version > schemaVersion:
		return fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, version, schemaVersion)
	case version < schemaVersion:
		return errOlder
	case found.String != shape:
		return fmt.Errorf("%w: its tables are not those that sp made", ErrDamaged)
	case pages <= checkedWhole:
		return checkWhole(ctx, tx)
	}
	return nil
}

// checkWhole has SQLite check every page, index and constraint.
func checkWhole(ctx context.Context, tx rower) error {
	var finding string
	if err := tx.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&finding); err != nil {
		return unreadable(err)
	}
	if finding != "ok" {
		return ErrDamaged // what it found may quote what the table holds
	}
	return nil
}

// unreadable adds ErrDamaged to SQLite's most general error, where our own SQL is
// known to be right: it stands for a file that SQLite can't make sense of.
func unreadable(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code() == sqlite3.SQLITE_ERROR {
		return fmt.Errorf("registry: %w (SQLite %d)", ErrDamaged, e.Code())
	}
	return err
}
