package registry

import (
	"context"

	"github.com/sp-registry/sp/internal/secret"
)

// RemoveServer forgets a server that is no more, with the databases that were on it. The
// tenants whose URLs led there have none any more, and no undo brings those back; it returns
// these tenants.
func (r *Registry) RemoveServer(ctx context.Context, name string) (without []TenantID, err error) {
	err = r.write(ctx, func(c *change) error {
		s, databases, err := c.serverWith(ctx, name)
		if err != nil {
			return err
		}
		for _, d := range databases {
			own, err := URLFor(s.Admin, d.Name, d.Name, secret.Secret{})
			if err == nil {
				err = c.q.DeleteDatabase(ctx, string(d.Tenant))
			}
			if err != nil {
				return err
			}
			if without, err = c.redirect(ctx, d, without, func(url secret.Secret) (*secret.Secret, bool, error) {
				was, readable := DatabaseOf(url)
				gone, _ := DatabaseOf(own)
				if !readable || was != gone {
					return nil, false, nil
				}
				c.record.revoked = "database_url"
				return nil, true, nil
			}); err != nil {
				return err
			}
		}
		return c.q.DeleteServer(ctx, name)
	})
	return without, err
}
