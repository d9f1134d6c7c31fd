package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/db/queries"
)

// Rotation returns the URL that a tenant is about to get, because the role of its
// database, which sp has not made, gets another password; nil if none is.
func (v *View) Rotation(ctx context.Context, tenant TenantID) (*Secret, error) {
	url, err := v.q.Rotation(ctx, string(tenant))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return secretOf(&url), nil
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
func (r *Registry) PlanRotation(ctx context.Context, urls map[TenantID]Secret) error {
	return r.write(ctx, func(c *change) error {
		for tenant, url := range urls {
			if err := CheckURL(url); err != nil {
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

// EndRotation gives tenants the URLs that were planned for them, or drops the plan where
// the password stayed as it was. The URLs that they had are revoked.
func (r *Registry) EndRotation(ctx context.Context, tenants []TenantID, changed bool) error {
	return r.write(ctx, func(c *change) error {
		for _, tenant := range tenants {
			url, err := c.Rotation(ctx, tenant)
			if err == nil && url == nil {
				err = fmt.Errorf("tenant %s: a rotation of its password: another command has ended it: %w", tenant, ErrConflict)
			}
			if err == nil {
				err = c.q.DeleteRotation(ctx, string(tenant))
			}
			if err == nil && changed {
				_, err = c.publishURL(ctx, tenant, *url, nil)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
