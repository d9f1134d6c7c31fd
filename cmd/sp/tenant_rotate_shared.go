package main

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Who else logs in as the role of a database that sp has not made.

// spareAdmins refuses to change the password with which sp itself makes databases: the
// server's would be another one then than the registry's.
func spareAdmins(ctx context.Context, reg *registry.Registry, t registry.Tenant) error {
	view, err := reg.View(ctx)
	if err != nil {
		return err
	}
	defer view.Close()
	servers, err := view.Servers(ctx)
	for _, s := range servers {
		if registry.SameLogin(*t.DatabaseURL, s.Admin) {
			return withHint(fmt.Errorf("tenant %s: its role is the one as which sp makes databases on server %s: %w", t, s.Name, registry.ErrInUse),
				"give the tenant a role of its own: sp tenant edit %s --database-url-stdin", project.Quoted(string(t.ID)))
		}
	}
	return err
}

// sameLogin returns the tenants whose URLs log in as the same role on the same servers.
func sameLogin(ctx context.Context, reg *registry.Registry, url secret.Secret) (ids []registry.TenantID, err error) {
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	for t, err := range view.Tenants(ctx, registry.Page{}) {
		if err != nil {
			return nil, err
		}
		if t.IsLocal() && t.DatabaseURL != nil && registry.SameLogin(url, *t.DatabaseURL) {
			ids = append(ids, t.ID)
		}
	}
	return ids, nil
}

// tellSharers names the other tenants whose URL shares what is ended with that of a tenant.
func (a *app) tellSharers(ctx context.Context, reg *registry.Registry, id registry.TenantID, shares func(a, b secret.Secret) bool, what string) {
	view, err := reg.View(ctx)
	if err != nil {
		return // it is said beside what was done, and nothing hangs on it
	}
	defer view.Close()
	t, err := view.Tenant(ctx, id)
	if err != nil || t.DatabaseURL == nil {
		return
	}
	for other, err := range view.Tenants(ctx, registry.Page{}) {
		if err != nil {
			return
		}
		if other.ID != t.ID && other.DatabaseURL != nil && shares(*other.DatabaseURL, *t.DatabaseURL) {
			a.note("warning: tenant %s %s: sp tenant edit %s --database-url-stdin", other, what, project.Quoted(string(other.ID)))
		}
	}
}
