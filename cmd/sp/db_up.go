package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/hosting"
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
			w := hosting.Wanted{Provider: registry.Provider(cmd.String("provider"))}
			if w.Provider != "" && w.Provider != registry.InDocker && w.Provider != registry.LocalPrograms {
				return usage("--provider: docker or local")
			}
			if port := cmd.Int("port"); cmd.IsSet("port") && (port < 1024 || port > 65535) {
				return usage("db up: --port: from 1024 to 65535")
			}
			return a.untilTold(ctx, func(ctx context.Context) error { return a.dbUp(ctx, w, cmd.Int("port"), existingBy(cmd)) })
		},
	}
}

func (a *app) dbUp(ctx context.Context, w hosting.Wanted, port int, files existingFiles) error {
	known, err := a.knownServers(ctx)
	if err != nil {
		return err
	}
	elsewhere := func(s registry.Server) bool { return !s.IsOwn() }
	s, err := a.findServer(ctx, w, slices.DeleteFunc(known, elsewhere)) // nothing is made for a server that can't be
	if err != nil {
		return err
	}
	if err := a.makeRegistry(ctx, files); err != nil {
		return err
	}
	return a.inSteps(ctx, a.tenants, func(ctx context.Context, m *hosting.Machine) error {
		if s, err = m.Name(ctx, s); err != nil {
			return err
		}
		if s, err = a.allow(ctx, m, s); err != nil {
			return err
		}
		if port != 0 && (s.Provider != registry.LocalPrograms || s.Admin.Empty()) {
			return usage("db up: --port: only a local server that is there takes another one")
		}
		up, err := m.Up(ctx, s, port)
		a.tellUp(up, port)
		if up.Stayed {
			err = withHint(err, "sp db up starts the server at its new port")
		}
		if err != nil {
			return err
		}
		a.note("server %s runs: PostgreSQL %s", up.Server.Name, up.Version)
		if a.json {
			return a.document(map[string]any{"name": up.Server.Name, "running": true, "version": up.Version, "address": addressOf(up.Server)})
		}
		return a.line(addressOf(up.Server))
	})
}

func (a *app) tellUp(up hosting.Up, port int) {
	for _, id := range up.Moved {
		a.note("the URL of tenant %s leads to port %d", id, port)
	}
	a.tell(up.Warnings, "")
	for _, d := range up.Missing {
		id := project.Quoted(string(d.Tenant))
		a.note("warning: database %s is recorded and not on the server, or not whole: sp tenant provision %s makes again what is missing", d.Name, id)
	}
}

// allow has what a server would be started from looked at, where it may be anybody's.
func (a *app) allow(ctx context.Context, m *hosting.Machine, s registry.Server) (registry.Server, error) {
	d, err := m.Doubt(s)
	if err == nil {
		err = a.lookAt(ctx, s, d)
	}
	if err != nil {
		return s, err
	}
	if s, err = m.Allow(ctx, s, d); made(err) && d.From != "" {
		a.note("server %s moved to %s", s.Name, d.Dir)
	}
	return s, err
}

// lookAt shows what is in doubt, and asks.
func (a *app) lookAt(ctx context.Context, s registry.Server, d hosting.Doubt) error {
	switch {
	case d.Edited != nil && !a.terminal(int(a.stdin.Fd())):
		return d.Edited
	case d.Edited != nil:
		for line := range strings.Lines(d.Text) {
			a.note("  %s", strings.TrimSuffix(line, "\n"))
		}
		return a.confirmTyped(ctx, fmt.Sprintf("This is what the container would be made from (%s). Somebody wrote or edited it. Use it?", d.Dir))
	case d.Foreign:
		return a.confirmData(ctx, fmt.Sprintf("%s is not the directory that sp recorded for server %s, perhaps a copy or a restored backup. Starting it runs what is in it. Start it?", d.Dir, s.Name))
	case d.From != "":
		return a.confirmData(ctx, fmt.Sprintf("An earlier sp made server %s in %s. It moves to %s. Starting it runs what is in it. Go on?", s.Name, d.From, d.Dir))
	}
	return nil
}

// confirmData asks about data that may be anybody's. -y does not answer; without a terminal
// SP_TRUST must name the project.
func (a *app) confirmData(ctx context.Context, question string) error {
	dir, err := a.project()
	if err != nil {
		return err
	}
	named, err := a.isTrustNamed(dir)
	if err != nil || named && !a.terminal(int(a.stdin.Fd())) {
		return err
	}
	err = a.confirmTyped(ctx, question)
	if errors.Is(err, errConfirm) {
		err = withHint(err, "sp db up asks at a terminal; without one, SP_TRUST=%s says yes", project.Quoted(filepath.Dir(dir.Path())))
	}
	return err
}
