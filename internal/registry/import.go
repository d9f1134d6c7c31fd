package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
)

// Import asks for the tenants of a file to be merged into the registry, by id:
// known ones are updated in their place, new ones come last.
type Import struct {
	// Read gives each tenant of the file to take, and returns the rest of the file.
	// An error of take it returns as it is.
	// It is nil where there is no file of tenants.
	Read func(take func(Tenant) error) (Document, error)
	// Profiles and Sessions, which may be nil, come after the tenants.
	Profiles []ImportedProfile
	Sessions *SessionsEdit
	// Prune removes the tenants that the file lacks.
	Prune bool
	// Exact clears the optional members that the file lacks.
	Exact bool
	// FirstDuplicate takes the first of two tenants with one id instead of refusing
	// the file.
	FirstDuplicate bool
	// Purge forgets the secrets that it replaces or removes at once.
	Purge bool
	// Hash, unless nil, returns the SHA-256, in hexadecimal, of what Read has read or,
	// before that, will read.
	Hash func() (string, error)
	// IfRevision, unless nil, is the revision that the registry must have.
	IfRevision *int64
}

// DuplicateError is returned for a file in which two tenants have one id.
type DuplicateError struct{ ID TenantID }

func (e *DuplicateError) Error() string { return fmt.Sprintf("tenant id %s stands twice", e.ID) }

// Unwrap returns ErrInvalid.
func (e *DuplicateError) Unwrap() error { return ErrInvalid }

// ImportTenants merges a file into the registry, whole or not at all. What can't be put
// into an empty one at once is refused for what stands first in the file.
func (r *Registry) ImportTenants(ctx context.Context, i Import) (plan Plan, err error) {
	err = r.write(ctx, func(c *change) error {
		plan = Plan{Revision: c.revision - 1}
		if i.IfRevision != nil && *i.IfRevision != plan.Revision {
			return fmt.Errorf("the registry changed since it was looked at: %w", ErrConflict)
		}
		c.record.purge = i.Purge
		return c.importWith(ctx, i, &plan)
	})
	var refused refusedError
	if errors.As(err, &refused) || errors.Is(err, db.ErrNotUnique) {
		if _, first := PlanNew(i); first != nil {
			err = first
		}
	}
	if errors.As(err, &refused) {
		err = refused.error
	}
	return plan, err
}

func (c *change) importWith(ctx context.Context, i Import, plan *Plan) error {
	if i.Read != nil {
		if err := c.importTenants(ctx, i, plan); err != nil {
			return err
		}
	}
	return c.importProfiles(ctx, i, plan)
}

func (c *change) importTenants(ctx context.Context, i Import, plan *Plan) error {
	known, err := c.isImported(ctx, i, plan)
	if err != nil || known {
		return err
	}
	document, err := c.importAll(ctx, i, plan)
	if err != nil {
		return err
	}
	if i.Prune {
		if err := c.prune(ctx, plan); err != nil {
			return err
		}
	}
	if err := c.importDocument(ctx, i, document, plan); err != nil {
		return err
	}
	if err := c.noteAmbiguous(ctx, plan); err != nil {
		return err
	}
	return c.noteImport(ctx, i, *plan)
}

// importAll puts the tenants of the file into an empty registry, or merges them.
func (c *change) importAll(ctx context.Context, i Import, plan *Plan) (Document, error) {
	empty, err := c.isEmpty(ctx)
	if err != nil {
		return Document{}, err
	}
	if empty && c.write != nil && !i.FirstDuplicate {
		return c.addAll(ctx, i, plan)
	}
	return c.importEach(ctx, i, plan)
}

// noteAmbiguous looks for words that the tenants of a file made ambiguous.
func (c *change) noteAmbiguous(ctx context.Context, plan *Plan) (err error) {
	if plan.Added+plan.Updated > 0 {
		plan.Ambiguous, err = c.AmbiguousIDs(ctx)
	}
	return err
}

// prune removes the tenants that the file did not have.
func (c *change) prune(ctx context.Context, plan *Plan) error {
	return c.eachUnseen(ctx, func(tenant placedTenant) error {
		removed, err := c.removeTenant(ctx, tenant)
		if err != nil {
			return err
		}
		plan.Removed++
		plan.note(Step{Action: Remove, ID: tenant.ID, Name: tenant.Name, Kind: tenant.Kind, Removed: &removed})
		return nil
	})
}

