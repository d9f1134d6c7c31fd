package task

import (
	"context"
	"errors"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// Restore replaces the directory's registry by a source, or makes one from it.
func (t *Task) Restore(ctx context.Context, dir project.Dir, source db.Source) (registry.Restored, error) {
	w, err := t.Workspace(dir)
	if err != nil {
		return registry.Restored{}, err
	}
	restored, done, err := w.Restore(ctx, source, t.Defers())
	if t.Done = done; done.Made {
		t.Made, t.untold = true, &dir
	}
	return restored, err
}

// AdviseRestore adds a hint to an error of a restore that changed nothing.
func AdviseRestore(err error) error {
	var unfit *db.BackupError
	if errors.As(err, &unfit) {
		return cli.Hint(err, "nothing was changed; restore another backup")
	}
	return err
}

// StoreOptions returns the options with which the registry's file is opened without the registry's
// rules.
func (t *Task) StoreOptions(dir project.Dir) (db.Options, error) {
	o, err := t.Options(dir)
	return db.Options{Now: o.Now, Wait: o.Wait, Holder: o.Holder, Waiting: o.Waiting, Rand: o.Rand, Trust: o.Trust}, err
}
