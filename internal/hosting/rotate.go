package hosting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Rotated is a tenant with new credentials.
type Rotated struct {
	// Published reports that the tenant has the new credentials. Without it, the other fields mean
	// nothing.
	Published bool
	// OldEnd is when the old login ends; nil if it has ended.
	OldEnd *time.Time
	// Refused reports that the old password is refused, by a server with 28P01. If Behind names a
	// pooler, the pooler may refuse it by itself, or not yet.
	Refused, Behind bool
	// Unchecked reports that the server accepts any password.
	Unchecked bool
	// Also are other tenants that use the same role and got its new password, too.
	Also []registry.TenantID
	Warnings
}

// Rotate switches a tenant to the idle one of the two logins of a database that sp made. The new
// login has been tried before it is published. The old one works until then and for a while
// afterwards. w may name the login for the server.
func (m *Machine) Rotate(ctx context.Context, s Subject, w Wanted, grace time.Duration) (done Rotated, err error) {
	h, err := m.bringUp(ctx, w.Instead(*s.Server))
	if err != nil {
		return done, err
	}
	defer h.close()
	done.Pooled = h.pooled()
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	d, err := m.lock(ctx, h, s.Tenant.ID)
	if err != nil {
		return done, err
	}
	if s, err = m.subject(ctx, s.Tenant.ID); err != nil {
		return done, err
	}
	before, after := orEmpty(s.Tenant.DatabaseURL), d.Login.Other()
	if own, err := pgurl.For(h.Admin, d.Name, d.Name, secret.Secret{}); err != nil || !leadsTo(before, own) {
		return done, marked{errors.Join(err, fmt.Errorf("tenant %s: its URL does not lead to database %s, which was made for it: %w", s.Tenant, d.Name, registry.ErrConflict)), ErrDrifted}
	}
	url, err := h.admin.Enable(ctx, h.database(*d), provision.Login(after), m.Random)
	if err != nil {
		return done, err
	}
	at := m.Now().Add(grace)
	done.Sharers = m.sharers(ctx, s.Tenant, pgurl.SameRole)
	_, published := m.publishLogin(ctx, h, registry.Credentials{Tenant: d.Tenant, URL: url, Was: d.Login, Login: after, RetireAt: &at})
	if !made(published) {
		return done, published
	}
	done.Published = true
	return done, errors.Join(published, m.endOld(ctx, h, *d, before, url, grace, &done))
}

// endOld ends the login that was published before, and looks whether it has: a server may
// let everybody in.
func (m *Machine) endOld(ctx context.Context, h *host, d registry.Database, before, after secret.Secret, grace time.Duration, done *Rotated) error {
	if grace > 0 {
		at, err := h.admin.Expire(ctx, h.database(d), provision.Login(d.Login), grace)
		if err == nil {
			done.OldEnd = &at
			err = m.checkPasswords(ctx, after, done)
		}
		return afterwards(errors.Join(err, m.retireDue(ctx, h, &done.Warnings)))
	}
	if err := errors.Join(m.endLogin(ctx, h, d, d.Login), m.retireDue(ctx, h, &done.Warnings)); err != nil {
		return afterwards(err)
	}
	return done.checkRefused(ctx, before, h.admin.Pooled)
}

// checkRefused looks whether the old credentials are refused, with 28P01 and nothing else. A
// pooler does so by itself, or not yet.
func (done *Rotated) checkRefused(ctx context.Context, before secret.Secret, pooled bool) error {
	refused, err := provision.Refuses(ctx, before)
	if err != nil {
		return afterwards(err)
	}
	done.Refused, done.Behind, done.Unchecked = refused, pooled, !refused && !pooled
	return nil
}

func (m *Machine) checkPasswords(ctx context.Context, url secret.Secret, done *Rotated) error {
	err := provision.ChecksPasswords(ctx, url, m.Random)
	if done.Unchecked = errors.Is(err, provision.ErrUnchecked); done.Unchecked {
		return nil
	}
	return err
}

func orEmpty(s *secret.Secret) secret.Secret {
	if s == nil {
		return secret.Secret{}
	}
	return *s
}
