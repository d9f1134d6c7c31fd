package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) dbUpCommand() *cli.Command {
	return &cli.Command{
		Name:  "up",
		Usage: "start the server that sp runs, or make one",
		Description: "In Docker or, without it, of this machine's own programs; a server that was made\n" +
			"before is started again. Where there is no registry, one is made.",
		Flags: []cli.Flag{
			stringFlag("provider", "`docker` or local"),
			&cli.IntFlag{Name: "port", Usage: "let the local server take another `PORT`, and the URLs follow", HideDefault: true, OnlyOnce: true},
			setAsideFlag(),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			w := wanted{provider: cmd.String("provider")}
			if w.provider != "" && w.provider != string(registry.InDocker) && w.provider != string(registry.LocalPrograms) {
				return usage("--provider: docker or local")
			}
			if port := cmd.Int("port"); cmd.IsSet("port") && (port < 1024 || port > 65535) {
				return usage("db up: --port: from 1024 to 65535")
			}
			return a.untilTold(ctx, func(ctx context.Context) error {
				isNew, err := a.isNew()
				if err == nil && isNew { // nothing is made for a server that can't be
					_, err = a.findServer(ctx, w, nil)
				}
				if err != nil {
					return err
				}
				return a.stepsNew(ctx, standingBy(cmd), func(ctx context.Context, dir project.Dir, reg *registry.Registry) error {
					return a.dbUp(ctx, dir, reg, w, cmd.Int("port"))
				})
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
	if s, err = a.nameServer(ctx, reg, s); err != nil {
		return err
	}
	if s, err = a.settleServer(ctx, dir, reg, s); err != nil {
		return err
	}
	h, err := a.bringUpAt(ctx, dir, reg, s, port)
	if err != nil {
		return err
	}
	defer h.close()
	if err := a.tellMissing(ctx, reg, h); err != nil {
		return err
	}
	a.note("server %s runs: PostgreSQL %s", h.Name, h.admin.Version())
	if a.json {
		return a.document(map[string]any{"name": h.Name, "running": true, "version": h.admin.Version(), "address": addressOf(h.Server)})
	}
	return a.line(addressOf(h.Server))
}

// nameServer has a server used that was withheld until somebody named it.
func (a *app) nameServer(ctx context.Context, reg *registry.Registry, s registry.Server) (registry.Server, error) {
	if s.Withheld == registry.Foreign {
		return s, fmt.Errorf("server %s: %w", s.Name, refuseWithheld(s))
	}
	s.Withheld = ""
	return s, reg.NameServer(ctx, s.Name)
}

// tellMissing names the databases that are recorded on a server and are not there.
func (a *app) tellMissing(ctx context.Context, reg *registry.Registry, h *host) error {
	view, err := reg.View(ctx)
	if err != nil {
		return err
	}
	databases, err := view.Databases(ctx)
	view.Close()
	if err != nil {
		return err
	}
	missing, err := missingFrom(ctx, h, databases)
	for _, d := range missing {
		id := project.Quoted(string(d.Tenant))
		a.note("warning: database %s is recorded and not on the server, or not whole: sp tenant provision %s makes again what is missing", d.Name, id)
	}
	return err
}

// settleServer has what a server would be started from looked at, where it may be anybody's.
func (a *app) settleServer(ctx context.Context, dir project.Dir, reg *registry.Registry, s registry.Server) (registry.Server, error) {
	switch {
	case s.Provider == registry.InDocker:
		return a.settleContainer(ctx, dir, reg, s)
	case s.Provider == registry.LocalPrograms && !s.Admin.Empty():
		return a.settleCluster(ctx, dir, reg, s)
	}
	return s, nil
}

// bringUpAt brings up a server, at another port unless that is 0, and ends what is due there.
func (a *app) bringUpAt(ctx context.Context, dir project.Dir, reg *registry.Registry, s registry.Server, port int) (h *host, err error) {
	before, published := s.Admin, error(nil)
	if port != 0 {
		if s, published = a.moveServer(ctx, reg, s, port); !made(published) {
			return nil, published
		}
	}
	if h, err = a.bringUp(ctx, dir, reg, s); err == nil {
		err = a.retireDue(ctx, reg, h)
	}
	if err != nil && port != 0 && !s.Admin.Equal(before) { // that it moves is recorded, and its tenants' URLs lead there
		err = withHint(afterwards(err), "sp db up starts the server at its new port")
	}
	if err = errors.Join(published, err); err != nil && h != nil {
		h.close()
	}
	return h, err
}

// moveServer records another port for a server of this machine's programs, which takes it
// when it is started next.
func (a *app) moveServer(ctx context.Context, reg *registry.Registry, s registry.Server, port int) (registry.Server, error) {
	if s.Provider != registry.LocalPrograms || s.Admin.Empty() {
		return s, usage("db up: --port: only a local server that is there takes another one")
	}
	now, password, err := loginOf(s)
	if err != nil {
		return s, err
	}
	if now == port {
		return s, a.change(ctx, a.others(nothing)) // the files that follow, to which a killed command had not come
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
