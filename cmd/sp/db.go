package main

import (
	"cmp"
	"context"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

func (a *app) dbCommands() *cli.Command {
	return group("db", "the PostgreSQL server of local tenants", a.dbUpCommand(), a.dbDownCommand(), a.dbStatusCommand(), a.dbUseCommand(),
		a.dbListCommand(), a.dbRemoveCommand())
}

func addressOf(s registry.Server) string {
	u, err := pgurl.Parse(s.Admin)
	if err != nil {
		return ""
	}
	return u.Addresses()[0].Name
}

func (a *app) dbDownCommand() *cli.Command {
	return &cli.Command{
		Name:        "down",
		Usage:       "stop the server that sp runs; its data stays",
		Description: "Open sessions end. sp db up starts it again.",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			var servers []registry.Server
			var m *hosting.Machine
			if err := a.read(ctx, func(dir project.Dir, view *registry.View) (err error) {
				m = a.machine(dir, nil)
				servers, err = view.Servers(ctx)
				return err
			}); err != nil {
				return err
			}
			return a.untilTold(ctx, func(ctx context.Context) error { return a.dbDown(ctx, m, servers) })
		},
	}
}

func (a *app) dbDown(ctx context.Context, m *hosting.Machine, servers []registry.Server) error {
	stopped := []string{}
	for _, s := range servers {
		if !s.IsOwn() {
			continue
		}
		if err := hosting.CheckWithheld(s); err != nil { // it may be another project's
			a.note("server %s: %v", s.Name, err)
			continue
		}
		running, err := m.Running(ctx, s)
		if err != nil {
			return err
		}
		if !running {
			continue
		}
		if err := m.Stop(ctx, s); err != nil {
			return err
		}
		a.note("server %s stopped", s.Name)
		stopped = append(stopped, s.Name)
	}
	if len(stopped) == 0 {
		a.note("sp runs no server here")
	}
	if a.json {
		return a.document(map[string]any{"stopped": stopped})
	}
	return nil
}

func (a *app) dbUseCommand() *cli.Command {
	return &cli.Command{
		Name:  "use",
		Usage: "make the databases of new tenants on a server that is there",
		Description: "  sp db use --server-stdin < admin-url.txt\n" +
			"  sp db use --none\n\n" +
			"The URL is that of somebody who may make roles and databases there (CREATEROLE and\n" +
			"CREATEDB). It is kept in the registry while databases of sp are there.",
		Flags: append(secretFlags("server", "the `URL` of somebody who may make databases"), boolFlag("none", "use none any more")),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			w, err := a.wantedServer(ctx, cmd)
			if err != nil {
				return err
			}
			if given := w.Provider != ""; given == cmd.Bool("none") {
				return usage("db use: either --server-stdin, or --none")
			} else if !given {
				return a.dbUseNone(ctx)
			}
			return a.inSteps(ctx, a.others, func(ctx context.Context, m *hosting.Machine) error { return a.dbUse(ctx, m, *w.Admin) })
		},
	}
}

func (a *app) dbUse(ctx context.Context, m *hosting.Machine, admin secret.Secret) error {
	s, err := registry.ServerAt(admin)
	if err != nil {
		return err
	}
	met, err := m.Use(ctx, s)
	a.tell(met, "")
	if !made(err) {
		return err
	}
	a.note("new databases are made on server %s", s.Name)
	return cmp.Or(err, a.dbUsed(s.Name))
}

func (a *app) dbUseNone(ctx context.Context) error {
	err := a.change(ctx, a.others(func(ctx context.Context, reg *registry.Registry) error { return reg.ChooseNoServer(ctx) }))
	if !made(err) {
		return err
	}
	a.note("new databases are made where sp finds a server")
	return cmp.Or(err, a.dbUsed(""))
}

func (a *app) dbUsed(server string) error {
	if a.json {
		return a.document(map[string]any{"server": server})
	}
	return nil
}
