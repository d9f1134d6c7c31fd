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
// some hundred tenants are that small, and it costs them less than a millisecond.
// In a larger one SQLite sees the damage that it meets; the rest is left to doctor.
const checkedWhole = 40

// shape is what there is in a file of the newest schema, a line for each: a trigger
// or a view that is not ours would act in our name. It is not compared as SQL, whose
// spelling may change with SQLite's version when a migration alters a table.
//
//go:embed shape.txt
var shape string

const readAll = `SELECT application_id, user_version, page_count, (
	SELECT group_concat(type || ' ' || name || ' ' || tbl_name || char(10), '' ORDER BY type, name)
	FROM sqlite_schema
	WHERE NOT (type IN ('table', 'index') AND (name LIKE 'sqlite~_%' ESCAPE '~' OR name IN ('goose_db_version', 'goose_db_version_once')))
) FROM pragma_application_id, pragma_user_version, pragma_page_count`

// check finds out, in the transaction that is about to use the file, whose it is,
// which schema it has, and whether it can be believed.
func check(ctx context.Context, tx rower) error {
	var application, version, pages int64
	var found sql.NullString
	if err := tx.QueryRowContext(ctx, readAll).Scan(&application, &version, &pages, &found); err != nil {
		return unreadable(err)
	}
	err := judge(application, version)
	switch {
	case err != nil:
		return err
	case found.String != shape:
		return fmt.Errorf("%w: its tables are not those that sp made", ErrDamaged)
	case pages <= checkedWhole:
		return checkIntegrity(ctx, tx)
	}
	return nil
}

// checkVersion only checks whose file it is and which schema it has.
func checkVersion(ctx context.Context, tx rower) error {
	var application, version int64
	row := tx.QueryRowContext(ctx, "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version")
	if err := row.Scan(&application, &version); err != nil {
		return unreadable(err)
	}
	return judge(application, version)
}

func judge(application, version int64) error {
	switch {
	case application != applicationID:
		return ErrForeign
	case version > schemaVersion:
		return fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, version, schemaVersion)
	case version < schemaVersion:
		return errOlder
	}
	return nil
}

// checkIntegrity has SQLite check every page, index and constraint. What it found may
// quote what the table holds.
func checkIntegrity(ctx context.Context, tx rower) error {
	var finding string
	if err := tx.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&finding); err != nil {
		return unreadable(err)
	}
	if finding != "ok" {
		return fmt.Errorf("%w: SQLite's integrity check fails", ErrDamaged)
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
