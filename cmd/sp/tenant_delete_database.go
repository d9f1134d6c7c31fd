package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

// endDatabase drops the database that sp made for a tenant, or leaves it where it is kept.
func (a *app) endDatabase(ctx context.Context, m *hosting.Machine, d registry.Database, keep bool) error {
	if keep && d.State == registry.Dropping {
		a.note("what is still there of database %s and its roles stays on server %s", d.Name, d.Server)
		return nil
	}
	if keep {
		a.note("database %s stays on server %s, with the roles %s_owner, %s_a and %s_b", d.Name, d.Server, d.Name, d.Name, d.Name)
		return nil
	}
	done, err := m.Drop(ctx, d, a.wantedByDefault())
	if err != nil {
		a.tell(done.Warnings, "")
		what := "nothing is deleted; when that is mended, say it again\n--keep-database deletes the tenant and leaves the database where it is"
		if done.Begun {
			what = "its data may be gone already; when that is mended, say it again\n--keep-database deletes the tenant and leaves what there still is"
		}
		if errors.Is(err, provision.ErrMismatch) {
			id := project.Quoted(string(d.Tenant))
			what = fmt.Sprintf("if somebody has dropped it: sp tenant delete %s --keep-database, or sp tenant provision %s makes it again", id, id)
		}
		return withHint(fmt.Errorf("database %s: %w", d.Name, err), "%s", what)
	}
	a.note("database %s dropped", d.Name)
	a.tell(done.Warnings, "leads to the database that was dropped")
	return nil
}

// deleteOrphan drops a database whose tenant is no more: an undo, an import or another
// program took that away.
func (a *app) deleteOrphan(ctx context.Context, cmd *cli.Command, m *hosting.Machine, d registry.Database) error {
	if err := a.confirm(ctx, cmd, fmt.Sprintf("drop database %s with all that is in it? its tenant %s is gone", d.Name, d.Tenant)); err != nil {
		return err
	}
	if err := a.endDatabase(ctx, m, d, cmd.Bool("keep-database")); err != nil {
		return err
	}
	err := m.Change(ctx, func(reg *registry.Registry) error { return reg.ForgetDatabase(ctx, d.Tenant) })
	if a.json && made(err) {
		err = cmp.Or(err, a.document(removal{ID: d.Tenant, Profiles: []string{}}))
	}
	return err
}

// tellOrphans names the databases whose tenants are gone: nobody works with them, and they
// are still on their servers.
func (a *app) tellOrphans(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // what they stand behind is done
	return a.read(ctx, func(_ project.Dir, view *registry.View) error { return a.tellOrphansOf(ctx, view) })
}

func (a *app) tellOrphansOf(ctx context.Context, view *registry.View) error {
	databases, err := view.Databases(ctx)
	if err != nil {
		return err
	}
	for _, d := range databases {
		gone, err := view.IsGone(ctx, d.Tenant)
		if err != nil {
			return err
		}
		if gone {
			a.note("database %s of tenant %s, which is gone, stays on server %s: sp tenant delete %s -y drops it", d.Name, d.Tenant, d.Server, project.Quoted(string(d.Tenant)))
		}
	}
	return nil
}
