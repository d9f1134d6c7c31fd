package db

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"
)

// checkedWhole is up to how many pages a file is checked by SQLite itself before
// anything in it is believed: with a page of an index gone a session would look as if
// it had never been, and the default would take its place. Registries of some hundred
// tenants are that small. In a larger one SQLite sees the damage that it meets; the
// rest is left to doctor.
const checkedWhole = 72

// pageSize is SQLite's own, in bytes, which sp leaves as it is.
const pageSize = 4096

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

// checkRead finds out, in the transaction that is about to read the file, which schema
// it has, and whether what is relied on can be believed. Whose it is checkMark has found
// out before; where that may not, it is done here.
func checkRead(ctx context.Context, tx rower, relied []string) error {
	if !mayOpen.Load() {
		if err := checkApplication(ctx, tx); err != nil {
			return err
		}
	}
	if err := checkSchema(ctx, tx); err != nil {
		return err
	}
	if err := checkShape(ctx, tx); err != nil {
		return err
	}
	for _, table := range relied {
		if err := checkPages(ctx, tx, table); err != nil {
			return err
		}
	}
	return nil
}

// check does the same for a transaction that may change anything in the file.
func check(ctx context.Context, tx rower) error {
	if err := checkForm(ctx, tx); err != nil {
		return err
	}
	pages, err := headerValue(ctx, tx, "page_count")
	if err == nil && pages <= checkedWhole {
		return checkWhole(ctx, tx)
	}
	return unreadable(err)
}

// checkForm refuses what does not look like a registry of this schema.
func checkForm(ctx context.Context, tx rower) error {
	if err := checkVersion(ctx, tx); err != nil {
		return err
	}
	return checkShape(ctx, tx)
}

// checkVersion refuses what is not a registry of this schema.
func checkVersion(ctx context.Context, tx rower) error {
	if err := checkApplication(ctx, tx); err != nil {
		return err
	}
	return checkSchema(ctx, tx)
}

func checkApplication(ctx context.Context, tx rower) error {
	application, err := headerValue(ctx, tx, "application_id")
	if err == nil && application != applicationID {
		return ErrForeign
	}
	return unreadable(err)
}

func checkSchema(ctx context.Context, tx rower) error {
	version, err := headerValue(ctx, tx, "user_version")
	switch {
	case err != nil:
		return unreadable(err)
	case version > schemaVersion:
		return fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, version, schemaVersion)
	case version < 0:
		return fmt.Errorf("%w: there is no schema %d", ErrDamaged, version)
	case version < schemaVersion:
		return errOlder
	}
	return nil
}

// checkShape refuses what holds something else than sp made.
func checkShape(ctx context.Context, tx rower) error {
	found, err := shapeOf(ctx, tx)
	if err == nil && found != shape {
		err = fmt.Errorf("%w: its tables are not those that sp made", ErrDamaged)
	}
	return unreadable(err)
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
func checkWhole(ctx context.Context, tx rower) error { return checkPages(ctx, tx, "1") }

// checkPages has SQLite check one table, or up to a first finding all.
func checkPages(ctx context.Context, tx rower, what string) error {
	var finding string
	if err := tx.QueryRowContext(ctx, "PRAGMA integrity_check("+what+")").Scan(&finding); err != nil {
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
	var e coded
	if errors.As(err, &e) && e.Code() == sqlite3.SQLITE_ERROR {
		return fmt.Errorf("registry: %w (SQLite %d)", ErrDamaged, e.Code())
	}
	return err
}
