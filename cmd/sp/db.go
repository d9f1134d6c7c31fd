package main

import (
	"cmp"
	"context"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) dbCommands() *cli.Command {
	return group("db", "the PostgreSQL server of local tenants", a.dbUpCommand(), a.dbDownCommand(), a.dbStatusCommand(), a.dbUseCommand(),
		a.dbListCommand(), a.dbRemoveCommand())
}

// ownServers are the servers that sp runs.
func ownServers(ctx context.Context, reg *registry.Registry) (own []registry.Server, err error) {
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	servers, err := view.Servers(ctx)
	for _, s := range servers {
		if s.IsOwn() {
			own = append(own, s)
		}
	}
	return own, err
}

func addressOf(s registry.Server) string {
	at, err := registry.Addresses(s.Admin)
	if err != nil {
		return ""
	}
	return at[0].Name
}

func (a *app) dbDownCommand() *cli.Command {
	return &cli.Command{
		Name:        "down",
		Usage:       "stop the server that sp runs; its data stays",
		Description: "Open sessions end. sp db up starts it again.",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			var dir project.Dir
			var servers []registry.Server
			if err := a.read(ctx, func(d project.Dir, view *registry.View) (err error) {
				dir = d
				servers, err = view.Servers(ctx)
				return err
			}); err != nil {
				return err
			}
			return a.untilTold(ctx, func(ctx context.Context) error { return a.dbDown(ctx, dir, servers) })
		},
	}
}

func (a *app) dbDown(ctx context.Context, dir project.Dir, servers []registry.Server) error {
	stopped := []string{}
	for _, s := range servers {
		if !s.IsOwn() {
			continue
		}
		if err := refuseWithheld(s); err != nil { // it may be another project's
			a.note("server %s: %v", s.Name, err)
			continue
		}
		running, err := a.running(ctx, dir, s)
		if err != nil {
			return err
		}
		if !running {
			continue
		}
		if err := a.stopServer(ctx, dir, s); err != nil {
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

func (a *app) stopServer(ctx context.Context, dir project.Dir, s registry.Server) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if s.Provider == registry.InDocker {
		docker, err := a.dockerOf(dir, s)
		if err != nil {
			return err
		}
		return docker.Down(ctx)
	}
	cluster, err := a.cluster(dir, s)
	if err != nil {
		return err
	}
	return cluster.Down(ctx)
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
			given := w.provider != ""
			if given == cmd.Bool("none") {
				return usage("db use: either --server-stdin, or --none")
			}
			dir, err := a.project()
			if err != nil {
				return err
			}
			return a.steps(ctx, func(ctx context.Context, reg *registry.Registry) error { return a.dbUse(ctx, dir, reg, w, given) })
		},
	}
}

func (a *app) dbUse(ctx context.Context, dir project.Dir, reg *registry.Registry, w wanted, given bool) (err error) {
	name := ""
	if given {
		s, err := registry.ServerAt(*w.admin)
		if err != nil {
			return err
		}
		s.Chosen, name = true, s.Name
		h, err := a.bringUp(ctx, dir, reg, s)
		if err != nil {
			return err
		}
		h.close()
		if err := reg.NameServer(ctx, name); err != nil {
			return err
		}
		a.note("new databases are made on server %s", name)
	} else {
		err = reg.ChooseNoServer(ctx)
		a.note("new databases are made where sp finds a server")
	}
	if a.json && made(err) {
		err = cmp.Or(err, a.document(map[string]any{"server": name}))
	}
	return err
}
