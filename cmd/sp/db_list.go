package main

import (
	"context"
	"os"

	"github.com/sp-registry/sp/internal/project"
	"github.com/urfave/cli/v3"
)

func (a *app) dbListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the servers of all your projects that sp runs of this machine's programs",
		Description: "Columns: id, running or stopped, the project for which it was made. sp db remove ID ends\n" +
			"one, for example that of a project that is gone.",
		Action: func(ctx context.Context, cmd *cli.Command) error { return a.dbList(ctx) },
	}
}

// placedServer is a server in the user's place for data, in JSON.
type placedServer struct {
	ID      string  `json:"id"`
	Running bool    `json:"running"`
	Data    string  `json:"data"`
	Project *string `json:"directory"`
	Gone    bool    `json:"directory_is_gone"`
}

func (a *app) dbList(ctx context.Context) error {
	clusters, err := a.machine(project.Dir{}, nil).Clusters(ctx)
	if err != nil {
		return err
	}
	found := []placedServer{}
	var rows [][]string
	for _, c := range clusters {
		s := placedServer{ID: c.ID, Running: c.Running, Data: c.Dir}
		state, owner := "stopped", "no project is told"
		if c.Running {
			state = "running"
		}
		if c.Owner != "" {
			s.Project, owner = &c.Owner, c.Owner
			if _, err := os.Lstat(c.Owner); os.IsNotExist(err) {
				s.Gone = true
				owner += " (gone)"
			}
		}
		found = append(found, s)
		rows = append(rows, []string{s.ID, state, owner})
	}
	if a.json {
		return a.document(map[string]any{"servers": found})
	}
	return a.table("Servers", rowsOf(rows...))
}
