package registry

import (
	"context"
	"fmt"
)

// Removed is a tenant that was deleted and what went with it.
type Removed struct {
	Tenant   Tenant
	Profiles []string
	Session  *Session
	// Selected tells that it was the selected tenant: nothing is, until the next selection.
	Selected bool
	// Default tells that one of its profiles was the default; there is none now.
	Default bool
}

// Deletion asks for the end of a tenant.
type Deletion struct {
	ID TenantID
	// Purge forgets its secrets at once, and earlier ones of it.
	Purge bool
	// Dropped tells that the database that sp made for it is no more: its URL is worthless for
	// an undo. Left is one that stays where it is. Any other keeps its tenant from being deleted.
	Dropped, Left bool
}

// DeleteTenant deletes a tenant with its session and its profiles.
func (r *Registry) DeleteTenant(ctx context.Context, d Deletion) (removed Removed, err error) {
	err = r.write(ctx, func(c *change) error {
		c.record.purge = d.Purge
		tenant, err := c.placedTenant(ctx, d.ID)
		if err != nil {
			return err
		}
		if err := c.endDatabase(ctx, tenant, d); err != nil {
			return err
		}
		removed, err = c.removeTenant(ctx, tenant)
		return err
	})
	return removed, err
}

// endDatabase forgets the database that sp made for a tenant, unless it is still there to
// be dropped.
func (c *change) endDatabase(ctx context.Context, t placedTenant, deletion Deletion) error {
	d, err := c.Database(ctx, t.ID)
	if err != nil || d == nil {
		return err
	}
	if deletion.Dropped {
		c.record.revoked = "database_url"
	} else if !deletion.Left {
		return fmt.Errorf("tenant %s: database %s, which was made for it, is still there: %w", t, d.Name, ErrInUse)
	}
	return c.forgetDatabase(ctx, t.ID)
}

func (c *change) removeTenant(ctx context.Context, t placedTenant) (removed Removed, err error) {
	removed.Tenant = t.Tenant
	for profile, err := range c.Profiles(ctx, &t.ID, Page{}) {
		if err != nil {
			return removed, err
		}
		removed.Profiles = append(removed.Profiles, profile.Name)
	}
	if removed.Session, err = c.Session(ctx, t.ID); err != nil {
		return removed, err
	}
	if removed.Session != nil {
		if err := c.deleteSession(ctx, *removed.Session); err != nil {
			return removed, err
		}
	}
	if err := c.unselect(ctx, &removed); err != nil {
		return removed, err
	}
	for _, name := range removed.Profiles {
		if err := c.deleteProfile(ctx, Profile{Name: name, Tenant: t.ID}); err != nil {
			return removed, err
		}
	}
	return removed, c.deleteTenant(ctx, t)
}

// unselect takes a tenant that goes, and its profiles, out of the selection, and
// leaves the mark where it was the selected one.
func (c *change) unselect(ctx context.Context, removed *Removed) error {
	before, err := c.Selection(ctx)
	if err != nil {
		return err
	}
	s := before
	id := removed.Tenant.ID
	if s.Tenant != nil && *s.Tenant == id {
		s.Tenant, s.Deleted = nil, &id
		removed.Selected = true
	}
	if s.Previous != nil && *s.Previous == id {
		s.Previous = nil
	}
	for _, name := range removed.Profiles {
		if s.DefaultProfile != nil && *s.DefaultProfile == name {
			s.DefaultProfile = nil
			removed.Default = true
		}
	}
	return c.setSelection(ctx, before, s)
}
