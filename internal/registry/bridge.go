package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/db/queries"
)

// Side is who is right about what both changed.
type Side string

// The sides of a bridge. Nobody settles nothing: then a conflict ends it.
const (
	Nobody Side = ""
	Theirs Side = "theirs" // the file's
	Ours   Side = "ours"   // the registry's
)

// Bridge asks for what another program did to a file of tenants to be taken over: it
// is merged, three ways, with what was done here since the file showed the registry.
// What it was then the history tells.
type Bridge struct {
	// Read gives each tenant of the file to take, and returns the rest of the file.
	Read func(take func(Tenant) error) (Document, error)
	// Since is the TenantsRevision that the file showed before.
	Since int64
	// Settle says who is right where both changed the same.
	Settle Side
	// DryRun changes nothing.
	DryRun bool
}

// Conflict is what both sides changed of one tenant: the members or, where one side
// has deleted it, which.
type Conflict struct {
	ID      TenantID
	Members []string
	Deleted Side
}

// String says it in names, never values.
func (c Conflict) String() string {
	switch c.Deleted {
	case Theirs:
		return fmt.Sprintf("tenant %s: the file has it no more, and it is in use or was changed here", c.ID)
	case Ours:
		return fmt.Sprintf("tenant %s: deleted here, and the file changed it", c.ID)
	}
	return fmt.Sprintf("tenant %s: both changed %s", c.ID, strings.Join(c.Members, ", "))
}

// maxConflicts bounds the conflicts that are listed.
const maxConflicts = 20

// ConflictsError is returned for a bridge that somebody has to settle.
type ConflictsError struct {
	Conflicts []Conflict // the first of them
	Omitted   int
}

func (e *ConflictsError) Error() string {
	return fmt.Sprintf("%d tenants were changed on both sides", len(e.Conflicts)+e.Omitted)
}

// Unwrap returns ErrConflict.
func (e *ConflictsError) Unwrap() error { return ErrConflict }

// TakeOver makes one change of a bridge.
func (r *Registry) TakeOver(ctx context.Context, b Bridge) (plan Plan, err error) {
	err = r.write(ctx, func(c *change) error {
		plan = Plan{Revision: c.revision - 1}
		if err := c.takeOver(ctx, b, &plan); err != nil {
			return err
		}
		if b.DryRun {
			return errDryRun
		}
		return nil
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return plan, err
}

func (c *change) takeOver(ctx context.Context, b Bridge, plan *Plan) error {
	t, err := c.bridging(ctx, b, plan)
	if err != nil {
		return err
	}
	document, err := b.Read(func(tenant Tenant) error { return t.take(ctx, tenant) })
	if err != nil {
		return err
	}
	if err := t.takeMissing(ctx); err != nil {
		return err
	}
	if len(t.conflicts.Conflicts) > 0 {
		return &t.conflicts
	}
	return c.importDocument(ctx, Import{}, document, plan)
}

// bridging is a bridge at work.
type bridging struct {
	*change
	Bridge
	plan      *Plan
	digester  digester
	blind     bool // nobody knows what was then
	conflicts ConflictsError
}

func (c *change) bridging(ctx context.Context, b Bridge, plan *Plan) (*bridging, error) {
	d, err := c.digests(ctx)
	if err != nil {
		return nil, err
	}
	over, err := c.q.RestoreOver(ctx, b.Since)
	return &bridging{change: c, Bridge: b, plan: plan, digester: d, blind: len(over) > 0}, err
}

// then returns a tenant as it was when the file showed it, nil where it was not there.
func (t *bridging) then(ctx context.Context, id TenantID) (image, error) {
	s, err := t.stateAt(ctx, TenantEntity, string(id), t.Since, t.digester)
	return s.image, err
}

func (t *bridging) conflict(c Conflict) {
	if len(t.conflicts.Conflicts) < maxConflicts {
		t.conflicts.Conflicts = append(t.conflicts.Conflicts, c)
	} else {
		t.conflicts.Omitted++
	}
}

// takeMissing removes the tenants that the other program removed. One that was changed
// here meanwhile, or that profiles or a session work with, somebody has to settle.
func (t *bridging) takeMissing(ctx context.Context) error {
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

func (t *bridging) takeRemoval(ctx context.Context, ours placedTenant) error {
	base, err := t.then(ctx, ours.ID)
	if err != nil || base == nil && !t.blind || t.Settle == Ours {
		return err // it was added since, or is to stay
	}
	if t.Settle != Theirs {
		changed := t.blind || len(base.differing(imageOfTenant(ours.Tenant, t.digester))) > 0
		used, err := t.ProfilesOf(ctx, &ours.ID, 1)
		if err != nil {
			return err
		}
		if changed || len(used) > 0 {
			t.conflict(Conflict{ID: ours.ID, Deleted: Theirs})
			return nil
		}
	}
	removed, err := t.removeTenant(ctx, ours)
	t.plan.Removed++
	t.plan.note(Step{Action: Remove, ID: ours.ID, Name: ours.Name, Removed: &removed})
	return err
}
