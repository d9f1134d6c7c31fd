package db

import (
	"context"
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// WithoutIndexes runs fn while a table has no index, and makes the indexes again: for
// many rows that is several times as fast as keeping them up to date. A unique index
// that can't be made again is ErrNotUnique.
func (w *Write) WithoutIndexes(ctx context.Context, table string, fn func() error) error {
	rows, err := w.QueryContext(ctx, "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL ORDER BY rowid", table)
	indexes, err := collect(rows, err, func() (index [2]string, err error) {
		return index, rows.Scan(&index[0], &index[1])
	})
	if err != nil {
		return err
	}
	for _, index := range indexes {
		if _, err := w.ExecContext(ctx, fmt.Sprintf("DROP INDEX %q", index[0])); err != nil {
			return err
		}
	}
	if err := fn(); err != nil {
		return err
	}
	for _, index := range indexes {
		_, err := w.ExecContext(ctx, index[1])
		var e coded
		if errors.As(err, &e) && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE {
			err = ErrNotUnique
		}
		if err != nil {
			return err
		}
	}
	return nil
}
