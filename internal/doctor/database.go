package doctor

import (
	"context"
	"strings"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/secret"
)

// checkDatabase logs in to the database that sp resolve would name. The registry is let go
// of by then: nobody waits for a network.
func (c *Checkup) checkDatabase(ctx context.Context) []Diagnosis {
	if !c.Connect {
		return []Diagnosis{skip("--connect logs in to the one that sp resolve names")}
	}
	var s hosting.Subject
	var url secret.Secret
	err := c.read(ctx, func(view *registry.View) error {
		connection, err := resolver.Resolve(ctx, view, c.Request(c.dir))
		if err != nil {
			return err
		}
		url = connection.URL
		s, err = hosting.SubjectOf(ctx, view, connection.Tenant)
		return err
	})
	if err != nil {
		message, _ := c.Explain(err)
		return []Diagnosis{warn("nothing to connect to: %s", message)}
	}
	found := c.Machine(c.dir).Check(ctx, s)[0]
	if found.Err != nil {
		message, hint := c.Explain(found.Err)
		return []Diagnosis{wrong("%s", message).remedy("%s", oneLine(hint))}
	}
	encryption := "without TLS"
	if found.Answer.TLS {
		encryption = "with TLS"
	}
	return []Diagnosis{fine("tenant %s: %s: PostgreSQL %s answers, %s", found.Tenant.ID, pgurl.Describe(url), found.Answer.Version, encryption)}
}

// checkDatabases looks whether what sp made on servers is whole, and wanted.
func (c *Checkup) checkDatabases(ctx context.Context) []Diagnosis {
	var found bounded
	count := 0
	err := c.read(ctx, func(view *registry.View) error {
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
			if err := c.localTrouble(ctx, s); err != nil {
				message, hint := c.Explain(err)
				found.add(wrong("server %s: %s", s.Name, message).remedy("%s", oneLine(hint)))
			}
			if refused := hosting.CheckWithheld(s); refused != nil {
				message, hint := c.Explain(refused)
				found.add(warn("server %s: %s", s.Name, message).remedy("%s", oneLine(hint)))
			}
		}
		if err != nil {
			return err
		}
		begun, err := view.Rotations(ctx)
		for _, id := range begun {
			found.add(warn("tenant %s: a rotation of its password was stopped, and its URL may not hold any more", id).
				remedy("%s", to("sp tenant rotate-credentials", string(id))))
		}
		return err
	})
	return c.troubled(orFine(found.all(), "%s made by sp", counted(count, "database")), err)
}

// localTrouble says how the data of a local server are not as they were recorded; nothing is
// connected to for that, nor is Docker asked.
func (c *Checkup) localTrouble(ctx context.Context, s registry.Server) error {
	if s.Provider != registry.LocalPrograms || s.Withheld != "" {
		return nil
	}
	return c.Machine(c.dir).DataTrouble(ctx, s)
}

func (c *Checkup) lookAtDatabase(ctx context.Context, view *registry.View, d registry.Database, found *bounded) error {
	id := string(d.Tenant)
	provision, drop := to("sp tenant provision", id), to("sp tenant delete", id)
	gone, err := view.IsGone(ctx, d.Tenant)
	switch {
	case err != nil:
		return err
	case gone:
		found.add(warn("database %s on server %s: its tenant %s is gone", d.Name, d.Server, d.Tenant).remedy("%s drops it", drop))
	case d.State == registry.Dropping:
		found.add(warn("tenant %s: its database is not dropped yet", d.Tenant).remedy("%s goes on with that, %s keeps it if it is all there", drop, provision))
	case d.State != registry.Ready:
		found.add(warn("tenant %s: its database is not finished", d.Tenant).remedy("%s goes on, %s undoes it", provision, drop))
	case d.RetireAt != nil && !d.RetireAt.After(c.Now()):
		found.add(warn("tenant %s: sessions of its old login may be open", d.Tenant).remedy("%s ends them", provision))
	}
	return nil
}

// oneLine puts the ways that help in a line.
func oneLine(hint string) string { return strings.ReplaceAll(hint, "\n", "; ") }
