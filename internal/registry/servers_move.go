package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/internal/secret"
)

// MoveServer gives a server that sp runs another address, and the tenants whose databases
// are there the URLs that lead to it. It returns those tenants.
func (r *Registry) MoveServer(ctx context.Context, name string, admin secret.Secret) (moved []TenantID, err error) {
	err = r.write(ctx, func(c *change) (err error) {
		s, databases, err := c.serverWith(ctx, name)
		if err != nil {
			return err
		}
		for _, d := range databases {
			if moved, err = c.redirect(ctx, d, moved, func(url secret.Secret) (*secret.Secret, bool, error) {
				return movedURL(url, d, s.Admin, admin)
			}); err != nil {
				return err
			}
		}
		s.Admin = admin
		return c.putServer(ctx, s)
	})
	return moved, err
}

// movedURL tells whether a URL leads to a database at one address, and the one that leads
// there at another. One that can't be read somebody else gave it.
func movedURL(url secret.Secret, d Database, from, to secret.Secret) (*secret.Secret, bool, error) {
	role := roleOf(url)
	_, password, err := WithoutPassword(url)
	if err != nil {
		return nil, false, nil
	}
	known, err := URLFor(from, role, d.Name, password)
	if err != nil || !known.Equal(url) {
		return nil, false, err
	}
	moved, err := URLFor(to, role, d.Name, password)
	return &moved, true, err
}

// serverWith is a server that has to be known, with the databases on it.
func (c *change) serverWith(ctx context.Context, name string) (s Server, on []Database, err error) {
	known, err := c.Server(ctx, name)
	if err == nil && known == nil {
		err = fmt.Errorf("server %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return s, nil, err
	}
	all, err := c.Databases(ctx)
	elsewhere := func(d Database) bool { return d.Server != name }
	return *known, slices.DeleteFunc(all, elsewhere), err
}

// redirect gives the tenant of a database another URL, nil for none, if that which it has leads
// there, and puts it to those of which that was so.
func (c *change) redirect(ctx context.Context, d Database, led []TenantID, to func(url secret.Secret) (after *secret.Secret, leads bool, err error)) ([]TenantID, error) {
	before, err := c.placedTenant(ctx, d.Tenant)
	if errors.Is(err, ErrNotFound) || err == nil && before.DatabaseURL == nil {
		return led, nil
	}
	if err != nil {
		return led, err
	}
	url, leads, err := to(*before.DatabaseURL)
	if err != nil || !leads {
		return led, err
	}
	after := before.Tenant
	after.DatabaseURL = url
	return append(led, d.Tenant), c.updateTenant(ctx, before, after)
}
