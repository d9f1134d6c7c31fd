package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) dbCommands() *cli.Command {
	return group("db", "the PostgreSQL server of local tenants", a.dbUpCommand(), a.dbDownCommand(), a.dbStatusCommand(), a.dbUseCommand())
}

func (a *app) dbUpCommand() *cli.Command {
	return &cli.Command{
		Name:  "up",
		Usage: "start the server that sp runs, or make one",
		Description: "In Docker or, without it, of this machine's own programs; a server that was made\n" +
			"before is started again.",
		Flags: []cli.Flag{
			stringFlag("provider", "`docker` or local"),
			&cli.IntFlag{Name: "port", Usage: "let the local server take another `PORT`, and the URLs follow", HideDefault: true, OnlyOnce: true},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			w := wanted{provider: cmd.String("provider")}
			if w.provider != "" && w.provider != string(registry.InDocker) && w.provider != string(registry.LocalPrograms) {
				return usage("--provider: docker or local")
			}
			dir, err := a.project()
			if err != nil {
				return err
			}
			if port := cmd.Int("port"); cmd.IsSet("port") && (port < 1024 || port > 65535) {
				return usage("db up: --port: from 1024 to 65535")
			}
			return a.changeTenants(ctx, func(ctx context.Context, reg *registry.Registry) error {
				return a.dbUp(ctx, dir, reg, w, cmd.Int("port"))
			})
		},
	}
}

func (a *app) dbUp(ctx context.Context, dir project.Dir, reg *registry.Registry, w wanted, port int) error {
	servers, err := ownServers(ctx, reg)
	if err != nil {
		return err
	}
	s, err := a.findServer(ctx, w, servers)
	if err != nil {
		return err
	}
	if port != 0 {
		if s, err = a.moveServer(ctx, reg, s, port); err != nil {
			return err
		}
	}
	h, err := a.bringUp(ctx, dir, reg, s)
	if err != nil {
		return err
	}
	defer h.close()
	if err := a.retireDue(ctx, reg, h); err != nil {
		return err
	}
	a.note("server %s runs: PostgreSQL %s", h.Name, h.admin.Version())
	if a.json {
		return a.document(map[string]any{"name": h.Name, "running": true, "version": h.admin.Version(), "address": addressOf(h.Server)})
	}
	return a.line(addressOf(h.Server))
}

// moveServer records another port for a server of this machine's programs, which takes it
// when it is started next.
func (a *app) moveServer(ctx context.Context, reg *registry.Registry, s registry.Server, port int) (registry.Server, error) {
	if s.Provider != registry.LocalPrograms || s.Admin.Empty() {
		return s, usage("db up: --port: only a local server that is there takes another one")
	}
	now, password, err := loginOf(s)
	if err != nil || now == port {
		return s, err
	}
	free, err := postgres.FreePort(port)
	if err == nil && free != port {
		err = fmt.Errorf("port %d: another program listens there: %w", port, postgres.ErrTaken)
	}
	if err != nil {
		return s, err
	}
	s.Admin = postgres.ClusterURL(port, password)
	moved, err := reg.MoveServer(ctx, s.Name, s.Admin)
	if !made(err) {
		return s, err
	}
	for _, id := range moved {
		a.note("the URL of tenant %s leads to port %d", id, port)
	}
	return s, err
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
			return a.change(ctx, func(ctx context.Context, reg *registry.Registry) error { return a.dbUse(ctx, dir, reg, w, given) })
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
