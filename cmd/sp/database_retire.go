package main

import (
	"context"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// retireDue ends the logins on a server whose time is over: their sessions, too, which
// the server itself lets go on.
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
		if d.Server != h.Name || d.RetireAt == nil || d.RetireAt.After(a.now()) {
			continue
		}
		if err := h.admin.Retire(ctx, h.database(d), provision.Login(d.Login.Other())); err != nil {
			return err
		}
		if err := reg.RetiredLogin(ctx, d.Tenant); !made(err) {
			return err
		}
	}
	return nil
}

// retireDueOf does so where that is due for a tenant.
func (a *app) retireDueOf(ctx context.Context, dir project.Dir, reg *registry.Registry, p prospect) error {
	if p.database.RetireAt == nil || p.database.RetireAt.After(a.now()) {
		return nil
	}
	s, err := p.server()
	if err != nil {
		return err
	}
	h, err := a.bringUp(ctx, dir, reg, s)
	if err != nil {
		return err
	}
	defer h.close()
	a.note("its old login ends")
	return a.retireDue(ctx, reg, h)
}

// leadsTo tells whether two URLs lead to the same database.
func leadsTo(a, b registry.Secret) bool {
	first, ok := registry.DatabaseOf(a)
	second, readable := registry.DatabaseOf(b)
	return ok && readable && first == second
}

func orEmpty(s *registry.Secret) *registry.Secret {
	if s == nil {
		return &registry.Secret{}
	}
	return s
}
