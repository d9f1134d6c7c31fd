package files

import (
	"context"
	"errors"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// copyOf is the copy that the flags ask for, nil for the file that follows the registry.
func copyOf(t *task.Task, dir project.Dir) (*workspace.Publisher, error) {
	path := dir.Tenants()
	if t.IsSet("path") {
		if err := task.CheckFileWord("--path", t.String("path")); err != nil {
			return nil, err
		}
		var err error
		if path, err = t.Resolved(t.String("path")); err != nil {
			return nil, err
		}
	}
	if path == dir.Tenants() {
		if t.Bool("drop-unknown") {
			return nil, cli.Hint(cli.Usage("--drop-unknown: not for the file that follows the registry"), "--path FILE writes a copy")
		}
		return nil, nil
	}
	p := workspace.Publisher{
		Path: path, Name: path, Registry: dir.Path(), Wanted: true, Force: t.Bool("force"), Documented: t.Bool("drop-unknown"), Watch: t.WatchWriting,
	}
	return &p, t.CheckOutside(dir, path, "a copy")
}

// writeCopy makes a copy and keeps it out of git.
func writeCopy(ctx context.Context, t *task.Task, dir project.Dir, p workspace.Publisher) error {
	err := t.Read(ctx, func(_ project.Dir, view *registry.View) error { return p.Check(ctx, view) })
	if errors.As(err, new(*follow.ChangedError)) {
		return cli.Hint(err, "%s overwrites it", cli.To("sp export", "--path", p.Path, "--force"))
	}
	if err != nil {
		return err
	}
	if err := t.HideCopy(ctx, p.Path); err != nil {
		return err
	}
	return t.ChangeIn(ctx, dir, workspace.Change{Copy: &p, Commit: task.Nothing})
}
