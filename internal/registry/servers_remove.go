package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/secret"
)

// RemoveServer forgets a server that is no more, with the databases that were on it. The
// tenants whose URLs led there have none any more, and no undo brings those back; it returns
// these tenants.
func (r *Registry) RemoveServer(ctx context.Context, name string) (without []TenantID, err error) {
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
			led, err := c.loseDatabase(ctx, d, *s)
			if err != nil {
				return err
			}
			if led {
				without = append(without, d.Tenant)
			}
		}
		return c.q.DeleteServer(ctx, name)
	})
	return without, err
}

// loseDatabase forgets a database, and tells whether a tenant's URL led there.
func (c *change) loseDatabase(ctx context.Context, d Database, s Server) (bool, error) {
	if err := c.q.DeleteDatabase(ctx, string(d.Tenant)); err != nil {
		return false, err
	}
	before, err := c.placedTenant(ctx, d.Tenant)
	if errors.Is(err, ErrNotFound) || err == nil && before.DatabaseURL == nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	own, err := URLFor(s.Admin, d.Name, d.Name, secret.Secret{})
	if err != nil {
		return false, err
	}
	was, readable := DatabaseOf(*before.DatabaseURL)
	if gone, _ := DatabaseOf(own); !readable || was != gone {
		return false, nil
	}
	after := before.Tenant
	after.DatabaseURL = nil
	c.record.revoked = "database_url"
	return true, c.updateTenant(ctx, before, after)
}
