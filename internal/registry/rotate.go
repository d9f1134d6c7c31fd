package registry

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/sp-registry/sp/internal/secret"
)

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
