package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// NewTenant asks for a tenant; without an id it gets one of its own.
type NewTenant struct {
	Tenant             Tenant
	AllowDuplicateName bool
	// Select makes it the selected tenant; SelectFirst does where none is selected, and none was
	// deleted while it was.
	Select, SelectFirst bool
	// Database, if not nil, is where its database is to be made; it has no URL then.
	Database *PlannedDatabase
}

// Check tells whether the request can be granted, as far as it shows by itself.
func (n NewTenant) Check() error {
	if n.Tenant.ID != "" {
		if err := checkID(n.Tenant.ID); err != nil {
			return err
		}
	}
	if !n.Tenant.IsLocal() && !n.Tenant.IsCloud() {
		return fmt.Errorf("tenant type: neither local nor cloud: %w", ErrInvalid)
	}
	return checkTenant(n.Tenant)
}

// checkTenant holds the rules for a tenant that sp creates or changes.
func checkTenant(t Tenant) error {
	if err := checkLabel("tenant name", t.Name); err != nil {
		return err
	}
	for _, m := range Members {
		text, there := m.Reveal(&t)
		var err error
		switch {
		case !m.Optional || !there:
		case m.URL:
			err = pgurl.Check(secret.New(text))
		case text == "":
		case m.Secret:
			err = checkText(m.Title, text)
		default:
			err = checkLabel(m.Title, text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// CreateTenant puts a tenant behind the others and returns it.
func (r *Registry) CreateTenant(ctx context.Context, n NewTenant) (Tenant, error) {
	if err := n.Check(); err != nil {
		return Tenant{}, err
	}
	tenant := n.Tenant
	err := r.write(ctx, func(c *change) error {
		if err := c.checkName(ctx, tenant, n.AllowDuplicateName); err != nil {
			return err
		}
		if tenant.ID == "" {
			id, err := c.freeLocalID(ctx)
			if err != nil {
				return err
			}
			tenant.ID = id
		} else if err := c.checkFree(ctx, tenant.ID); err != nil {
			return err
		}
		if n.Database != nil {
			if err := c.planDatabase(ctx, tenant, *n.Database); err != nil {
				return err
			}
		}
		if err := c.appendTenant(ctx, tenant); err != nil {
			return err
		}
		return c.selectNew(ctx, n, tenant.ID)
	})
	return tenant, err
}

// selectNew selects a new tenant, if that was asked for.
func (c *change) selectNew(ctx context.Context, n NewTenant, id TenantID) error {
	s, err := c.Selection(ctx)
	if err == nil && (n.Select || n.SelectFirst && s.Tenant == nil && s.Deleted == nil) {
		err = c.selectTenant(ctx, id)
	}
	return err
}

func (c *change) hasTenant(ctx context.Context, id TenantID) (bool, error) {
	_, err := c.Tenant(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// checkFree refuses an id that a tenant has, also as its name: the word would be ambiguous.
func (c *change) checkFree(ctx context.Context, id TenantID) error {
	taken, err := c.hasTenant(ctx, id)
	if err == nil && taken {
		return fmt.Errorf("tenant %s: %w", id, ErrExists)
	}
	named, problem := c.TenantsNamed(ctx, string(id), 1)
	if err = errors.Join(err, problem); err == nil && len(named) > 0 {
		return fmt.Errorf("tenant id %s %w: it is the name of tenant %s", id, ErrExists, named[0])
	}
	return err
}

// checkName refuses a name that is another tenant's id, for the word would be ambiguous,
// and one that another tenant has.
func (c *change) checkName(ctx context.Context, t Tenant, allowDuplicate bool) error {
	if id := TenantID(t.Name); id != t.ID {
		if taken, err := c.hasTenant(ctx, id); err != nil || taken {
			return errors.Join(err, fmt.Errorf("tenant name %q %w: it is the id of another tenant", t.Name, ErrExists))
		}
	}
	if allowDuplicate {
		return nil
	}
	others, err := c.TenantsNamed(ctx, t.Name, 2)
	for _, other := range others {
		if other != t.ID {
			return &namesakeError{t.Name, other}
		}
	}
	return err
}

// freeLocalID returns `local_` and the lower-case hex of the change's
// milliseconds, as the original makes its ids, one step on while taken.
func (c *change) freeLocalID(ctx context.Context) (TenantID, error) {
	for at := c.now; ; at = at.Add(time.Millisecond) {
		id := TenantID("local_" + strconv.FormatInt(at.UnixMilli(), 16))
		if err := c.checkFree(ctx, id); !errors.Is(err, ErrExists) {
			return id, err
		}
	}
}

// TenantEdit asks for other values of a tenant's members.
type TenantEdit struct {
	ID TenantID
	// Set has new values of members, by name. One that is nil takes the member away.
	Set                map[string]*secret.Secret
	AllowDuplicateName bool
	// Purge forgets the secrets that it replaces, and earlier ones of the tenant, at once.
	Purge bool
}

// check looks at the new values only: what an import left stays editable.
func (e TenantEdit) check() error {
	t := Tenant{Name: "kept"}
	if err := e.apply(&t); err != nil {
		return err
	}
	return checkTenant(t)
}

func (e TenantEdit) apply(t *Tenant) error {
	left := maps.Clone(e.Set)
	for _, m := range Members {
		value, given := left[m.Name]
		if !given || m.Fixed {
			continue
		}
		delete(left, m.Name)
		if value == nil {
			m.take(t, &Tenant{})
		} else if err := m.Set(t, value.Reveal()); err != nil {
			return fmt.Errorf("%s: %w: %w", m.Title, err, ErrInvalid)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("%s: not a member that can be edited: %w", strings.Join(slices.Sorted(maps.Keys(left)), ", "), ErrInvalid)
	}
	return nil
}

// UpdateTenant edits a tenant. It returns the tenant as it is then, and the
// names of the members that have another value.
func (r *Registry) UpdateTenant(ctx context.Context, e TenantEdit) (tenant Tenant, edited []string, err error) {
	if err := e.check(); err != nil {
		return Tenant{}, nil, err
	}
	err = r.write(ctx, func(c *change) error {
		c.record.purge = e.Purge
		before, err := c.placedTenant(ctx, e.ID)
		if err != nil {
			return err
		}
		tenant = before.Tenant
		if err := e.apply(&tenant); err != nil {
			return err
		}
		if tenant.Name != before.Name {
			if err := c.checkName(ctx, tenant, e.AllowDuplicateName); err != nil {
				return err
			}
		}
		if edited = before.Differing(tenant); len(edited) == 0 {
			if e.Purge { // of an edit before this one
				c.record.purged = true
				return c.endSecretsOf(ctx, e.ID)
			}
			return nil
		}
		return c.updateTenant(ctx, before, tenant)
	})
	return tenant, edited, err
}

// RotateSyncToken gives a local tenant a new sync token. The old one is revoked: it is not
// kept, and no undo brings it back. A cloud tenant's token is made by the control plane.
func (r *Registry) RotateSyncToken(ctx context.Context, id TenantID) (tenant Tenant, err error) {
	err = r.write(ctx, func(c *change) error {
		before, err := c.placedTenant(ctx, id)
		if err != nil {
			return err
		}
		if before.IsCloud() {
			return fmt.Errorf("tenant %s: the sync token of a cloud tenant is not made here: %w", id, ErrInvalid)
		}
		token, err := secret.NewToken(secret.SyncToken, c.random)
		if err != nil {
			return err
		}
		tenant = before.Tenant
		tenant.SyncToken = &token
		if before.SyncToken != nil {
			c.record.revoked = []string{"sync_token"}
		}
		return c.updateTenant(ctx, before, tenant)
	})
	return tenant, err
}

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
	// Dropped tells that the database that sp or a control plane made for it is no more: its URL is
	// worthless for an undo, and so is the sync token of a cloud tenant. Left is one that stays where it is. Any other keeps its tenant from being deleted.
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
	if t.IsCloud() && deletion.Dropped {
		c.record.revoked = []string{"database_url", "internal_database_url", "sync_token"}
	}
	d, err := c.Database(ctx, t.ID)
	if err != nil || d == nil {
		return err
	}
	if deletion.Dropped {
		c.record.revoked = []string{"database_url"}
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
