package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// applicationID is by what the file is known, as its header says: "SPSV".
const applicationID = 0x53505356

var (
	// ErrForeign is returned for a file that is none of a control plane's; it stays untouched.
	ErrForeign = errors.New("not a file that spd made")
	// ErrDamaged is returned for a file in which SQLite finds something wrong.
	ErrDamaged = errors.New("damaged")
	// ErrLeft is returned where the file is gone, but not what SQLite keeps beside it.
	ErrLeft = errors.New("it is left of a file that is gone, and holds changes of that")
	// ErrReadOnly is returned for a file that may not be changed.
	ErrReadOnly = errors.New("may not be written")
	// ErrNewer is returned for a file that a newer program made.
	ErrNewer = errors.New("made by a newer spd")
)

// checkedWhole is up to how many pages a file is checked by SQLite itself before anything in it is
// believed, in some 100 ms. In a larger one it sees the damage that it meets.
const checkedWhole = 16 << 10

// examine refuses a file that is none of ours, or damaged. It only reads: else SQLite would roll back
// another application's journal.
func examine(ctx context.Context, path string) (err error) {
	conn, err := sql.Open("sqlite", dsn(path, "mode", "ro", "_query_only", "1", "_journal_mode", "", "_synchronous", ""))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var application, pages int64
	err = conn.QueryRowContext(ctx, "SELECT application_id, page_count FROM pragma_application_id, pragma_page_count").Scan(&application, &pages)
	switch {
	case err != nil:
		return foreign(explain(err))
	case application != applicationID:
		return ErrForeign
	case pages > checkedWhole:
		return nil
	}
	var found string // the name of a table, and the number of a page: no value
	if err := conn.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return foreign(explain(err))
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, found)
	}
	return nil
}

// foreign is what it means that a file can't be examined without writing: ours has no journal that would
// have to be rolled back.
func foreign(err error) error {
	if errors.Is(err, ErrReadOnly) {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	return err
}

// explain adds to an error of SQLite's which of this package's errors it is.
func explain(err error) error {
	const readOnly, corrupt, noDatabase = 8, 11, 26 // https://www.sqlite.org/rescode.html
	var coded interface{ Code() int }
	if !errors.As(err, &coded) {
		return err
	}
	switch coded.Code() & 0xff {
	case noDatabase:
		return fmt.Errorf("%w: %w", ErrForeign, err)
	case readOnly:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case corrupt:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}
