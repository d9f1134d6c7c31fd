package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) dbRemoveCommand() *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "stop a server that sp runs, and remove its data",
		ArgsUsage: "ID",
		Description: "ID as sp db list prints it, or the name that sp db status shows. All its databases are\n" +
			"lost. A server that is withheld is only forgotten.",
		Flags: []cli.Flag{yesFlag()},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			own, databases, err := a.serverToRemove(ctx, cmd.Args().First())
			if err != nil {
				return err
			}
			if own == nil {
				return a.untilTold(ctx, func(ctx context.Context) error { return a.removeOthers(ctx, cmd) })
			}
			return a.inSteps(ctx, a.tenants, func(ctx context.Context, m *hosting.Machine) error {
				return a.removeOwn(ctx, cmd, m, *own, databases)
			})
		},
	}
}

// serverToRemove finds a server by its id or its name in this project, nil if it is another's.
func (a *app) serverToRemove(ctx context.Context, id string) (own *registry.Server, databases []registry.Database, err error) {
	err = a.read(ctx, func(_ project.Dir, view *registry.View) error {
		servers, err := view.Servers(ctx)
		for _, s := range servers {
			if s.IsOwn() && (s.Name == id || s.Place != nil && *s.Place == id) {
				own = &s
			}
		}
		if err == nil {
			databases, err = view.Databases(ctx)
		}
		return err
	})
	if isNoRegistry(err) {
		err = nil
	}
	return own, databases, err
}

// removeOwn ends a server of this project.
func (a *app) removeOwn(ctx context.Context, cmd *cli.Command, m *hosting.Machine, s registry.Server, databases []registry.Database) error {
	what := "no database is recorded there"
	if lost := hosting.RecordedOn(s, databases); len(lost) > 0 {
		what = "the databases of " + joined(lost) + " are lost"
	}
	question := fmt.Sprintf("Remove server %s and its data? %s.", s.Name, what)
	if s.Withheld != "" {
		question = fmt.Sprintf("Forget server %s? Its data stay where they are, and only this registry may know its password.", s.Name)
	}
	if err := a.confirm(ctx, cmd, question); err != nil {
		return err
	}
	without, err := m.Remove(ctx, s)
	if !made(err) {
		return err
	}
	a.note("server %s removed", s.Name)
	for _, id := range without {
		a.note("tenant %s has no database any more: sp tenant provision %s makes one", id, project.Quoted(string(id)))
	}
	if a.json {
		err = cmp.Or(err, a.document(map[string]any{"removed": s.Name, "tenants": append([]registry.TenantID{}, without...)}))
	}
	return err
}

// removeOthers ends a server of another project, or of one that is gone.
func (a *app) removeOthers(ctx context.Context, cmd *cli.Command) error {
	id := cmd.Args().First()
	m := a.machine(project.Dir{}, nil)
	clusters, err := m.Clusters(ctx)
	if err != nil {
		return err
	}
	for _, c := range clusters {
		if c.ID != id {
			continue
		}
		owner := cmp.Or(c.Owner, "a project that is not told")
		if err := a.confirm(ctx, cmd, fmt.Sprintf("Remove server %s and its data? All databases of %s on it are lost.", id, owner)); err != nil {
			return err
		}
		if err := m.RemoveCluster(ctx, c); err != nil {
			return err
		}
		a.note("server %s removed from %s", id, filepath.Dir(c.Dir))
		if a.json {
			return a.document(map[string]any{"removed": id, "tenants": []string{}})
		}
		return nil
	}
	return withHint(fmt.Errorf("a server with that id: %w", registry.ErrNotFound), "sp db list; sp db status")
}
