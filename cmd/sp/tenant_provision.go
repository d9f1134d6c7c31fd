package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) tenantProvisionCommand() *cli.Command {
	return &cli.Command{
		Name:      "provision",
		Usage:     "make a tenant's database, or finish what was stopped",
		ArgsUsage: "[ID]",
		Description: "The selected tenant without ID. Where its database is whole, nothing is done; else every\n" +
			"step is done that is not done yet. sp tenant delete ID undoes it.",
		Flags: append(serverFlags(), a.noExportFlag()),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			w, err := a.wantedServer(ctx, cmd)
			if err == nil && w.Provider == byURL {
				err = withHint(usage("tenant provision: a database that is there is not made"), "sp tenant edit ID --database-url-stdin")
			}
			if err != nil {
				return err
			}
			return a.inSteps(ctx, a.tenants, func(ctx context.Context, m *hosting.Machine) error {
				t, err := a.provisionTenant(ctx, m, argument(cmd, 0), w)
				if a.json && made(err) {
					err = cmp.Or(err, a.document(map[string]any{"id": t.ID, "name": t.Name}))
				}
				return err
			})
		},
	}
}

// subject looks at a tenant, the selected one for nil, and its database.
func (a *app) subject(ctx context.Context, ref *string) (s hosting.Subject, servers []registry.Server, err error) {
	err = a.read(ctx, func(_ project.Dir, view *registry.View) error {
		t, err := namedTenant(ctx, view, ref)
		if err != nil {
			return err
		}
		if s, err = hosting.SubjectOf(ctx, view, t); err == nil {
			servers, err = view.Servers(ctx)
		}
		return err
	})
	return s, servers, err
}

func (a *app) provisionTenant(ctx context.Context, m *hosting.Machine, ref *string, w hosting.Wanted) (registry.Tenant, error) {
	s, servers, err := a.subject(ctx, ref)
	if err == nil {
		err = checkProvisioning(s, w)
	}
	if err != nil {
		return s.Tenant, err
	}
	if s.Tenant.HasDatabaseURL() && s.Database == nil {
		a.note("tenant %s has its database", s.Tenant)
		return s.Tenant, nil
	}
	on, err := a.serverFor(ctx, s, servers, w)
	if err != nil {
		return s.Tenant, err
	}
	r, err := m.Resume(ctx, s, on)
	if r.Ended {
		a.note("its old login ends")
	}
	if r.Gone != nil {
		a.note("database %s is not whole any more on server %s: what is missing is made again, and what was in it is gone", r.Gone.Name, r.Gone.Server)
	}
	a.tellMade(r.Created, err)
	if made(err) {
		a.note("tenant %s has its database", r.Tenant)
	}
	return r.Tenant, adviseLogin(err)
}

// tellMade says what was met when a database was made, and where it was stopped.
func (a *app) tellMade(c hosting.Created, err error) {
	a.tell(c.Warnings, "")
	if c.Planned && !made(err) {
		id := project.Quoted(string(c.Tenant.ID))
		a.note("tenant %s is registered, its database is not finished: sp tenant provision %s goes on, sp tenant delete %s -y undoes it", c.Tenant, id, id)
	}
}

// serverFor is the server of a tenant's database or, where none is planned yet, one for it.
func (a *app) serverFor(ctx context.Context, s hosting.Subject, known []registry.Server, w hosting.Wanted) (registry.Server, error) {
	switch {
	case s.Database == nil:
		return a.findServer(ctx, w, known)
	case s.Server == nil:
		return registry.Server{}, fmt.Errorf("server %s: %w", s.Database.Server, registry.ErrNotFound)
	}
	return w.Instead(*s.Server), nil
}

// checkProvisioning refuses a tenant for which no database is made, or none there.
func checkProvisioning(s hosting.Subject, w hosting.Wanted) error {
	switch t, d := s.Tenant, s.Database; {
	case t.IsCloud():
		return fmt.Errorf("tenant provision: tenant %s: %w: %s", t, errUnsupported, needsCloud)
	case d != nil && d.State == registry.Dropping:
		return withHint(fmt.Errorf("tenant %s: its database is being dropped: %w", t, registry.ErrConflict), "sp tenant delete %s -y goes on with that", project.Quoted(string(t.ID)))
	case d != nil && w.Provider != "" && (s.Server == nil || w.Provider != s.Server.Provider):
		return withHint(fmt.Errorf("tenant %s: its database was begun on server %s: %w", t, d.Server, registry.ErrConflict), "without --provider and --server it is finished there")
	}
	return nil
}
