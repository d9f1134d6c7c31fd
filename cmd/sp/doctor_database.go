package main

import (
	"context"
	"strings"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/secret"
)

// checkDatabase logs in to the database that sp resolve would name. The registry is let go
// of by then: nobody waits for a network.
func (c *checkup) checkDatabase(ctx context.Context) []diagnosis {
	if !c.connect {
		return []diagnosis{skip("--connect logs in to the one that sp resolve names")}
	}
	var s hosting.Subject
	var url secret.Secret
	err := c.read(ctx, func(dir project.Dir, view *registry.View) error {
		connection, err := resolver.Resolve(ctx, view, resolver.Request{
			Env: c.env("SYSTEMPROMPT_PROFILE"), ReadProfile: c.profileReader(dir),
		})
		if err != nil {
			return err
		}
		url = connection.URL
		s, err = hosting.SubjectOf(ctx, view, connection.Tenant)
		return err
	})
	if err != nil {
		f := failureOf(adviseResolving(err))
		return []diagnosis{warn("nothing to connect to: %s", f.Message)}
	}
	found := checkedOf(c.machine(c.dir, nil).Check(ctx, s)[0])
	if found.Result != "ok" {
		return []diagnosis{wrong("%s", found.Message).remedy("%s", found.Hint)}
	}
	return []diagnosis{fine("tenant %s: %s: PostgreSQL %s answers, %s", found.ID, pgurl.Describe(url), found.Version, found.encryption())}
}

// checkDatabases looks whether what sp made on servers is whole, and wanted.
func (c *checkup) checkDatabases(ctx context.Context) []diagnosis {
	var found bounded
	count := 0
	err := c.read(ctx, func(dir project.Dir, view *registry.View) error {
		databases, err := view.Databases(ctx)
		count = len(databases)
		for _, d := range databases {
			if err := c.lookAtDatabase(ctx, view, d, &found); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		servers, err := view.Servers(ctx)
		for _, s := range servers {
			if err := c.localTrouble(ctx, dir, s); err != nil {
				f := failureOf(err)
				found.add(wrong("server %s: %s", s.Name, f.Message).remedy("%s", strings.ReplaceAll(f.Hint, "\n", "; ")))
			}
			if refused := hosting.CheckWithheld(s); refused != nil {
				f := failureOf(refused)
				found.add(warn("server %s: %s", s.Name, f.Message).remedy("%s", f.Hint))
			}
		}
		if err != nil {
			return err
		}
		begun, err := view.Rotations(ctx)
		for _, id := range begun {
			found.add(warn("tenant %s: a rotation of its password was stopped, and its URL may not hold any more", id).
				remedy("sp tenant rotate-credentials %s", project.Quoted(string(id))))
		}
		return err
	})
	return troubled(orFine(found.all(), "%s made by sp", counted(count, "database")), err)
}

// localTrouble says how the data of a local server are not as they were recorded; nothing is
// connected to for that, nor is Docker asked.
func (c *checkup) localTrouble(ctx context.Context, dir project.Dir, s registry.Server) error {
	if s.Provider != registry.LocalPrograms || s.Withheld != "" {
		return nil
	}
	return c.machine(dir, nil).DataTrouble(ctx, s)
}

func (c *checkup) lookAtDatabase(ctx context.Context, view *registry.View, d registry.Database, found *bounded) error {
	id := project.Quoted(string(d.Tenant))
	gone, err := view.IsGone(ctx, d.Tenant)
	switch {
	case err != nil:
		return err
	case gone:
		found.add(warn("database %s on server %s: its tenant %s is gone", d.Name, d.Server, d.Tenant).remedy("sp tenant delete %s -y drops it", id))
	case d.State == registry.Dropping:
		found.add(warn("tenant %s: its database is not dropped yet", d.Tenant).remedy("sp tenant delete %s -y goes on with that", id))
	case d.State != registry.Ready:
		found.add(warn("tenant %s: its database is not finished", d.Tenant).remedy("sp tenant provision %s goes on, sp tenant delete %s -y undoes it", id, id))
	case d.RetireAt != nil && !d.RetireAt.After(c.now()):
		found.add(warn("tenant %s: sessions of its old login may be open", d.Tenant).remedy("sp tenant provision %s ends them", id))
	}
	return nil
}
