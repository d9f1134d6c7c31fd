package files

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// Init is `sp init`.
func Init() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "make a registry in this directory's .systemprompt",
		Description: "Makes .systemprompt (0700) with an empty registry and a .gitignore that keeps\n" +
			"its secrets out of git. What is there already stays as it is.",
		Flags: []cli.Flag{task.SetAside()},
		Run:   task.Run(initialize),
	}
}

// made is what sp init answers, in JSON.
type made struct {
	Directory string `json:"directory"`
	Made      bool   `json:"made"`
}

// initialize makes the directory here or where it was named, even inside another
// project: who says init means this place.
func initialize(ctx context.Context, t *task.Task) (answer cli.Answer, err error) {
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		dir, err := t.MakeProjectHere(t.Existing())
		if err != nil {
			return err
		}
		answer, err = initializeIn(ctx, t, dir)
		return t.UnlessMade(dir, err)
	})
	return answer, err
}

func initializeIn(ctx context.Context, t *task.Task, dir project.Dir) (cli.Answer, error) {
	if err := t.HideSecrets(ctx, dir); err != nil {
		return cli.Answer{}, err
	}
	options, err := t.Options(dir)
	if err != nil {
		return cli.Answer{}, err
	}
	t.Made, err = makeRegistry(ctx, dir, options)
	if err != nil && t.Made {
		err = cli.Hint(fmt.Errorf("%w: %w", registry.ErrIncomplete, db.Explain(err)), "%s, again, tells whether it can be used", cli.To("sp init"))
	}
	return cli.Line(made{Directory: dir.Path(), Made: t.Made}, dir.Path()), err
}

// makeRegistry makes the registry where it is missing, and looks whether it can be used.
func makeRegistry(ctx context.Context, dir project.Dir, options registry.Options) (made bool, err error) {
	reg, made, err := registry.Create(ctx, dir.Registry(), options)
	if err != nil {
		return made, err
	}
	view, err := reg.View(context.WithoutCancel(ctx)) // a signal comes too late now
	if err == nil {
		view.Close()
	}
	return made, errors.Join(err, reg.Close())
}
