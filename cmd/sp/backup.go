package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"
	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

func (a *app) backupCommand() *cli.Command {
	return &cli.Command{
		Name:      "backup",
		Usage:     "write the whole registry to a file, for sp restore",
		ArgsUsage: "FILE",
		Description: "FILE (0600) holds all secrets; what sp does not need any more is not in it. With a\n" +
			"recipient it is encrypted with age, and what is not encrypted never touches a disk.\n" +
			"A copy with cp instead may be taken in the middle of a change.\n\n" +
			"  sp backup --age-recipient age1… ~/backups/sp.age",
		Flags: append(recipientFlags(), boolFlag("force", "overwrite FILE")),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.backup(ctx, cmd)
		},
	}
}

func (a *app) backup(ctx context.Context, cmd *cli.Command) error {
	to, err := a.recipients(cmd)
	if err != nil {
		return err
	}
	dir, err := a.project()
	if err != nil {
		return err
	}
	path, err := a.backupPath(cmd, dir)
	if err != nil {
		return err
	}
	options, err := a.storeOptions(dir)
	if err != nil {
		return err
	}
	store, err := db.Open(ctx, dir.Registry(), options)
	if err != nil {
		return err
	}
	err = a.untilTold(ctx, func(ctx context.Context) error {
		if err := a.hideCopy(ctx, path); err != nil {
			return err
		}
		err := a.writeBackup(ctx, dir, store, path, cmd.Bool("force"), to)
		a.done.Made = made(err)
		return err
	})
	if err := errors.Join(err, store.Close()); err != nil {
		return err
	}
	a.note("%s holds the registry", path)
	if a.json {
		return a.document(map[string]any{"path": path, "encrypted": len(to) > 0})
	}
	return nil
}

// storeOptions are what the registry's file is opened with, without the rules.
func (a *app) storeOptions(dir project.Dir) (db.Options, error) {
	o, err := a.options(dir)
	return db.Options{Now: o.Now, Wait: o.Wait, Holder: o.Holder, Waiting: o.Waiting, Rand: o.Rand, Trust: o.Trust}, err
}

// backupPath is where the backup goes: not among the registry's own files, and not
// over something else unless that is forced.
func (a *app) backupPath(cmd *cli.Command, dir project.Dir) (string, error) {
	word := cmd.Args().First()
	if word == "-" {
		return "", withHint(usage("backup: stdout is not a place for it"), "name a file")
	}
	if err := checkFileWord("backup", word); err != nil {
		return "", err
	}
	path, err := a.resolved(word)
	if err != nil {
		return "", err
	}
	if err := a.checkOutside(dir, path, "a backup"); err != nil {
		return "", err
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", withHint(fmt.Errorf("%s: not a regular file: %w", path, errFile), "name another place")
	case !cmd.Bool("force"):
		return "", existing(path)
	}
	return path, nil
}

func existing(path string) error {
	return withHint(fmt.Errorf("%s: %w", path, registry.ErrExists), "sp backup --force overwrites it")
}

// writeBackup writes to a temporary file beside path, which gets the name when it is
// whole and durable.
func (a *app) writeBackup(ctx context.Context, dir project.Dir, store *db.DB, path string, force bool, to []age.Recipient) error {
	if err := workspace.SweepBackups(dir.Path()); err != nil {
		return err
	}
	sweepBackups(path)
	file, outside, err := createUnfinished(dir, path)
	if err != nil {
		return err
	}
	defer func() {
		if removeUnfinished(file.Name()) == nil { // after it has its name, this does nothing
			_ = outside.End() // what stays of it is swept
		}
		_ = file.Close()
	}()
	if len(to) == 0 {
		err = store.Backup(ctx, file.Name())
	} else {
		err = encrypt(file, to, func(w io.Writer) error { return store.Stream(ctx, a.watchWriting(w)) })
	}
	if err == nil {
		err = checkSame(file)
	}
	if err == nil {
		err = give(file.Name(), path, force)
	}
	if err == nil { // so that the sync below is of both names
		err = removeUnfinished(file.Name())
	}
	if err != nil {
		return err
	}
	if err := place.SyncDir(filepath.Dir(path)); err != nil {
		return withHint(fmt.Errorf("%w: %w", registry.ErrIncomplete, err), "%s is whole; sp backup --force writes it again", path)
	}
	return nil
}

// checkSame refuses what stands at the file's name and is not the file.
func checkSame(file *os.File) error {
	made, err := file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Lstat(file.Name())
	if err == nil && !os.SameFile(made, there) {
		err = fmt.Errorf("%s: somebody put another file in its place: %w", file.Name(), errFile)
	}
	return err
}

// give gives a finished file its name. Without force, nothing that came there
// meanwhile is overwritten, but on a file system without hard links, where only a look
// is left.
func give(from, to string, force bool) error {
	if force {
		return os.Rename(from, to)
	}
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrExist) {
		return existing(to)
	}
	if err == nil {
		return nil
	}
	if _, err := os.Lstat(to); err == nil {
		return existing(to)
	}
	return os.Rename(from, to)
}
