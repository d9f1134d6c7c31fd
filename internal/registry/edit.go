package registry

import (
	"context"

	"github.com/sp-registry/sp/internal/secret"
)

// Optional says what becomes of an optional member: nothing (the zero value), a
// new value, or absent.
type Optional[T any] struct {
	Set   *T
	Clear bool
}

func (o Optional[T]) apply(to **T) {
	if o.Clear {
		*to = nil
	} else if o.Set != nil {
		*to = o.Set
	}
}

// TenantEdit asks for changes of a tenant; what is zero stays as it is.
type TenantEdit struct {
	ID                  TenantID
	Name                *string
	AppID               Optional[string]
	Hostname            Optional[string]
	Region              Optional[string]
	DatabaseURL         Optional[secret.Secret]
	InternalDatabaseURL Optional[secret.Secret]
	ExternalDBAccess    *bool
	SyncToken           Optional[secret.Secret]
	SharedContainerDB   Optional[string]
	AllowDuplicateName  bool
	// Purge forgets the secrets that it replaces, and earlier ones of the tenant, at once.
	Purge bool
}

// check looks at the new values only: what an import left stays editable.
func (e TenantEdit) check() error {
	t := Tenant{
		Name: "kept", AppID: e.AppID.Set, Hostname: e.Hostname.Set, Region: e.Region.Set, SyncToken: e.SyncToken.Set,
		DatabaseURL: e.DatabaseURL.Set, InternalDatabaseURL: e.InternalDatabaseURL.Set, SharedContainerDB: e.SharedContainerDB.Set,
	}
	if e.Name != nil {
		t.Name = *e.Name
	}
	return checkTenant(t)
}

func (e TenantEdit) apply(t *Tenant) {
	if e.Name != nil {
		t.Name = *e.Name
	}
	e.AppID.apply(&t.AppID)
	e.Hostname.apply(&t.Hostname)
	e.Region.apply(&t.Region)
	e.DatabaseURL.apply(&t.DatabaseURL)
	e.InternalDatabaseURL.apply(&t.InternalDatabaseURL)
	if e.ExternalDBAccess != nil {
		t.ExternalDBAccess = *e.ExternalDBAccess
	}
	e.SyncToken.apply(&t.SyncToken)
	e.SharedContainerDB.apply(&t.SharedContainerDB)
}

// UpdateTenant changes a tenant. It returns the tenant as it is then, and the
// names of the members that changed.
func (r *Registry) UpdateTenant(ctx context.Context, e TenantEdit) (tenant Tenant, changed []string, err error) {
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
		e.apply(&tenant)
		if tenant.Name != before.Name {
			if err := c.checkName(ctx, tenant, e.AllowDuplicateName); err != nil {
				return err
			}
		}
		if changed = before.Differing(tenant); len(changed) == 0 {
			if e.Purge { // of an edit before this one
				c.record.purged = true
				return c.endSecretsOf(ctx, e.ID)
			}
			return nil
		}
		return c.updateTenant(ctx, before, tenant)
	})
	return tenant, changed, err
}
