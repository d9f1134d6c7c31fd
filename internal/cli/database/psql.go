package database

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

func psqlCommand() *cli.Command {
	return &cli.Command{
		Name:  "psql",
		Usage: "open psql as the administrator of a server",
		Description: "With a tenant, it is the server of the tenant's database, and psql opens that\n" +
			"database. Otherwise it is the server on which the next database would be made.\n" +
			"psql's own arguments come after --; no secret is among them. On a server that sp\n" +
			"runs, the administrator is a superuser. If it is stopped, sp starts it.\n\n" +
			"What a tenant made in its schema public runs with your rights if you call it:\n" +
			"write pg_catalog.now(), or SET search_path = pg_catalog first.\n\n" +
			"  sp db psql my-project -- -c 'TABLE pg_catalog.pg_stat_activity'",
		Args:   []cli.Arg{{Name: "TENANT", Kind: task.TenantWord, Optional: true}},
		Flags:  []cli.Flag{task.NoStart()},
		Rest:   "[-- ARGUMENT...]",
		NoJSON: cli.OfProgram,
		Run:    task.Run(psql),
	}
}

func psql(ctx context.Context, t *task.Task) (cli.Answer, error) {
	s, err := serverToOpen(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	program, err := t.FindPsql()
	if err != nil {
		return cli.Answer{}, err
	}
	own, err := t.ReachOwn(ctx, s.Admin)
	if err == nil && own != nil && *own == postgres.Unseen {
		err = t.CheckDemandsSCRAM(ctx, program)
	}
	if err != nil {
		return cli.Answer{}, err
	}
	return cli.Answer{}, t.BecomePsql(program, s.Admin, own != nil)
}

// serverToOpen is the server that is meant, with a URL that leads to the database that is.
func serverToOpen(ctx context.Context, t *task.Task) (s registry.Server, err error) {
	if words := t.Before(); len(words) > 0 {
		s, err = serverOf(ctx, t, words[0])
	} else {
		s, err = serverOfNext(ctx, t)
	}
	if err == nil {
		if err = hosting.CheckWithheld(s); err != nil {
			err = fmt.Errorf("server %s: %w", s.Name, err)
		}
	}
	return s, err
}

// serverOf is the server of a tenant's database.
func serverOf(ctx context.Context, t *task.Task, word string) (s registry.Server, err error) {
	var subject hosting.Subject
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) error {
		tenant, err := t.Tenant(ctx, dir, view, &word)
		if err == nil {
			subject, err = hosting.SubjectOf(ctx, view, tenant)
		}
		return err
	})
	if err != nil {
		return s, err
	}
	if subject.Server == nil {
		return s, cli.Hint(fmt.Errorf("tenant %s: sp did not make its database: %w", subject.Tenant, hosting.ErrNotOwn),
			"%s opens it as the tenant", cli.To("sp psql", string(subject.Tenant.ID)))
	}
	s = t.WantedByDefault().Instead(*subject.Server)
	s.Admin, err = pgurl.WithDatabase(s.Admin, subject.Database.Name)
	return s, err
}

// serverOfNext is the server on which the next database would be made, if it is there.
func serverOfNext(ctx context.Context, t *task.Task) (registry.Server, error) {
	known, err := t.KnownServers(ctx)
	if err != nil {
		return registry.Server{}, err
	}
	s, err := t.FindServer(ctx, t.WantedByDefault(), known)
	if err == nil && s.Admin.Empty() {
		err = cli.Hint(cli.Of(hosting.ErrNoServer, "sp runs no server here"), "%s", cli.To("sp db up"))
	}
	return s, err
}
