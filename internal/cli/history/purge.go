package history

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

func purgeCommand() *cli.Command {
	return &cli.Command{
		Name:  "purge",
		Usage: "forget removed secrets, and delete the automatic copies",
		Description: "sp keeps removed secrets for 7 days so that sp undo can put them back. A\n" +
			"migration or sp restore leaves a copy of the registry for as long. This command\n" +
			"removes both at once.",
		Flags: []cli.Flag{cli.Yes()},
		Run:   task.Run(purge),
	}
}

// purged is what a purge did, in JSON.
type purged struct {
	Secrets int `json:"secret_count"`
	Copies  int `json:"copy_count"`
}

func purge(ctx context.Context, t *task.Task) (cli.Answer, error) {
	if err := t.Read(ctx, func(dir project.Dir, view *registry.View) error { return t.RefuseDoubt(ctx, dir, view, nil) }); err != nil {
		return cli.Answer{}, err
	}
	if err := t.Confirm(ctx, "Forget what sp undo and the automatic copies could bring back?"); err != nil {
		return cli.Answer{}, err
	}
	done, err := forget(ctx, t)
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	t.Note("%s forgotten, %s removed", cli.Counted(done.Secrets, "secret"), cli.Counted(done.Copies, "automatic copy"))
	return cli.Answer{Value: done}, err
}

// forget forgets the secrets first: the copies go only when that is sure.
func forget(ctx context.Context, t *task.Task) (done purged, err error) {
	dir, err := t.Project()
	if err != nil {
		return done, err
	}
	copies, _ := db.Copies(dir.Registry()) // removing them says what is the matter
	err = t.Change(ctx, t.Others(func(ctx context.Context, reg *registry.Registry) (err error) {
		done.Secrets, err = reg.PurgeSecrets(ctx, len(copies) > 0)
		return err
	}))
	if !task.Made(err) {
		return done, err
	}
	removed, trouble := db.RemoveCopies(dir.Registry())
	done.Copies = len(removed)
	if trouble != nil {
		err = errors.Join(err, fmt.Errorf("%w: %w", registry.ErrIncomplete, trouble))
	}
	return done, err
}
