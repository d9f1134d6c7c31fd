package registry

import (
	"context"

	"github.com/sp-registry/sp/db/queries"
)

// takeMissing removes the tenants that the other program removed. One that was changed
// here meanwhile, or that profiles or a session work with, somebody has to settle.
func (t *merging) takeMissing(ctx context.Context) error {
	after := int64(0)
	for {
		rows, err := t.q.UnseenTenantsAfter(ctx, queries.UnseenTenantsAfterParams{
			Position: after, Revision: t.revision, Size: batch,
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			after = row.Position
			tenant, err := placedTenantOf(row)
			if err != nil {
				return err
			}
			if err := t.takeRemoval(ctx, tenant); err != nil {
				return err
			}
		}
	}
}

func (t *merging) takeRemoval(ctx context.Context, ours placedTenant) error {
	base, err := t.then(ctx, ours.ID)
	if err != nil || base == nil && !t.blind {
		return err // it was added since
	}
	past, err := t.past(ctx, ours.ID)
	if err != nil {
		return err
	}
	if past.added != 0 {
		t.plan.Unchanged++
		t.plan.note(Step{Action: Stay, ID: ours.ID, Name: ours.Name})
		return nil
	}
	needed, err := t.isNeeded(ctx, ours, base)
	if err != nil || needed && t.Settle == Ours {
		return err
	}
	if needed && t.Settle == Nobody {
		t.conflict(Conflict{ID: ours.ID, Deleted: Theirs})
		return nil
	}
	removed, err := t.removeTenant(ctx, ours)
	t.plan.Removed++
	t.plan.note(Step{Action: Remove, ID: ours.ID, Name: ours.Name, Removed: &removed})
	return err
}

// isNeeded tells whether a tenant was changed here since, or profiles work with it.
func (t *merging) isNeeded(ctx context.Context, ours placedTenant, base image) (bool, error) {
	if t.blind || len(base.differing(imageOfTenant(ours.Tenant, t.digester))) > 0 {
		return true, nil
	}
	used, err := t.ProfilesOf(ctx, &ours.ID, 1)
	return len(used) > 0, err
}
