package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
)

// ErrUnknown is returned when a commit failed and what became of the change can't
// be found out.
var ErrUnknown = errors.New("whether the change was made is not known")

// commit commits the change that has this revision, and tells whether it was made.
// SQLite may fail after the change has taken effect, as when the directory can't be
// synced any more; whoever repeats the command then would do it twice. So after any
// failure the revision is read again: if it is ours, the change was made, and the
// error says what is not certain of it. Nobody else can have taken that revision,
// for the lock is held.
func commit(tx *db.Write, revision int64) (made bool, err error) {
	failed := tx.Commit()
	if failed == nil || errors.Is(failed, db.ErrReplaced) { // another file is there now, to which nothing was done
		return failed == nil, failed
	}
	err = tx.Recheck(func(ctx context.Context, tx *sql.Tx) error {
		meta, err := queries.New(tx).Meta(ctx)
		made = meta.Revision == revision
		return err
	})
	switch {
	case err != nil:
		return false, fmt.Errorf("%w: %w", ErrUnknown, db.Explain(failed))
	case made:
		return true, fmt.Errorf("it may not outlast a power cut: %w", db.Explain(failed))
	}
	return false, failed
}
