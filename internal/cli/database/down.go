package database

import (
	"context"
	"slices"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

func downCommand() *cli.Command {
	return &cli.Command{
		Name:        "down",
		Usage:       "stop the server that sp runs; its data stays",
		Description: "Open sessions end. sp db up starts it again.",
		Run:         task.Run(down),
	}
}

// stopped are the servers that were stopped, in JSON.
type stopped struct {
	Servers []record `json:"stopped"`
}

func down(ctx context.Context, t *task.Task) (cli.Answer, error) {
	var servers []registry.Server
	var m *hosting.Machine
	err := t.Read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		m = t.Machine(dir, nil)
		servers, err = view.Servers(ctx)
		return err
	})
	if err != nil {
		return cli.Answer{}, err
	}
	done := stopped{Servers: []record{}}
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		for _, s := range servers {
			was, err := stop(ctx, t, m, s)
			switch {
			case err != nil:
				return err
			case was:
				done.Servers = append(done.Servers, recordOf(s))
			case s.IsOwn() && s.Withheld == "":
				t.Note("server %s was not running", s.Name)
			}
		}
		return nil
	})
	if err == nil && !slices.ContainsFunc(servers, registry.Server.IsOwn) {
		t.Note("sp runs no server here")
	}
	return cli.Answer{Value: done}, err
}

// stop stops a server if sp runs it, and tells whether it ran.
func stop(ctx context.Context, t *task.Task, m *hosting.Machine, s registry.Server) (was bool, err error) {
	if !s.IsOwn() {
		return false, nil
	}
	if err := hosting.CheckWithheld(s); err != nil { // it may be another project's
		t.Note("server %s: %v", s.Name, err)
		return false, nil
	}
	if was, err = m.Running(ctx, s); err != nil || !was {
		return false, err
	}
	if err := m.Stop(ctx, s); err != nil {
		return false, err
	}
	t.Note("server %s stopped", s.Name)
	return true, nil
}
