package database

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/registry"
)

func downCommand() *cli.Command {
	return &cli.Command{
		Name:        "down",
		Usage:       "stop the server that sp runs; its data stays",
		Description: "Open sessions end, so sp names them and asks first. sp db up starts it again.",
		Flags:       []cli.Flag{cli.Yes()},
		Run:         task.Run(down),
	}
}

// stopped are the servers that were stopped, in JSON.
type stopped struct {
	Servers []record `json:"stopped"`
}

func down(ctx context.Context, t *task.Task) (cli.Answer, error) {
	h, err := lookHere(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	done := stopped{Servers: []record{}}
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		for _, s := range h.own {
			err := mayGoDown(ctx, t, h.Machine, s)
			if err != nil {
				return err
			}
			was, err := stop(ctx, t, h.Machine, s)
			switch {
			case err != nil:
				return err
			case was:
				done.Servers = append(done.Servers, recordOf(s))
			case s.Withheld == "":
				t.Note("server %s was not running", s.Name)
			}
		}
		return nil
	})
	if err == nil && len(h.own) == 0 {
		t.Note("sp runs no server here")
	}
	return cli.Answer{Value: done}, err
}

// mayGoDown asks before a server stops that people use, or that may not start again.
func mayGoDown(ctx context.Context, t *task.Task, m *hosting.Machine, s registry.Server) error {
	if s.Withheld != "" {
		return nil
	}
	if running, err := m.Running(ctx, s); err != nil || !running || m.IsEnding(ctx, s) {
		return err
	}
	if full := m.CheckRoom(s); full != nil {
		if err := t.Confirm(ctx, fmt.Sprintf("Stop server %s? It may not start again, because %v", s.Name, full)); err != nil {
			return err
		}
	}
	return mayEnd(ctx, t, m, s, "Stop")
}

// stop stops a server that sp runs, and tells whether it ran.
func stop(ctx context.Context, t *task.Task, m *hosting.Machine, s registry.Server) (was bool, err error) {
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
