package db

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// rower is a transaction or a connection.
type rower interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// check finds out, in the transaction that is about to use the file, whose it is,
// which schema it has, and whether it can be believed.
func check(ctx context.Context, tx rower) error {
	var header [3]int64
	for i, name := range []string{"application_id", "user_version", "page_count"} {
		var err error
		if header[i], err = headerValue(ctx, tx, name); err != nil {
			return unreadable(err)
		}
	}
	switch application, version := header[0], header[1]; {
	case application != applicationID:
		return ErrForeign
	case version > schemaVersion:
		return fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, version, schemaVersion)
	case version < schemaVersion:
		return errOlder
	}
	found, err := shapeOf(ctx, tx)
	switch pages := header[2]; {
	case err != nil:
		return unreadable(err)
	case found != shape:
		return fmt.Errorf("%w: its tables are not those that sp made", ErrDamaged)
	case pages <= checkedWhole:
		return checkWhole(ctx, tx)
	}
	return nil
}

// shapeOf lists what there is in a file, but for what SQLite keeps for itself, whose
// names nobody else can use. It is sorted here: for so few lines SQLite takes longer.
func shapeOf(ctx context.Context, tx rower) (string, error) {
	var all sql.NullString
	err := tx.QueryRowContext(ctx, "SELECT group_concat(type || ' ' || name || ' ' || tbl_name, char(10)) FROM sqlite_schema").Scan(&all)
	lines := slices.DeleteFunc(strings.Split(all.String, "\n"), func(line string) bool {
		return strings.HasPrefix(line, "table sqlite_") || strings.HasPrefix(line, "index sqlite_")
	})
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n", err
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
