package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) restoreCommand() *cli.Command {
	return &cli.Command{
		Name:      "restore",
		Usage:     "put a backup in the place of the registry",
		ArgsUsage: "FILE",
		Description: "FILE is what sp backup wrote, or an automatic copy (.systemprompt/sp.db.bak-…). It is\n" +
			"checked whole before anything changes. The registry that is there, damaged or not, is\n" +
			"kept beside it for 7 days, and the files that follow the registry do.",
		Flags: []cli.Flag{
			stringFlag("age-identity", "decrypt with the identities in `FILE`"),
			claimFlag("moved"), claimFlag("copy"), yesFlag(), a.noExportFlag(),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error { return a.restore(ctx, cmd) },
	}
}

func (a *app) restore(ctx context.Context, cmd *cli.Command) error {
	claim, err := claimed(cmd)
	if err != nil {
		return err
	}
	from, err := a.openBackup(cmd)
	if err != nil {
		return a.explainRestore(ctx, err)
	}
	defer func() { _ = from.file.Close() }() // it is only read
	dir, err := a.makeProject(imported)
	if err != nil {
		return err
	}
	if err := a.hideSecrets(ctx, dir); err != nil {
		return err
	}
	if info, err := os.Stat(dir.Registry()); err == nil && os.SameFile(info, from.info) {
		return usage("restore: %s is the registry itself", from.path)
	}
	ctx, stop := a.untilSignal(ctx)
	defer stop()
	if hasRegistry(dir) {
		if err := a.confirm(ctx, cmd, fmt.Sprintf("replace the registry in %s by %s?", dir.Path(), from.path)); err != nil {
			return err
		}
	}
	done, err := a.restoreFrom(ctx, dir, from, db.Unclaimed)
	if errors.Is(err, db.ErrUntrusted) {
		if err := a.refuseTracked(ctx, dir); err != nil {
			return err
		}
		if claim, err = a.claim(ctx, cmd, dir, from.source(), claim); err == nil {
			done, err = a.restoreFrom(ctx, dir, from, claim)
		}
	}
	if !made(err) {
		return a.explainRestore(ctx, err)
	}
	a.noteRestored(from, done)
	if errors.Is(err, registry.ErrConflict) {
		return withHint(err, "sp import merges that file, sp export --force overwrites it")
	}
	if a.json {
		err = cmp.Or(err, a.document(restorationOf(dir, done)))
	}
	return err
}

// restoreFrom keeps the file as it is until it is copied, where it is the registry of
// another directory, which may be in use.
func (a *app) restoreFrom(ctx context.Context, dir project.Dir, from *backupFile, claim db.Claim) (registry.Restored, error) {
	if filepath.Base(from.path) == project.RegistryName {
		store, err := a.storeOptions(dir)
		if err != nil {
			return registry.Restored{}, err
		}
		lock, err := db.Share(ctx, from.path, store)
		if err != nil {
			return registry.Restored{}, fmt.Errorf("%s: %w", from.path, err)
		}
		defer lock.Unlock()
	}
	source := from.source()
	source.Claim = claim
	return a.restoreSource(ctx, dir, source)
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

func (a *app) noteRestored(from *backupFile, done registry.Restored) {
	a.note("restored %d tenants from %s; the registry is at revision %d", done.Tenants, from.path, done.Revision)
	if done.Kept != "" {
		a.note("what was there is kept for 7 days: %s", done.Kept)
	}
}

// restoration is what a restore did, in JSON.
type restoration struct {
	Directory string  `json:"directory"`
	Tenants   int     `json:"tenants"`
	Revision  int64   `json:"revision"`
	Kept      *string `json:"kept"`
}

func restorationOf(dir project.Dir, done registry.Restored) restoration {
	r := restoration{Directory: dir.Path(), Tenants: done.Tenants, Revision: done.Revision}
	if done.Kept != "" {
		r.Kept = &done.Kept
	}
	return r
}
