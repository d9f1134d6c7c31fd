package main

import (
	"context"
	"errors"

	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// retireDue ends the logins on a server whose time is over: their sessions, too, which
// the server itself lets go on. One that can't be ended is told, and is no reason for what
// is done with another database to fail: it stays due.
func (a *app) retireDue(ctx context.Context, reg *registry.Registry, h *host) error {
	view, err := reg.View(ctx)
	if err != nil {
		return err
	}
	databases, err := view.Databases(ctx)
	view.Close()
	if err != nil {
		return err
	}
	for _, d := range databases {
		if d.Server != h.Name || !a.isDue(d) {
			continue
		}
		if err := a.retire(ctx, reg, h, d); ctx.Err() != nil {
			return err
		} else if err != nil {
			a.note("warning: database %s: its old login is not ended: %v", d.Name, err)
		}
	}
	return nil
}

// isDue tells whether the time of a database's other login is over.
func (a *app) isDue(d registry.Database) bool { return d.RetireAt != nil && !d.RetireAt.After(a.now()) }

// retire ends the other login of a database, unless a command has it in hand: a rotation
// is about to make that the one which is published.
func (a *app) retire(ctx context.Context, reg *registry.Registry, h *host, d registry.Database) error {
	free, err := h.admin.TryLock(ctx, h.database(d))
	if err != nil || !free {
		return err
	}
	now, err := databaseOf(ctx, reg, d.Tenant)
	if err != nil || now == nil || !a.isDue(*now) {
		return err
	}
	return a.endLogin(ctx, reg, h, *now, now.Login.Other())
}

// endLogin ends a login, and remembers that. One of which the role is gone has ended.
func (a *app) endLogin(ctx context.Context, reg *registry.Registry, h *host, d registry.Database, l registry.DatabaseLogin) error {
	err := h.admin.Retire(ctx, h.database(d), provision.Login(l))
	if err != nil && !errors.Is(err, provision.ErrMismatch) {
		return err
	}
	return reg.RetiredLogin(ctx, d.Tenant)
}

func databaseOf(ctx context.Context, reg *registry.Registry, id registry.TenantID) (*registry.Database, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	return view.Database(ctx, id)
}

// endDue ends the old login of a database, if its time is over, and then the others'.
func (a *app) endDue(ctx context.Context, reg *registry.Registry, h *host, d registry.Database) error {
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	if a.isDue(d) {
		a.note("its old login ends")
		if err := a.retire(ctx, reg, h, d); err != nil {
			return err
		}
	}
	return a.retireDue(ctx, reg, h)
}

// leadsTo tells whether two URLs lead to the same database.
func leadsTo(a, b secret.Secret) bool {
	first, ok := registry.DatabaseOf(a)
	second, readable := registry.DatabaseOf(b)
	return ok && readable && first == second
}

func orEmpty(s *secret.Secret) *secret.Secret {
	if s == nil {
		return &secret.Secret{}
	}
	return s
}
