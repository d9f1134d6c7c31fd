package registry

import (
	"context"
	"errors"
	"slices"

	"github.com/sp-registry/sp/db/queries"
)

// merging is a merge at work.
type merging struct {
	*change
	Merge
	plan      *Plan
	digester  digester
	blind     bool // nobody knows what was then
	from      int64
	byMerge   map[int64]bool    // which changes were merges, as far as it was asked
	gone      map[TenantID]bool // tenants of the file that are not here and will not be
	conflicts ConflictsError
}

func (c *change) merging(ctx context.Context, b Merge, plan *Plan) (*merging, error) {
	d, err := c.digests(ctx)
	if err != nil {
		return nil, err
	}
	over, err := c.q.RestoreOver(ctx, queries.RestoreOverParams{Known: b.Since, Shown: b.Since})
	if err != nil {
		return nil, err
	}
	t := &merging{
		change: c, Merge: b, plan: plan, digester: d, blind: len(over) > 0,
		byMerge: map[int64]bool{}, gone: map[TenantID]bool{},
	}
	t.from, err = t.outdatedFrom(ctx)
	return t, err
}

// then returns a tenant as it was when the file showed it, nil where it was not there.
func (t *merging) then(ctx context.Context, id TenantID) (image, error) {
	s, err := t.stateAt(ctx, TenantEntity, string(id), t.Since, t.digester)
	return s.image, err
}

func (t *merging) conflict(c Conflict) {
	if len(t.conflicts.Conflicts) < maxConflicts {
		t.conflicts.Conflicts = append(t.conflicts.Conflicts, c)
	} else {
		t.conflicts.Omitted++
	}
}

// take merges one tenant of the file.
func (t *merging) take(ctx context.Context, theirs Tenant) error {
	if err := checkWhole(theirs); err != nil {
		return err
	}
	row, err := t.q.Tenant(ctx, string(theirs.ID))
	if err = absent(err, "tenant", string(theirs.ID)); errors.Is(err, ErrNotFound) {
		return t.takeUnknown(ctx, theirs)
	}
	if err != nil {
		return err
	}
	if row.Seen == t.revision {
		return &DuplicateError{ID: theirs.ID}
	}
	ours, err := placedTenantOf(row)
	if err != nil {
		return err
	}
	return t.takeKnown(ctx, ours, theirs)
}

func (t *merging) takeKnown(ctx context.Context, ours placedTenant, theirs Tenant) error {
	m := threeWay{step: Step{Action: Update, ID: ours.ID}}
	if len(ours.Differing(theirs)) > 0 {
		base, err := t.then(ctx, ours.ID)
		if err != nil {
			return err
		}
		past, err := t.past(ctx, ours.ID)
		if err != nil {
			return err
		}
		m = t.mergeThree(base, past, ours.Tenant, theirs)
	}
	if len(m.conflicts) > 0 {
		t.conflict(Conflict{ID: ours.ID, Members: m.conflicts})
	}
	if len(m.step.Changed) == 0 {
		t.plan.Unchanged++
		if m.step.tells() {
			m.step.Action = Keep
			t.plan.note(m.step)
		}
		return t.q.MarkTenantSeen(ctx, queries.MarkTenantSeenParams{ID: string(ours.ID), Seen: t.revision})
	}
	t.plan.Updated++
	t.plan.note(m.step)
	return t.updateTenant(ctx, ours, m.merged)
}

// takeUnknown takes a tenant that is not here: the other program added it or, where it
// was deleted here since the file was read, did or did not change it.
func (t *merging) takeUnknown(ctx context.Context, theirs Tenant) error {
	if t.gone[theirs.ID] {
		return &DuplicateError{ID: theirs.ID}
	}
	base, err := t.then(ctx, theirs.ID)
	if err != nil {
		return err
	}
	past, err := t.past(ctx, theirs.ID)
	if err != nil {
		return err
	}
	deleted := base != nil || past.deleted != 0
	if !deleted || t.blind || t.Settle == Theirs && t.changedBy(base, past, theirs) {
		t.plan.Added++
		t.plan.note(Step{Action: Add, ID: theirs.ID, Name: theirs.Name})
		return t.appendTenant(ctx, theirs)
	}
	t.gone[theirs.ID] = true
	if t.Settle == Nobody && t.changedBy(base, past, theirs) {
		t.conflict(Conflict{ID: theirs.ID, Deleted: Ours})
		return nil
	}
	t.plan.note(Step{Action: Gone, ID: theirs.ID, Name: theirs.Name})
	return nil
}

// changedBy tells whether the file says something else of a tenant than it said then or,
// being out of date, could say: a mask says nothing, nor does a member's absence that
// some programs don't know.
func (t *merging) changedBy(base image, past past, theirs Tenant) bool {
	now := imageOfTenant(theirs, t.digester)
	if base == nil {
		base = past.images[len(past.images)-1] // what was deleted
	}
	return slices.ContainsFunc(base.differing(now), func(name string) bool {
		_, there := now[name]
		return (there || !forgettable[name]) && !t.isMask(name, theirs) && !past.had(name, now)
	})
}

func (t *merging) isMask(name string, theirs Tenant) bool {
	s, ok := theirs.secrets()[name]
	return ok && name != unknownMembers && IsMasked(s)
}
