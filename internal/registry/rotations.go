package registry

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// Rotation returns the URL that a tenant is about to get, because the role of its
// database, which sp has not made, gets another password; nil if none is.
func (v *View) Rotation(ctx context.Context, tenant TenantID) (*secret.Secret, error) {
	url, err := v.q.Rotation(ctx, string(tenant))
	if there, err := isThere(err); !there {
		return nil, err
	}
	return secret.Optional(&url), nil
}

// Rotations returns the tenants of which a rotation has been begun and not ended, in order
// of their ids.
func (v *View) Rotations(ctx context.Context) (tenants []TenantID, err error) {
	ids, err := v.q.Rotations(ctx)
	for _, id := range ids {
		tenants = append(tenants, TenantID(id))
	}
	return tenants, err
}

// PlanRotation remembers, before a password is changed, the URLs that tenants will have
// then. It is refused where that has been begun and not ended.
func (r *Registry) PlanRotation(ctx context.Context, urls map[TenantID]secret.Secret) error {
	return r.write(ctx, func(c *change) error {
		for tenant, url := range urls {
			if err := pgurl.Check(url); err != nil {
				return err
			}
			begun, err := c.Rotation(ctx, tenant)
			if err == nil && begun != nil {
				err = fmt.Errorf("tenant %s: a rotation of its password: %w", tenant, ErrExists)
			}
			if err != nil {
				return err
			}
			if err := c.q.PutRotation(ctx, queries.PutRotationParams{TenantID: string(tenant), DatabaseURL: url.Reveal()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// EndRotation gives tenants the URLs that were planned for them if the server took the
// password, and else drops the plan. The URLs that they had are revoked.
func (r *Registry) EndRotation(ctx context.Context, tenants []TenantID, took bool) error {
	return r.write(ctx, func(c *change) error {
		for _, tenant := range tenants {
			url, err := c.Rotation(ctx, tenant)
			if err == nil && url == nil {
				err = fmt.Errorf("tenant %s: a rotation of its password: another command has ended it: %w", tenant, ErrConflict)
			}
			if err == nil {
				err = c.q.DeleteRotation(ctx, string(tenant))
			}
			if err == nil && took {
				_, err = c.publishURL(ctx, tenant, *url, nil)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// movePlan keeps the password that was planned for the role of a tenant which gets another
// URL: the server may have it already, and then nobody else knows it. It goes where another
// role logs in, or the URL has it.
func (c *change) movePlan(ctx context.Context, t Tenant) error {
	next, err := c.Rotation(ctx, t.ID)
	if err != nil || next == nil {
		return err
	}
	planned, _ := pgurl.Parse(*next) // nobody logs in with what can't be read
	var own pgurl.URL
	if t.DatabaseURL != nil {
		own, _ = pgurl.Parse(*t.DatabaseURL)
	}
	if own.User() == "" || own.User() != planned.User() {
		return c.q.DeleteRotation(ctx, string(t.ID))
	}
	moved, err := pgurl.WithPassword(*t.DatabaseURL, planned.Secrets()["password"])
	if err != nil {
		return err
	}
	if moved.Equal(*t.DatabaseURL) {
		return c.q.DeleteRotation(ctx, string(t.ID))
	}
	return c.q.PutRotation(ctx, queries.PutRotationParams{TenantID: string(t.ID), DatabaseURL: moved.Reveal()})
}
