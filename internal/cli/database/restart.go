package database

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
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
	h, err := lookHere(ctx, t)
	if err = cmp.Or(err, h.mustRunOne(), t.Offline()); err != nil { // offline it would stay stopped
		return a, err
	}
	done := restarted{Servers: []started{}}
	err = t.InSteps(ctx, t.Tenants, func(ctx context.Context, m *hosting.Machine) error {
		for _, s := range h.own {
			again, err := restartOne(ctx, t, m, s)
			if err != nil {
				return err
			}
			done.Servers = append(done.Servers, again)
		}
		return nil
	})
	return cli.Answer{Value: done}, err
}

func restartOne(ctx context.Context, t *task.Task, m *hosting.Machine, s registry.Server) (again started, err error) {
	if s, err = m.Name(ctx, s); err != nil {
		return again, err
	}
	if s, err = allow(ctx, t, m, s); err != nil {
		return again, err
	}
	running, err := m.Running(ctx, s)
	if err == nil && running {
		if err = mayStop(ctx, t, m, s, "Restart"); err == nil {
			_, err = stop(ctx, t, m, s)
		}
	}
	if err != nil {
		return again, err
	}
	a, err := start(ctx, t, m, s, 0)
	again, _ = a.Value.(started)
	return again, err
}

// mayStop looks whether a server can be started again, and asks whose sessions may end. One that takes nobody any more
// has nothing to lose by that.
func mayStop(ctx context.Context, t *task.Task, m *hosting.Machine, s registry.Server, doing string) error {
	if m.IsEnding(ctx, s) {
		return nil
	}
	if err := m.CheckRestart(s); err != nil {
		return fmt.Errorf("server %s: %w", s.Name, &hosting.ServerError{Server: s, Err: err})
	}
	return mayEnd(ctx, t, m, s, doing)
}
