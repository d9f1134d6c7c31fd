package registry

import (
	"context"
	"errors"

	"github.com/sp-registry/sp/db/queries"
)

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
	if err = absent(err, "tenant", string(theirs.ID)); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if row.Seen == t.revision || t.gone[theirs.ID] {
		return &DuplicateError{ID: theirs.ID}
	}
	if err != nil {
		return t.takeFrom(ctx, placedTenant{}, nil, theirs)
	}
	ours, err := placedTenantOf(row)
	if err != nil {
		return err
	}
	if err := t.q.MarkTenantSeen(ctx, queries.MarkTenantSeenParams{ID: string(ours.ID), Seen: t.revision}); err != nil {
		return err
	}
	return t.takeFrom(ctx, ours, &ours.Tenant, theirs)
}

func (t *merging) takeFrom(ctx context.Context, placed placedTenant, ours *Tenant, theirs Tenant) error {
	if ours != nil && len(ours.Differing(theirs)) == 0 {
		t.plan.Unchanged++
		return nil
	}
	past, err := t.past(ctx, theirs.ID, &theirs, t.known)
	if err != nil {
		return err
	}
	return t.apply(ctx, placed, t.outcomeOf(past, ours, &theirs, t.Settle, t.digester))
}

// takeRemoval removes a tenant that the other program removed. One that was changed here
// meanwhile, or that profiles or a session work with, somebody has to settle.
func (t *merging) takeRemoval(ctx context.Context, ours placedTenant) error {
	past, err := t.past(ctx, ours.ID, nil, t.known)
	if err != nil {
		return err
	}
	o := t.outcomeOf(past, &ours.Tenant, nil, t.Settle, t.digester)
	if o.step.Action == Remove {
		used, err := t.ProfilesOf(ctx, &ours.ID, 1)
		if err != nil {
			return err
		}
		if len(used) > 0 {
			o = o.neededHere(t.Settle)
		}
	}
	if o.step.Action == "" && o.conflict == nil {
		return nil
	}
	return t.apply(ctx, ours, o)
}

// apply does what is to become of a tenant.
func (t *merging) apply(ctx context.Context, ours placedTenant, o outcome) error {
	if o.conflict != nil {
		t.conflict(*o.conflict)
	}
	var err error
	switch o.step.Action {
	case Add:
		t.plan.Added++
		err = t.appendTenant(ctx, o.tenant)
	case Update:
		t.plan.Updated++
		err = t.updateTenant(ctx, ours, o.tenant)
	case Remove:
		var removed Removed
		t.plan.Removed++
		removed, err = t.removeTenant(ctx, ours)
		o.step.Removed = &removed
	case Gone:
		t.gone[o.step.ID] = true
	default:
		t.plan.Unchanged++
	}
	if o.step.Action != "" && o.conflict == nil {
		t.plan.note(o.step)
	}
	return err
}
