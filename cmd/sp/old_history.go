package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// What the commands that have not moved yet use of log and restore.

// storeOptions are what the registry's file is opened with, without the rules.
func (a *app) storeOptions(dir project.Dir) (db.Options, error) {
	o, err := a.options(dir)
	return db.Options{Now: o.Now, Wait: o.Wait, Holder: o.Holder, Waiting: o.Waiting, Rand: o.Rand, Trust: o.Trust}, err
}

func (a *app) restoreSource(ctx context.Context, dir project.Dir, source db.Source) (registry.Restored, error) {
	w, err := a.workspace(dir)
	if err != nil {
		return registry.Restored{}, err
	}
	restored, done, err := w.Restore(ctx, source, a.noExport)
	if a.done = done; done.Made {
		a.untold = &dir
	}
	return restored, err
}

// explainRestore says of an error, before which nothing was changed, what helps.
func (a *app) explainRestore(ctx context.Context, err error) error {
	var told *signalError
	var unfit *db.BackupError
	switch {
	case errors.As(context.Cause(ctx), &told):
		return told
	case errors.As(err, &unfit):
		return withHint(err, "nothing was changed; restore another backup")
	}
	return err
}

// counted is a number of things, in the right number of words.
func counted(n int, thing string) string {
	switch {
	case n == 1 || strings.HasPrefix(thing, "of "):
		return fmt.Sprintf("%d %s", n, thing)
	case strings.HasSuffix(thing, "y") && !strings.HasSuffix(thing, "ay"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(thing, "y"))
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
