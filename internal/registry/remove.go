package registry

import (
	"context"
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

// DeleteTenant deletes a tenant with its session and its profiles.
func (r *Registry) DeleteTenant(ctx context.Context, id TenantID) (removed Removed, err error) {
	err = r.write(ctx, func(c *change) error {
		tenant, err := c.Tenant(ctx, id)
		if err != nil {
			return err
		}
		removed, err = c.removeTenant(ctx, tenant)
		return err
	})
	return removed, err
}

func (c *change) removeTenant(ctx context.Context, t Tenant) (removed Removed, err error) {
	removed.Tenant = t
	for profile, err := range c.Profiles(ctx, &t.ID, Page{}) {
		if err != nil {
			return removed, err
		}
		removed.Profiles = append(removed.Profiles, profile.Name)
	}
	if removed.Session, err = c.Session(ctx, t.ID); err != nil {
		return removed, err
	}
	if err := c.q.DeleteSession(ctx, string(t.ID)); err != nil {
		return removed, err
	}
	if err := c.unselect(ctx, &removed); err != nil {
		return removed, err
	}
	for _, name := range removed.Profiles {
		if err := c.q.DeleteProfile(ctx, name); err != nil {
			return removed, err
		}
	}
	c.touched = true
	return removed, c.q.DeleteTenant(ctx, string(t.ID))
}

// unselect takes a tenant that goes, and its profiles, out of the selection, and
// leaves the mark where it was the selected one.
func (c *change) unselect(ctx context.Context, removed *Removed) error {
	s, err := c.Selection(ctx)
	if err != nil {
		return err
	}
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
	return c.setSelection(ctx, s)
}
