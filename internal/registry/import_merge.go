package registry

import (
	"context"
	"errors"

	"github.com/sp-registry/sp/db/queries"
)

// mergeAll merges the tenants of the file, one by one.
func (c *change) mergeAll(ctx context.Context, i Import, plan *Plan) (document Document, err error) {
	err = c.prepared(func() error {
		document, err = i.Read(func(t Tenant) error { return c.importTenant(ctx, i, t, plan) })
		return err
	})
	return document, err
}

// importTenant merges one tenant of the file. A row whose seen is this change's
// revision was in the file before.
func (c *change) importTenant(ctx context.Context, i Import, t Tenant, plan *Plan) error {
	if err := checkWhole(t); err != nil {
		return err
	}
	row, err := c.q.Tenant(ctx, string(t.ID))
	if err = absent(err, "tenant", string(t.ID)); errors.Is(err, ErrNotFound) {
		plan.Added++
		plan.note(Step{Action: Add, ID: t.ID, Name: t.Name})
		return c.appendTenant(ctx, t)
	}
	if err != nil {
		return err
	}
	if row.Seen == c.revision {
		if !i.FirstDuplicate {
			return &DuplicateError{ID: t.ID}
		}
		plan.Skipped++
		plan.note(Step{Action: Skip, ID: t.ID, Name: t.Name})
		return nil
	}
	known, err := placedTenantOf(row)
	if err != nil {
		return err
	}
	return c.mergeTenant(ctx, i, known, t, plan)
}

func (c *change) mergeTenant(ctx context.Context, i Import, known placedTenant, file Tenant, plan *Plan) error {
	merged, step := merge(known.Tenant, file, i.Exact)
	if len(step.Changed) == 0 {
		plan.Unchanged++
		if step.Kept != nil || step.Masked != nil {
			step.Action = Keep
			plan.note(step)
		}
		return c.q.MarkTenantSeen(ctx, queries.MarkTenantSeenParams{ID: string(known.ID), Seen: c.revision})
	}
	plan.Updated++
	plan.note(step)
	return c.updateTenant(ctx, known, merged)
}
