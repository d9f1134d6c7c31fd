package profile

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
)

func showCommand() *cli.Command {
	return &cli.Command{
		Name:  "show",
		Usage: "show a profile and its tenant (without NAME, the one in effect)",
		Args:  []cli.Arg{{Name: "NAME", Kind: task.ProfileWord, Optional: true}},
		Run:   task.Run(show),
	}
}

func show(ctx context.Context, t *task.Task) (cli.Answer, error) {
	dir, err := t.Project()
	if err != nil {
		return cli.Answer{}, err
	}
	view, err := t.View(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	p, err := t.ProfileInEffect(ctx, dir, view, t.Arg(0))
	if err != nil {
		return cli.Answer{}, err
	}
	chosen, err := choiceIn(ctx, view)
	if err != nil {
		return cli.Answer{}, err
	}
	shown, err := chosen.record(ctx, p)
	return cli.Answer{Value: shown, Title: "Profile: " + p.Name, Rows: cli.Rows(
		[]string{"name", shown.Name},
		[]string{"tenant", string(shown.Tenant.ID) + " (" + shown.Tenant.Called() + ")"},
		[]string{"active", task.YesNo(shown.Active)},
		[]string{"default", task.YesNo(shown.Default)},
	)}, err
}
