package hosting

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// retireDue ends the logins on a server whose time is over: their sessions, too, which
// the server itself lets go on. One that can't be ended is told, and is no reason for what
// is done with another database to fail: it stays due.
func (m *Machine) retireDue(ctx context.Context, h *host, met *Warnings) error {
	due, err := recorded(ctx, m, func(view *registry.View) ([]registry.Database, error) { return view.DueDatabases(ctx, m.Now()) })
	if err != nil {
		return err
	}
	for _, d := range due {
		if d.Server != h.Name || !m.isDue(d) {
			continue
		}
		if err := m.retire(ctx, h, d, met); ctx.Err() != nil {
			return err
		} else if err != nil {
			met.Unended = append(met.Unended, Unended{d, err})
		}
	}
	return nil
}

// isDue tells whether the time of a database's other login is over.
func (m *Machine) isDue(d registry.Database) bool {
	return d.RetireAt != nil && !d.RetireAt.After(m.Now())
}

// retire ends the other login of a database, unless a command has it in hand: a rotation
// is about to make that the one which is published.
func (m *Machine) retire(ctx context.Context, h *host, d registry.Database, met *Warnings) error {
	free, err := h.admin.TryLock(ctx, h.database(d))
	if err != nil || !free {
		return err
	}
	now, err := m.database(ctx, d.Tenant)
	if err != nil || now == nil || now.RetireAt == nil || !now.RetireAt.Equal(*d.RetireAt) {
		return err
	}
	return m.endLogin(ctx, h, *now, now.Login.Other(), met)
}

// endLogin ends a login, and records that. One of which the role is gone has ended.
func (m *Machine) endLogin(ctx context.Context, h *host, d registry.Database, l registry.DatabaseLogin, met *Warnings) error {
	uses, err := h.admin.Retire(ctx, h.database(d), provision.Login(l))
	if err != nil && !errors.Is(err, provision.ErrMismatch) {
		return err
	}
	if len(uses) > 0 {
		met.Ended = append(met.Ended, Ended{d, uses})
	}
	return m.Change(ctx, func(reg *registry.Registry) error { return reg.RetiredLogin(ctx, d.Tenant) })
}

// unended is what keeps the old login of a tenant's database from being ended.
func unended(t registry.Tenant, err error) error {
	if errors.Is(err, provision.ErrDeaf) {
		return marked{fmt.Errorf("tenant %s: its old login has ended, and a session of it goes on: %w", t, err), ErrUnended}
	}
	return fmt.Errorf("tenant %s: %w: %w", t, ErrUnended, err)
}

// isOver tells whether the other login of a database has to end now: its time is over, or a rotation has ended it and
// not all of its sessions.
func (m *Machine) isOver(ctx context.Context, h *host, d registry.Database) (bool, error) {
	if d.RetireAt == nil || m.isDue(d) {
		return d.RetireAt != nil, nil
	}
	standing, err := h.admin.StandingOf(ctx, h.database(d), provision.Login(d.Login.Other()))
	if errors.Is(err, provision.ErrMismatch) { // its role is gone
		return true, nil
	}
	return standing == provision.Ended, err
}

// endDue ends the old login of a database, if its time is over, and then the others'.
func (m *Machine) endDue(ctx context.Context, h *host, d registry.Database, r *Resumed) error {
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	over, err := m.isOver(ctx, h, d)
	if err != nil {
		return err
	}
	if over {
		if err := m.retire(ctx, h, d, &r.Warnings); err != nil {
			return unended(r.Tenant, err)
		}
		r.Ended = true
	}
	return m.retireDue(ctx, h, &r.Warnings)
}
