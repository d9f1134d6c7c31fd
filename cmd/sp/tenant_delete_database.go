package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

// endDatabase drops the database that sp made for a tenant, or leaves it.
func (a *app) endDatabase(ctx context.Context, dir project.Dir, reg *registry.Registry, d registry.Database, keep bool) (registry.Fate, error) {
	if keep && d.State == registry.Dropping {
		a.note("what is still there of database %s and its roles stays on server %s", d.Name, d.Server)
		return registry.IsLeft, nil
	}
	if keep {
		a.note("database %s stays on server %s, with the roles %s_owner, %s_a and %s_b", d.Name, d.Server, d.Name, d.Name, d.Name)
		return registry.IsLeft, nil
	}
	if err := a.dropDatabase(ctx, dir, reg, d); err != nil {
		what := "nothing is deleted; when that is mended, say it again\n--keep-database deletes the tenant and leaves the database where it is"
		if now, unread := databaseOf(ctx, reg, d.Tenant); unread != nil || now == nil || now.State == registry.Dropping {
			what = "its data may be gone already; when that is mended, say it again\n--keep-database deletes the tenant and leaves what there still is"
		}
		if errors.Is(err, provision.ErrMismatch) {
			id := project.Quoted(string(d.Tenant))
			what = fmt.Sprintf("if somebody has dropped it: sp tenant delete %s --keep-database, or sp tenant provision %s makes it again", id, id)
		}
		return registry.StaysRecorded, withHint(fmt.Errorf("database %s: %w", d.Name, err), "%s", what)
	}
	a.note("database %s dropped", d.Name)
	a.tellSharers(ctx, reg, d.Tenant, leadsTo, "leads to the database that was dropped")
	return registry.WasDropped, nil
}

// dropDatabase drops a database and its roles. That it is about to go is recorded first,
// so that nobody publishes a login to it meanwhile.
func (a *app) dropDatabase(ctx context.Context, dir project.Dir, reg *registry.Registry, d registry.Database) error {
	s, err := knownServer(ctx, reg, d.Server)
	if err == nil && s == nil {
		err = fmt.Errorf("server %s: %w", d.Server, registry.ErrNotFound)
	}
	if err != nil {
		return err
	}
	h, err := a.bringUp(ctx, dir, reg, a.wantedByDefault().instead(*s))
	if err != nil {
		return err
	}
	defer h.close()
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	locked, err := lockDatabase(ctx, reg, h, d.Tenant)
	if err != nil {
		return err
	}
	there, _, err := h.admin.Holds(ctx, h.database(*locked))
	if err == nil && !there && locked.State == registry.Ready {
		err = fmt.Errorf("nothing of it is on server %s, perhaps another server answers there: %w", h.Name, provision.ErrMismatch)
	}
	if err != nil {
		return err
	}
	if err := reg.DropDatabase(ctx, d.Tenant); !made(err) {
		return err
	}
	return h.admin.Drop(ctx, h.database(*locked))
}

// deleteOrphan drops a database whose tenant is no more: an undo, an import or another
// program took that away.
func (a *app) deleteOrphan(ctx context.Context, cmd *cli.Command, dir project.Dir, reg *registry.Registry, d registry.Database) error {
	if err := a.confirm(ctx, cmd, fmt.Sprintf("drop database %s with all that is in it? its tenant %s is gone", d.Name, d.Tenant)); err != nil {
		return err
	}
	if _, err := a.endDatabase(ctx, dir, reg, d, cmd.Bool("keep-database")); err != nil {
		return err
	}
	err := reg.ForgetDatabase(ctx, d.Tenant)
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
