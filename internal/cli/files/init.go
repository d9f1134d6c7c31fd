package files

import (
	"context"
	"errors"

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
		Description: "Makes .systemprompt (mode 0700) with an empty registry, and a .gitignore that\n" +
			"keeps its secrets out of git. sp does not touch what is there already.",
		Flags: []cli.Flag{task.SetAside()},
		Run:   task.Run(initialize),
	}
}

// made is what sp init answers, in JSON.
type made struct {
	Directory string `json:"directory"`
	Made      bool   `json:"made"`
}

// initialize makes the registry, and its directory, here or where it was named, even inside another
// project: who says init means this place.
func initialize(ctx context.Context, t *task.Task) (answer cli.Answer, err error) {
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		_, err := t.InMade(func() (project.Dir, error) { return t.MakeProjectHere(t.Existing()) }, func(dir project.Dir) (err error) {
			answer, err = initializeIn(ctx, t, dir)
			return err
		})
		return err
	})
	return answer, err
}

// initializeIn makes the registry in a directory, where there is none, and looks whether it can be used.
func initializeIn(ctx context.Context, t *task.Task, dir project.Dir) (answer cli.Answer, err error) {
	if err := t.HideSecrets(ctx, dir); err != nil {
		return answer, err
	}
	const first = 1 // the revision of the change that makes a registry
	var revision int64
	there, settled := task.HasRegistry(dir), false
	if there {
		untracked, current, err := findExport(ctx, t, dir, false)
		if settled = untracked || current; err != nil {
			return answer, err
		}
	}
	if !settled {
		c := t.Others(func(ctx context.Context, reg *registry.Registry) error {
			return task.InView(ctx, reg, func(view *registry.View) error {
				state, err := view.State(ctx)
				if revision = state.Revision; err == nil && !there && revision != first {
					err = errMadeMeanwhile
				}
				return err
			})
		})
		c.Create = true
		if err = t.ChangeIn(ctx, dir, c); errors.Is(err, errMadeMeanwhile) && task.HasRegistry(dir) {
			return initializeIn(ctx, t, dir)
		}
	}
	return cli.Line(made{Directory: dir.Path(), Made: t.Made && revision == first}, dir.Path()), err
}

// errMadeMeanwhile ends a change that was to make a registry which another command has made by now.
var errMadeMeanwhile = errors.New("another command made the registry")
