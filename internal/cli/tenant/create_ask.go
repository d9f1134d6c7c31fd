package tenant

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// askName asks for the name of a new tenant; Enter takes that of the project's directory.
func askName(ctx context.Context, t *task.Task, again bool) (string, error) {
	if !t.CanAsk() {
		return "", cli.Usage("tenant create: --name is missing")
	}
	isNew, err := t.IsNew()
	if err == nil && !isNew { // what is the matter with the registry is no matter of the name
		err = t.Read(ctx, func(project.Dir, *registry.View) error { return nil })
	}
	if err != nil {
		return "", err
	}
	usual, err := projectName(t)
	if err != nil {
		return "", err
	}
	check := func(name string) error { return checkNew(ctx, t, name, again || isNew) }
	question := cli.Question{What: "Name", Check: check}
	if check(usual) == nil {
		question.Default = &usual
	}
	return t.Ask(ctx, question)
}

// projectName is what people call the directory in which the tenant is to be.
func projectName(t *task.Task) (string, error) {
	dir, err := t.NewProject()
	if errors.Is(err, project.ErrNoDirectory) {
		here, err := t.WorkingDirectory()
		return filepath.Base(here), err
	}
	return filepath.Base(filepath.Dir(dir.Path())), err
}

// checkNew refuses a name that sp would not give to a new tenant, and one that is taken unless
// that is allowed.
func checkNew(ctx context.Context, t *task.Task, name string, again bool) error {
	if err := (registry.NewTenant{Tenant: newLocal("", name, nil, nil)}).Check(); err != nil || again {
		return err
	}
	return t.Read(ctx, func(_ project.Dir, view *registry.View) error {
		other, err := view.ExactTenant(ctx, name)
		switch {
		case errors.Is(err, registry.ErrNotFound):
			return nil
		case err == nil:
			return fmt.Errorf("%s has that name or id", other)
		}
		return err
	})
}

// askURL asks for the URL of a database that is there, nil for a new one.
func askURL(ctx context.Context, t *task.Task) (*secret.Secret, error) {
	for {
		url, err := t.AskSecret(ctx, "Database URL (not shown; Enter makes a new database)")
		if err != nil || url == nil {
			return nil, err
		}
		if err = pgurl.Check(*url); err == nil {
			return url, nil
		}
		t.Note("%v", err)
	}
}
