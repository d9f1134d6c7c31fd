package history

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// undoOf is what takes back a change. What is wrong with that, the undo itself says.
func undoOf(ctx context.Context, t *task.Task, sequence *int64) (u registry.Undo, err error) {
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) error {
		u, err = view.UndoOf(ctx, sequence)
		if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrConflict) {
			err = nil
		}
		return err
	})
	return u, err
}

// errTried takes back an undo that was only tried.
var errTried = errors.New("it can be undone")

// undoCreation drops the database that was made for a tenant, and takes back what the registry says of it. What
// would stop the undo behind that stops it first.
func undoCreation(ctx context.Context, t *task.Task, u registry.Undo) (answer cli.Answer, err error) {
	err = t.InSteps(ctx, t.Tenants, func(ctx context.Context, m *hosting.Machine) error {
		if err := tryUndo(ctx, m, u); err != nil {
			return adviseUndo(err)
		}
		hit, err := t.OthersHit(ctx, m, *u.Database)
		if err != nil {
			return err
		}
		if err := confirmUndo(ctx, t, m, u, hit); err != nil {
			return err
		}
		t.TellOthersHit(hit)
		if err := t.DropDatabase(ctx, m, *u.Database); err != nil {
			return err
		}
		var undone registry.Undone
		err = m.Change(ctx, func(reg *registry.Registry) (err error) {
			undone, err = reg.Undo(ctx, u)
			return err
		})
		if !task.Made(err) {
			return cli.Hint(err, "the database is dropped; %s deletes what is left", cli.To("sp tenant delete", string(u.Tenant.ID)))
		}
		answer, err = tellUndone(ctx, t, undone, u.Database, err)
		return err
	})
	return answer, err
}

func tryUndo(ctx context.Context, m *hosting.Machine, u registry.Undo) error {
	err := m.Change(ctx, func(reg *registry.Registry) error {
		if _, err := reg.Undo(ctx, u); err != nil {
			return err
		}
		return errTried
	})
	if errors.Is(err, errTried) {
		return nil
	}
	return err
}

// confirmUndo asks whether the database may go, and says what is in it and who else uses it.
func confirmUndo(ctx context.Context, t *task.Task, m *hosting.Machine, u registry.Undo, hit task.OthersHit) error {
	d, content := *u.Database, ""
	if !t.Bool("yes") {
		if tables, forTests, err := m.Tables(ctx, u.Tenant, d); err == nil {
			content = fmt.Sprintf(" with %s", cli.Counted(tables, "table"))
			if forTests > 0 {
				content += fmt.Sprintf(" (and %s in those for tests)", cli.Counted(forTests, "table"))
			}
		}
	}
	return t.Confirm(ctx, fmt.Sprintf("Drop database %s%s and all that is in it, made for tenant %s at %s on server %s%s? No undo brings it back.",
		d.Name, content, u.Tenant, task.Clock(u.Changes[0].MadeAt), d.Server, hit))
}
