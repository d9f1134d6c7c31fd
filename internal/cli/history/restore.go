package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// Restore is `sp restore`.
func Restore() *cli.Command {
	return &cli.Command{
		Name:  "restore",
		Usage: "replace the registry with a backup",
		Args:  []cli.Arg{{Name: "FILE", Kind: task.File}},
		Description: "FILE is what sp backup wrote, or an automatic copy (.systemprompt/sp.db.bak-…).\n" +
			"sp checks the whole file before it changes anything. It keeps the old registry,\n" +
			"damaged or not, beside the new one for 7 days. The files that follow the\n" +
			"registry change with it.",
		Flags: append(append([]cli.Flag{cli.String("age-identity", "FILE", "decrypt with the identities in FILE")}, task.ClaimFlags()...),
			cli.Yes(), task.NoExport()),
		Run: task.Run(restore),
	}
}

// restoration is what a restore did, in JSON.
type restoration struct {
	Directory string  `json:"directory"`
	Tenants   int     `json:"tenant_count"`
	Revision  int64   `json:"revision"`
	Kept      *string `json:"kept_copy"`
}

func restore(ctx context.Context, t *task.Task) (cli.Answer, error) {
	claim, err := t.Claimed()
	if err != nil {
		return cli.Answer{}, err
	}
	from, err := openBackup(t)
	if err != nil {
		return cli.Answer{}, task.AdviseRestore(err)
	}
	defer func() { _ = from.file.Close() }() // it is only read
	var done registry.Restored
	dir, err := t.InMade(func() (project.Dir, error) { return t.MakeProject(task.Imported) }, func(dir project.Dir) error {
		if err := t.HideSecrets(ctx, dir); err != nil {
			return err
		}
		if info, err := os.Stat(dir.Registry()); err == nil && os.SameFile(info, from.info) {
			return cli.Usage("restore: %s is the registry itself", from.path)
		}
		return t.UntilTold(ctx, func(ctx context.Context) (err error) {
			done, err = replace(ctx, t, dir, from, claim)
			return err
		})
	})
	if !task.Made(err) {
		return cli.Answer{}, task.AdviseRestore(err)
	}
	tellRestored(t, from, done)
	if errors.Is(err, registry.ErrConflict) {
		err = cli.Hint(err, "%s merges that file, %s overwrites it", cli.To("sp import"), cli.To("sp export", "--force"))
	}
	return cli.Answer{Value: restorationOf(dir, done)}, err
}

// replace asks, and restores. Of a registry that may be somebody else's it asks what it is.
func replace(ctx context.Context, t *task.Task, dir project.Dir, from *backupFile, claim db.Claim) (registry.Restored, error) {
	if task.HasRegistry(dir) {
		if err := t.Confirm(ctx, fmt.Sprintf("Replace the registry in %s by %s?", dir.Path(), from.path)); err != nil {
			return registry.Restored{}, err
		}
	}
	done, err := restoreFrom(ctx, t, dir, from, db.Unclaimed)
	if !errors.Is(err, db.ErrUntrusted) {
		return done, err
	}
	if err := t.RefuseTracked(ctx, dir); err != nil {
		return done, err
	}
	if claim, err = t.Claim(ctx, dir, from.source(), claim); err != nil {
		return done, err
	}
	return restoreFrom(ctx, t, dir, from, claim)
}

// restoreFrom keeps the file as it is until it is copied, where it is the registry of
// another directory, which may be in use.
func restoreFrom(ctx context.Context, t *task.Task, dir project.Dir, from *backupFile, claim db.Claim) (registry.Restored, error) {
	if filepath.Base(from.path) == project.RegistryName {
		store, err := t.StoreOptions(dir)
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
	return t.Restore(ctx, dir, source)
}

func tellRestored(t *task.Task, from *backupFile, done registry.Restored) {
	t.Note("restored %d tenants from %s; the registry is at revision %d", done.Tenants, from.path, done.Revision)
	if done.Kept != "" {
		t.Note("what was there is kept for 7 days: %s", done.Kept)
	}
}

func restorationOf(dir project.Dir, done registry.Restored) restoration {
	r := restoration{Directory: dir.Path(), Tenants: done.Tenants, Revision: done.Revision}
	if done.Kept != "" {
		r.Kept = &done.Kept
	}
	return r
}
