package database

import (
	"context"
	"os"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
)

func listCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the servers that sp runs with local programs, for all your projects",
		Description: "Columns: id, running or stopped, and the project for which the server was made.\n" +
			"sp db remove ID removes one, for example if its project no longer exists.",
		Run: task.Run(list),
	}
}

// placed is a server in the user's place for data, in JSON.
type placed struct {
	ID      string  `json:"id"`
	Running bool    `json:"running"`
	Data    string  `json:"data"`
	Project *string `json:"directory"`
	Gone    bool    `json:"directory_is_gone"`
}

func list(ctx context.Context, t *task.Task) (cli.Answer, error) {
	clusters, err := t.Machine(project.Dir{}, nil).Clusters(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	return cli.Answer{
		List: "servers", Title: "Servers", Heads: []string{"ID", "STATE", "PROJECT"},
		Empty: "sp runs no server with this machine's programs; " + cli.To("sp db up").String() + " starts one",
		Rows: func(yield func(cli.Row, error) bool) {
			for _, c := range clusters {
				if s := placedOf(c); !yield(cli.Row{Cells: s.cells(), Value: s}, nil) {
					return
				}
			}
		},
	}, nil
}

func placedOf(c postgres.Placed) placed {
	s := placed{ID: c.ID, Running: c.Running, Data: c.Dir}
	if c.Owner != "" {
		s.Project = &c.Owner
		_, err := os.Lstat(c.Owner)
		s.Gone = os.IsNotExist(err)
	}
	return s
}

func (s placed) cells() []string {
	state, owner := "stopped", "no project is told"
	if s.Running {
		state = "running"
	}
	if s.Project != nil {
		owner = *s.Project
	}
	if s.Gone {
		owner += " (gone)"
	}
	return []string{s.ID, state, owner}
}
