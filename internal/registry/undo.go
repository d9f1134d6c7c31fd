package registry

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/db/queries"
)

// Undo asks for a change that reverses another.
type Undo struct {
	// Sequence is the change to reverse; nil is the last that is neither an undo nor a
	// purge and was not undone.
	Sequence *int64
	// Purge forgets the secrets that it removes at once.
	Purge bool
}

// LaterError is returned for a change that can't be undone without losing a later one.
type LaterError struct {
	Undone, Later Change
	// What the later one did, such as "removed tenant x", in the words of the log.
	What string
}

func (e *LaterError) Error() string {
	return fmt.Sprintf("%s can't be undone: %s %s since", e.Undone, e.Later, e.What)
}

// Unwrap returns ErrConflict.
func (e *LaterError) Unwrap() error { return ErrConflict }

// RevokedError is returned for a change that can't be undone because it made a secret
// worthless.
type RevokedError struct {
	Undone Change
	Member string
	Tenant TenantID
}

func (e *RevokedError) Error() string {
	return fmt.Sprintf("%s can't be undone: it revoked the %s of tenant %s", e.Undone, e.Member, e.Tenant)
}

// Unwrap returns ErrConflict.
func (e *RevokedError) Unwrap() error { return ErrConflict }

// Undone is a change that was taken back, and the change that did it.
type Undone struct{ Change, By Change }

// Undo reverses one change. It is itself a change, which can be undone. Members that
// were not part of the change keep what later ones gave them; where a later change
// would be lost, nothing changes, and the error is a LaterError.
func (r *Registry) Undo(ctx context.Context, u Undo) (undone Undone, err error) {
	err = r.write(ctx, func(c *change) error {
		c.record.purge = u.Purge
		if undone.Change, err = c.toUndo(ctx, u.Sequence); err != nil {
			return err
		}
		if err := checkReversible(undone.Change); err != nil {
			return err
		}
		c.record.undoes = &undone.Change.Sequence
		d, err := c.digests(ctx)
		if err != nil {
			return err
		}
		if err := c.prepared(func() error {
			u := &undoing{change: c, undone: undone.Change, d: d, standing: map[int64]bool{}}
			return u.run(ctx)
		}); err != nil {
			return err
		}
		undone.By, err = c.listed(ctx, Change{Sequence: c.revision, MadeAt: c.now, Command: c.record.command, Undoes: c.record.undoes}, nil)
		return err
	})
	return undone, err
}

// undoing is the reversal of one change: first what it removed or altered is put
// back, what is referred to before what refers, then what it made is removed, in
// the opposite order.
type undoing struct {
	*change
	undone Change
	d      digester
	// renames tells that the change took a profile away: the one that it made is that
	// one under a new name.
	renames bool
	// back and taken are the profiles that came back and went.
	back, taken []string
	// Whether changes stand, by sequence, and what is selected when all is put back.
	standing map[int64]bool
	selected *Selection
}

func (u *undoing) run(ctx context.Context) error {
	for _, what := range entities {
		for row, err := range u.rowsOf(ctx, u.undone.Sequence, what) {
			if err != nil {
				return err
			}
			if err := u.restore(ctx, row); err != nil {
				return err
			}
		}
	}
	for i := len(entities) - 1; i >= 0; i-- {
		for row, err := range u.rowsOf(ctx, u.undone.Sequence, entities[i]) {
			if err != nil {
				return err
			}
			if row.Before == "" {
				if err := u.remove(ctx, entities[i], row.ID); err != nil {
					return err
				}
			}
		}
	}
	if err := u.removeAppended(ctx); err != nil {
		return err
	}
	if u.renames && len(u.back) == 1 && len(u.taken) == 1 { // its files have their old place again
		u.due.renamed[u.taken[0]] = u.back[0]
	}
	return u.checkTwins(ctx)
}

// restore puts one thing back as it was before the change.
func (u *undoing) restore(ctx context.Context, row queries.Entry) error {
	if row.Revoked != "" {
		return &RevokedError{Undone: u.undone, Member: row.Revoked, Tenant: TenantID(row.ID)}
	}
	before, err := readImage(row.Before)
	if err != nil || before == nil {
		return err
	}
	t, err := u.look(ctx, Entity(row.Kind), row.ID)
	if err != nil {
		return err
	}
	after, now := t.after, t.now
	if (after.image == nil) != (now.image == nil) || after.position != now.position && now.image != nil {
		return u.laterOf(ctx, t, nil)
	}
	u.renames = u.renames || t.what == ProfileEntity && after.image == nil
	wanted, changed := before, []string(nil)
	if now.image != nil {
		if changed = before.differing(after.image); len(changed) == 0 {
			return nil // with no members, all that touched the thing since would stand in the way
		}
		if len(after.image.only(changed).lasting(t.what).differing(now.image.only(changed).lasting(t.what))) > 0 {
			return u.laterOf(ctx, t, changed)
		}
		wanted = now.image.with(changed, before)
	}
	if err := u.checkUntouched(ctx, t, changed); err != nil {
		return err
	}
	return u.put(ctx, row, wanted, now)
}

// remove takes one thing away that the change made.
func (u *undoing) remove(ctx context.Context, what Entity, id string) error {
	t, err := u.look(ctx, what, id)
	if err != nil {
		return err
	}
	after, now := t.after, t.now
	switch {
	case now.image == nil && !(u.renames && what == ProfileEntity && after.image != nil):
		return nil // a later change took it away
	case now.image == nil, len(after.image.lasting(what).differing(now.image.lasting(what))) > 0, after.position != now.position:
		return u.laterOf(ctx, t, nil)
	}
	if err := u.checkUntouched(ctx, t, nil); err != nil {
		return err
	}
	return u.takeAway(ctx, t)
}

// removeAppended takes away the tenants that the change appended.
func (u *undoing) removeAppended(ctx context.Context) error {
	if u.undone.firstAdded == 0 {
		return nil
	}
	for t, err := range u.tenantsFrom(ctx, u.undone.firstAdded) {
		if err != nil {
			return err
		}
		if t.position > u.undone.lastAdded {
			return nil
		}
		if err := u.remove(ctx, TenantEntity, string(t.ID)); err != nil {
			return err
		}
	}
	return nil
}
