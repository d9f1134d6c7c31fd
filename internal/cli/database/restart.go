package database

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

func restartCommand() *cli.Command {
	return &cli.Command{
		Name:  "restart",
		Usage: "stop the server that sp runs, and start it again",
		Description: "  sp db restart -y\n\n" +
			"Some settings and newer programs of PostgreSQL need it. Open sessions end, so sp\n" +
			"names them and asks first. A server that is stopped is started.",
		Flags: []cli.Flag{cli.Yes()},
		Run:   task.Run(restart),
	}
}

// restarted are the servers that were restarted, in JSON.
type restarted struct {
	Servers []started `json:"restarted"`
}

func restart(ctx context.Context, t *task.Task) (a cli.Answer, err error) {
	own, tenants, err := ownServers(ctx, t)
	if err == nil {
		err = t.Offline() // it would stay stopped
	}
	if err != nil {
		return a, err
	}
	done := restarted{Servers: []started{}}
	err = t.InSteps(ctx, t.Tenants, func(ctx context.Context, m *hosting.Machine) error {
		for _, s := range own {
			again, err := restartOne(ctx, t, m, s, tenants)
			if err != nil {
				return err
			}
			done.Servers = append(done.Servers, again)
		}
		return nil
	})
	return cli.Answer{Value: done}, err
}

// ownServers are the servers that sp runs, and which tenant a database on them belongs to.
func ownServers(ctx context.Context, t *task.Task) (own []registry.Server, tenants map[string]registry.TenantID, err error) {
	var known []registry.Server
	tenants = map[string]registry.TenantID{}
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		if known, err = view.Servers(ctx); err != nil {
			return err
		}
		databases, err := view.Databases(ctx)
		for _, d := range databases {
			tenants[d.Name] = d.Tenant
		}
		return err
	})
	for _, s := range known {
		if s.IsOwn() {
			own = append(own, s)
		}
	}
	switch {
	case err != nil || len(own) > 0:
	case len(known) > 0:
		err = cli.Hint(fmt.Errorf("server %s: %w", known[0].Name, hosting.ErrNotOwn), "restart it on its machine, or ask whoever runs it")
	default:
		err = cli.Hint(cli.Of(hosting.ErrNoServer, "sp runs no server here"), "%s", cli.To("sp db up"))
	}
	return own, tenants, err
}

// restartOne looks whether the server can be started again before it stops.
func restartOne(ctx context.Context, t *task.Task, m *hosting.Machine, s registry.Server, tenants map[string]registry.TenantID) (again started, err error) {
	if s, err = m.Name(ctx, s); err != nil {
		return again, err
	}
	if s, err = allow(ctx, t, m, s); err != nil {
		return again, err
	}
	if err := m.CheckRestart(s); err != nil {
		return again, &hosting.ServerError{Server: s, Err: err}
	}
	sessions, err := m.Sessions(ctx, s)
	switch {
	case err != nil:
		err = t.Confirm(ctx, fmt.Sprintf("Restart server %s? It does not say whose sessions end: %v", s.Name, err))
	case len(sessions) > 0:
		err = t.Confirm(ctx, fmt.Sprintf("Restart server %s? %s: %s", s.Name, ending(len(sessions)), cli.Some(whose(sessions, tenants))))
	}
	if err != nil {
		return again, err
	}
	if _, err := stop(ctx, t, m, s); err != nil {
		return again, err
	}
	a, err := start(ctx, t, m, s, 0)
	again, _ = a.Value.(started)
	return again, err
}

func ending(n int) string {
	if n == 1 {
		return "1 session ends"
	}
	return cli.Counted(n, "session") + " end"
}

// whose says to which tenants sessions belong, and how many each has.
func whose(sessions []provision.Session, tenants map[string]registry.TenantID) (who []string) {
	of := map[string]int{}
	for _, s := range sessions {
		owner := "in database " + s.Database
		if id, ok := tenants[s.Database]; ok {
			owner = "of tenant " + string(id)
		}
		of[owner]++
	}
	for _, owner := range slices.Sorted(maps.Keys(of)) {
		who = append(who, fmt.Sprintf("%d %s", of[owner], owner))
	}
	return who
}
