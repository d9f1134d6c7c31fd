package registry

import (
	"context"
	"fmt"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// Credentials are those that a database has, to be published.
type Credentials struct {
	Tenant TenantID
	URL    secret.Secret
	// Was is the login that another command may not have changed meanwhile; "" does not ask.
	Was   DatabaseLogin
	Login DatabaseLogin
	// RetireAt is when the other login ends; nil where it has ended.
	RetireAt *time.Time
	// Container is the member shared_container_db that the tenant is to have; nil leaves it.
	Container *string
}

// PublishCredentials gives a tenant the URL of the database that sp made for it, which is
// ready then. The URL that it had, if any, is revoked: it is kept nowhere, and no undo
// brings it back.
func (r *Registry) PublishCredentials(ctx context.Context, p Credentials) (tenant Tenant, err error) {
	err = r.write(ctx, func(c *change) error {
		d, err := c.Database(ctx, p.Tenant)
		if err == nil && (d == nil || d.State == Dropping) {
			err = fmt.Errorf("tenant %s: its database was dropped meanwhile: %w", p.Tenant, ErrConflict)
		}
		if err == nil && p.Was != "" && p.Was != d.Login {
			err = fmt.Errorf("tenant %s: its credentials were rotated meanwhile: %w", p.Tenant, ErrConflict)
		}
		if err != nil {
			return err
		}
		d.State, d.Login, d.RetireAt = Ready, p.Login, p.RetireAt
		if err := c.putDatabase(ctx, *d); err != nil {
			return err
		}
		tenant, err = c.publishURL(ctx, p.Tenant, p.URL, p.Container)
		return err
	})
	return tenant, err
}

// publishURL gives a tenant another URL and revokes the one that it had.
func (c *change) publishURL(ctx context.Context, id TenantID, url secret.Secret, container *string) (Tenant, error) {
	before, err := c.placedTenant(ctx, id)
	if err != nil {
		return Tenant{}, err
	}
	after := before.Tenant
	after.DatabaseURL = &url
	if container != nil {
		after.SharedContainerDB = container
	}
	if err := pgurl.Check(url); err != nil || before.Equal(after) {
		return after, err
	}
	if before.DatabaseURL != nil {
		c.record.revoked = "database_url"
	}
	return after, c.updateTenant(ctx, before, after)
}
