package registry

import (
	"context"
	"time"
)

func (c *change) putSession(ctx context.Context, s Session) error {
	s.ChosenAt = s.ChosenAt.Truncate(time.Microsecond) // as it is stored
	before, err := c.Session(ctx, s.Tenant)
	var d digester // its key does not matter to a comparison
	if err != nil || len(imageOfSession(before, d).differing(imageOfSession(&s, d))) == 0 {
		return err
	}
	if err := c.sessionEntry(ctx, s.Tenant, before); err != nil {
		return err
	}
	return c.q.PutSession(ctx, putSessionOf(s))
}

func (c *change) deleteSession(ctx context.Context, s Session) error {
	if err := c.sessionEntry(ctx, s.Tenant, &s); err != nil {
		return err
	}
	return c.q.DeleteSession(ctx, string(s.Tenant))
}

// sessionEntry records a session as it was, nil if there was none. Its token is not
// kept: it has a short life, and who ends a session wants it to be gone.
func (c *change) sessionEntry(ctx context.Context, tenant TenantID, before *Session) error {
	var d digester
	if before != nil && before.Authentication != nil {
		var err error
		if d, err = c.digests(ctx); err != nil {
			return err
		}
	}
	c.due.sessions = true
	return c.entry(ctx, SessionEntity, string(tenant), tenant, nil, imageOfSession(before, d))
}
