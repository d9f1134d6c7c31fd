package registry

import (
	"context"
	"errors"
)

// dropNowhere takes out of a selection what leads nowhere, as only another hand can
// have left it; otherwise no selection could be written any more. A selected tenant
// that is not there counts as deleted, so that no other one slips into its place.
func (c *change) dropNowhere(ctx context.Context, s *Selection) error {
	for _, id := range []**TenantID{&s.Tenant, &s.Previous} {
		if *id == nil {
			continue
		}
		_, err := c.Tenant(ctx, **id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err != nil && id == &s.Tenant {
			s.Deleted = s.Tenant
		}
		if err != nil {
			*id = nil
		}
	}
	if s.DefaultProfile == nil {
		return nil
	}
	_, err := c.Profile(ctx, *s.DefaultProfile)
	if errors.Is(err, ErrNotFound) {
		s.DefaultProfile, err = nil, nil
	}
	return err
}
