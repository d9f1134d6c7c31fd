package registry

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
)

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

// RotateSyncToken gives a local tenant a new random sync token of 32 bytes, in
// unpadded base64url. The old one is revoked: it is not kept, and no undo brings it
// back. A cloud tenant's token is made by the control plane.
func (r *Registry) RotateSyncToken(ctx context.Context, id TenantID) (tenant Tenant, err error) {
	err = r.write(ctx, func(c *change) error {
		before, err := c.placedTenant(ctx, id)
		if err != nil {
			return err
		}
		if before.IsCloud() {
			return fmt.Errorf("tenant %s: the sync token of a cloud tenant is not made here: %w", id, ErrInvalid)
		}
		token := make([]byte, 32)
		if _, err := io.ReadFull(c.random, token); err != nil {
			return err
		}
		tenant = before.Tenant
		fresh := secret.New(base64.RawURLEncoding.EncodeToString(token))
		tenant.SyncToken = &fresh
		if before.SyncToken != nil {
			c.record.revoked = "sync_token"
		}
		return c.updateTenant(ctx, before, tenant)
	})
	return tenant, err
}
