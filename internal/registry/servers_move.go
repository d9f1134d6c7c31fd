package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/secret"
)

// MoveServer gives a server that sp runs another address, and the tenants whose databases
// are there the URLs that lead to it. It returns those tenants.
func (r *Registry) MoveServer(ctx context.Context, name string, admin secret.Secret) (moved []TenantID, err error) {
	err = r.write(ctx, func(c *change) error {
		s, err := c.Server(ctx, name)
		if err == nil && s == nil {
			err = fmt.Errorf("server %s: %w", name, ErrNotFound)
		}
		if err != nil {
			return err
		}
		databases, err := c.Databases(ctx)
		if err != nil {
			return err
		}
		for _, d := range databases {
			if d.Server != name {
				continue
			}
			was, err := c.moveDatabase(ctx, d, s.Admin, admin)
			if err != nil {
				return err
			}
			if was {
				moved = append(moved, d.Tenant)
			}
		}
		s.Admin = admin
		return c.putServer(ctx, *s)
	})
	return moved, err
}

// moveDatabase tells whether a tenant's URL led to its database, and leads there again.
func (c *change) moveDatabase(ctx context.Context, d Database, from, to secret.Secret) (bool, error) {
	before, err := c.placedTenant(ctx, d.Tenant)
	if errors.Is(err, ErrNotFound) || err == nil && before.DatabaseURL == nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	role := roleOf(*before.DatabaseURL)
	_, password, err := WithoutPassword(*before.DatabaseURL)
	if err != nil {
		return false, nil // somebody gave it one that can't be read
	}
	known, err := URLFor(from, role, d.Name, password)
	if err != nil || !known.Equal(*before.DatabaseURL) {
		return false, err
	}
	url, err := URLFor(to, role, d.Name, password)
	if err != nil {
		return false, err
	}
	after := before.Tenant
	after.DatabaseURL = &url
	return true, c.updateTenant(ctx, before, after)
}