// eachUnseen calls fn for the tenants that the file did not have; it may remove them.
func (c *change) eachUnseen(ctx context.Context, fn func(placedTenant) error) error {
	after := int64(0)
	for {
		rows, err := c.q.UnseenTenantsAfter(ctx, queries.UnseenTenantsAfterParams{
			Position: after, Revision: c.revision, Size: batch,
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
			if err := fn(tenant); err != nil {
				return err
			}
		}
	}
}

// importDocument takes over what stands beside the tenants. synced_at never goes
// back, but in a new registry, whose own is only the time of its making.
func (c *change) importDocument(ctx context.Context, i Import, file Document, plan *Plan) error {
	state, err := c.State(ctx)
	if err != nil {
		return err
	}
	before := state.Document
	plan.Document = before
	if isNew := state.TenantsRevision == 0; isNew || file.SyncedAt.After(before.SyncedAt) {
		plan.Document.SyncedAt = file.SyncedAt
	}
	if plan.Document.Unknown = before.Unknown.with(file.Unknown); i.Exact {
		plan.Document.Unknown = file.Unknown
	}
	if plan.Document.SyncedAt.Equal(before.SyncedAt) && len(plan.Document.Unknown.differing(before.Unknown)) == 0 {
		return nil
	}
	plan.DocumentChanged = true
	return c.setDocument(ctx, before, plan.Document)
}

// isImported tells whether the registry is as an import of this very file left it. Then
// the file need not be read: nothing of it would change anything.
func (c *change) isImported(ctx context.Context, i Import, plan *Plan) (bool, error) {
	if i.Hash == nil || i.Prune || i.Exact || i.Purge {
		return false, nil
	}
	last, err := c.q.Imported(ctx)
	if err != nil || last.Imported == "" {
		return false, vanished(err)
	}
	state, err := c.State(ctx)
	if err != nil || state.TenantsRevision != last.ImportedRevision {
		return false, err
	}
	hash, err := i.Hash()
	if err != nil || hash != last.Imported {
		return false, err
	}
	plan.Unchanged, plan.Document = int(last.ImportedTenants), state.Document
	return true, nil
}

// noteImport remembers the file, if to import it once more would change nothing and
// there is nothing to tell of it.
func (c *change) noteImport(ctx context.Context, i Import, plan Plan) error {
	if i.Hash == nil {
		return nil
	}
	state, err := c.State(ctx)
	if err != nil {
		return err
	}
	at := state.TenantsRevision
	if c.touched {
		at = c.revision
	}
	if c.read, err = i.Hash(); err != nil {
		return err
	}
	hash := ""
	if plan.Skipped == 0 && !plan.keeps {
		hash = c.read
	}
	return c.q.SetImported(ctx, queries.SetImportedParams{
		Imported: hash, ImportedRevision: at, ImportedTenants: int64(plan.Added + plan.Updated + plan.Unchanged),
	})
}

// importEach imports the tenants of the file, one by one.
func (c *change) importEach(ctx context.Context, i Import, plan *Plan) (document Document, err error) {
	err = c.prepared(func() error {
		document, err = i.Read(func(t Tenant) error { return c.importTenant(ctx, i, t, plan) })
		return err
	})
	return document, err
}

// importTenant imports one tenant of the file. A row whose seen is this change's
// revision was in the file before.
func (c *change) importTenant(ctx context.Context, i Import, t Tenant, plan *Plan) error {
	if err := checkWhole(t); err != nil {
		return err
	}
	row, err := c.q.Tenant(ctx, string(t.ID))
	if err = absent(err, "tenant", string(t.ID)); errors.Is(err, ErrNotFound) {
		plan.Added++
		plan.note(Step{Action: Add, ID: t.ID, Name: t.Name, Kind: t.Kind})
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
		plan.note(Step{Action: Skip, ID: t.ID, Name: t.Name, Kind: t.Kind})
		return nil
	}
	known, err := placedTenantOf(row)
	if err != nil {
		return err
	}
	return c.importKnown(ctx, i, known, t, plan)
}

func (c *change) importKnown(ctx context.Context, i Import, known placedTenant, file Tenant, plan *Plan) error {
	merged, step := updated(known.Tenant, file, i.Exact)
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

// updated returns what becomes of a known tenant when a file says file of it: the
// file's values, but for a mask, which never replaces a real value, and for the
// optional members that the file lacks, which stay unless exact.
func updated(known, file Tenant, exact bool) (Tenant, Step) {
	merged, step := file, Step{Action: Update, ID: known.ID, Name: file.Name, Kind: file.Kind}
	for _, m := range Members {
		if m.isSame(&known, &file) {
			continue
		}
		switch {
		case m.masks(&known, &file):
			step.Masked = append(step.Masked, m.Name)
			m.take(&merged, &known)
		case !m.has(&file) && !exact:
			step.Kept = append(step.Kept, m.Name)
			m.take(&merged, &known)
		default:
			step.Changed = append(step.Changed, m.Name)
		}
	}
	if !exact {
		for name := range known.Unknown.all {
			if _, ok := file.Unknown.value(name); !ok {
				step.Kept = append(step.Kept, name)
			}
		}
		merged.Unknown = known.Unknown.with(file.Unknown)
	}
	step.Changed = append(step.Changed, known.Unknown.differing(merged.Unknown)...)
	return merged, step
}
