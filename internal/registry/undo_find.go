package registry

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/sp-registry/sp/db/queries"
)

// toUndo returns the change to reverse.
func (c *change) toUndo(ctx context.Context, sequence *int64) (Change, error) {
	if sequence == nil {
		return c.lastToUndo(ctx)
	}
	undone, err := c.changeRow(ctx, *sequence)
	if err != nil {
		return Change{}, err
	}
	by, err := c.undoneBy(ctx, *sequence)
	if err != nil || by == 0 {
		return undone, err
	}
	later, err := c.changeRow(ctx, by)
	return Change{}, errors.Join(err, &LaterError{Undone: undone, Later: later, What: "undid it"})
}

// lastToUndo returns the last change that is not an undo and was not undone.
func (c *change) lastToUndo(ctx context.Context) (Change, error) {
	gone := map[int64]bool{}
	before := int64(math.MaxInt64)
	for {
		rows, err := c.q.ChangesBefore(ctx, queries.ChangesBeforeParams{Sequence: before, Size: batch})
		if err != nil {
			return Change{}, err
		}
		for _, row := range rows {
			before = row.Sequence
			switch {
			case gone[row.Sequence]:
			case row.Undoes != nil:
				gone[*row.Undoes] = true
			default:
				return changeOf(row), nil
			}
		}
		if len(rows) < batch {
			return Change{}, fmt.Errorf("a change to undo: %w", ErrNotFound)
		}
	}
}

// undoneBy returns the change that undid another and was not undone itself, 0 if none.
func (c *change) undoneBy(ctx context.Context, sequence int64) (int64, error) {
	by, err := c.q.LatestUndoOf(ctx, sequence)
	if err != nil || by == 0 {
		return 0, err
	}
	redone, err := c.undoneBy(ctx, by)
	if redone != 0 {
		by = 0
	}
	return by, err
}
