package registry

import (
	"context"
	"errors"
	"fmt"
	"math"
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
	if undone, _, err = c.weighed(ctx, undone); err != nil {
		return Change{}, err
	}
	by, err := c.undoneBy(ctx, *sequence)
	if err != nil || by == 0 {
		return undone, err
	}
	later, err := c.changeRow(ctx, by)
	return Change{}, errors.Join(err, &LaterError{Undone: undone, Later: later, What: "undid it"})
}

// lastToUndo returns the last change that stands. A purge is passed over: nothing is
// to be reversed of it. So is a merge of this very command: it is not what is meant.
func (c *change) lastToUndo(ctx context.Context) (Change, error) {
	for row, err := range c.changeRows(ctx, nil, math.MaxInt64, 0) {
		if err != nil {
			return Change{}, err
		}
		last, _, err := c.weighed(ctx, changeOf(row))
		if err != nil {
			return Change{}, err
		}
		if stands, err := c.stands(ctx, last); err != nil || stands && !last.Purged && last.Sequence != c.merge {
			return last, err
		}
	}
	return Change{}, fmt.Errorf("a change to undo: %w", ErrNotFound)
}

// checkReversible refuses what the history has nothing of to put back.
func checkReversible(undone Change) error {
	switch {
	case undone.Restored != nil: // the copy of what was replaced is the way back
		return fmt.Errorf("%s can't be undone: it restored a backup: %w", undone, ErrConflict)
	case undone.Purged:
		return fmt.Errorf("%s can't be undone: what it purged is gone: %w", undone, ErrConflict)
	}
	return nil
}

// stands tells whether a change is neither an undo nor undone.
func (c *change) stands(ctx context.Context, made Change) (bool, error) {
	if made.Undoes != nil {
		return false, nil
	}
	by, err := c.undoneBy(ctx, made.Sequence)
	return by == 0 && err == nil, err
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

// lasting is what of a thing an undo can have brought back: of a session not what
// authenticates it, for tokens are not kept.
func (m image) lasting(what Entity) image {
	if m == nil || what != SessionEntity {
		return m
	}
	return m.only([]string{"profile", "chosen_at"})
}
