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
	// Uses are who had the old login in use as it was promised until OldEnd. Their sessions end then.
	Uses provision.Uses
	// Refused reports that the old password is refused, by a server with 28P01. If Behind names a
	// pooler, the pooler may refuse it by itself, or not yet.
	Refused, Behind bool
	// Unchecked reports that the server accepts any password.
	Unchecked bool
	// Strangers are who else may connect to a database that sp made, whatever the password.
	Strangers []provision.Stranger
	// Also are other tenants that use the same role and got its new password, too.
	Also []registry.TenantID
	Warnings
}

// Rotate switches a tenant to the idle one of the two logins of a database that sp made. The new
// login has been tried before it is published. The old one works until then and for a while
// afterwards. w may name the login for the server.
func (m *Machine) Rotate(ctx context.Context, s Subject, w Wanted, grace time.Duration) (done Rotated, err error) {
	on := *s.Server
	defer func() { err = m.orFull(on, err) }()
	h, err := m.bringUp(ctx, w.Instead(on))
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
	defer func() { // it is told beside what was done, and nothing hangs on it
		if done.Published {
			done.Strangers, _ = h.admin.Strangers(ctx, h.database(*d))
		}
	}()
	before, after := orEmpty(s.Tenant.DatabaseURL), d.Login.Other()
	if own, err := pgurl.For(h.Admin, d.Name, d.Name, secret.Secret{}); err != nil || !leadsTo(before, own) {
		return done, marked{errors.Join(err, fmt.Errorf("tenant %s: its URL does not lead to database %s, which was made for it: %w", s.Tenant, d.Name, registry.ErrConflict)), ErrDrifted}
	}
	if d.RetireAt != nil {
		if finished, err := m.settle(ctx, h, s, *d, grace, &done); finished || err != nil {
			return done, err
		}
	}
	url, err := h.admin.Enable(ctx, h.database(*d), provision.Login(after), m.Random)
	if err != nil {
		return done, err
	}
	at := m.Now().Add(grace)
	m.addSharers(ctx, h, *d, d.Login, &done)
	_, published := m.publishLogin(ctx, h, registry.Credentials{Tenant: d.Tenant, URL: url, Was: d.Login, Login: after, RetireAt: &at})
	if !made(published) {
		return done, published
	}
	done.Published = true
	return done, errors.Join(published, m.endOld(ctx, h, *d, before, url, grace, &done))
}

// settle sees to the login that the rotation before left. Until the time that was promised it stays, unless
// it is to end now. If that rotation was stopped before the server knew the time, it is finished, and not
// another one begun: the same command said again has done what it says.
func (m *Machine) settle(ctx context.Context, h *host, s Subject, d registry.Database, grace time.Duration, done *Rotated) (finished bool, err error) {
	old := d.Login.Other()
	if grace == 0 || m.isDue(d) {
		m.addSharers(ctx, h, d, old, done)
		if err := m.endLogin(ctx, h, d, old, &done.Warnings); err != nil {
			return false, unended(s.Tenant, err)
		}
		return false, nil
	}
	standing, err := h.admin.StandingOf(ctx, h.database(d), provision.Login(old))
	switch {
	case err != nil || standing == provision.Ended:
		return false, err
	case standing == provision.Ends:
		return false, &PromisedError{s.Tenant, *d.RetireAt}
	}
	done.Published = true
	m.addSharers(ctx, h, d, old, done)
	return true, m.expire(ctx, h, d, old, orEmpty(s.Tenant.DatabaseURL), d.RetireAt.Sub(m.Now()), done)
}

// addSharers adds the other tenants that log in as a login which ends. It is told beside what was done, and
// nothing hangs on it.
func (m *Machine) addSharers(ctx context.Context, h *host, d registry.Database, l registry.DatabaseLogin, done *Rotated) {
	login, err := pgurl.For(h.Admin, h.database(d).Role(provision.Login(l)), d.Name, secret.Secret{})
	if err != nil {
		return
	}
	_ = m.Read(ctx, func(view *registry.View) error {
		found, err := sharersIn(ctx, view, d.Tenant, login, pgurl.SameRole)
		done.Sharers = append(done.Sharers, found...)
		return err
	})
}

// PromisedError is registry.ErrConflict for a rotation that would end a login before the time until which an
// earlier one promised it.
type PromisedError struct {
	Tenant registry.Tenant
	Until  time.Time
}

func (e *PromisedError) Error() string {
	return fmt.Sprintf("tenant %s: the last rotation promised its old password until %s: %v", e.Tenant, registry.FormatTime(e.Until.Truncate(time.Second)), registry.ErrConflict)
}

// Unwrap returns registry.ErrConflict.
func (e *PromisedError) Unwrap() error { return registry.ErrConflict }

// endOld ends the login that was published before, and looks whether it has: a server may
// let everybody in.
func (m *Machine) endOld(ctx context.Context, h *host, d registry.Database, before, after secret.Secret, grace time.Duration, done *Rotated) error {
	if grace > 0 {
		return m.expire(ctx, h, d, d.Login, after, grace, done)
	}
	err := m.endLogin(ctx, h, d, d.Login, &done.Warnings)
	if err == nil { // else it is the next command that ends others'
		err = m.retireDue(ctx, h, &done.Warnings)
	}
	if err != nil {
		return afterwards(err)
	}
	return done.checkRefused(ctx, before, h.admin.Pooled)
}

// expire has a login end after a while, and looks who uses it.
func (m *Machine) expire(ctx context.Context, h *host, d registry.Database, l registry.DatabaseLogin, after secret.Secret, grace time.Duration, done *Rotated) error {
	at, err := h.admin.Expire(ctx, h.database(d), provision.Login(l), grace)
	if err == nil {
		done.OldEnd = &at
		done.Uses, err = h.admin.UsesOf(ctx, h.database(d), provision.Login(l))
	}
	if err == nil {
		err = m.checkPasswords(ctx, after, done)
	}
	return afterwards(errors.Join(err, m.retireDue(ctx, h, &done.Warnings)))
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
