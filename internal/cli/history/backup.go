package history

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
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// Backup is `sp backup`.
func Backup() *cli.Command {
	return &cli.Command{
		Name:  "backup",
		Usage: "back up the whole registry to a file",
		Args:  []cli.Arg{{Name: "FILE", Kind: task.File}},
		Description: "FILE (mode 0600) holds all secrets, but nothing that sp no longer needs. With a\n" +
			"recipient, sp encrypts it with age and writes nothing unencrypted to a disk.\n" +
			"Don't copy the registry with cp: another command may be changing it.\n\n" +
			"  sp backup --age-recipient age1… ~/backups/sp.age",
		Flags: append(recipientFlags(), cli.Bool("force", "overwrite FILE")),
		Run:   task.Run(backup),
	}
}

// written is a backup, in JSON.
type written struct {
	Path      string `json:"path"`
	Encrypted bool   `json:"encrypted"`
}

func backup(ctx context.Context, t *task.Task) (cli.Answer, error) {
	to, err := recipients(t)
	if err != nil {
		return cli.Answer{}, err
	}
	dir, err := t.Project()
	if err != nil {
		return cli.Answer{}, err
	}
	path, err := backupPath(t, dir)
	if err != nil {
		return cli.Answer{}, err
	}
	if err := backUp(ctx, t, dir, path, to); err != nil {
		return cli.Answer{}, err
	}
	t.Note("%s holds the registry", path)
	return cli.Answer{Value: written{Path: path, Encrypted: len(to) > 0}}, nil
}

// backUp opens the registry's file and writes it to path. A signal ends it with nothing left.
func backUp(ctx context.Context, t *task.Task, dir project.Dir, path string, to []age.Recipient) error {
	options, err := t.StoreOptions(dir)
	if err != nil {
		return err
	}
	store, err := db.Open(ctx, dir.Registry(), options)
	if err != nil {
		return err
	}
	err = t.UntilTold(ctx, func(ctx context.Context) error {
		if err := t.HideCopy(ctx, path); err != nil {
			return err
		}
		err := writeBackup(ctx, t, dir, store, path, to)
		t.Made = task.Made(err)
		return err
	})
	return errors.Join(err, store.Close())
}

// backupPath is where the backup goes: not among the registry's own files, and not
// over something else unless that is forced.
func backupPath(t *task.Task, dir project.Dir) (string, error) {
	word := *t.Arg(0)
	if word == "-" {
		return "", cli.Hint(cli.Usage("backup: stdout is not a place for it"), "name a file")
	}
	if err := task.CheckFileWord("backup", word); err != nil {
		return "", err
	}
	path, err := t.Resolved(word)
	if err != nil {
		return "", err
	}
	if err := t.CheckOutside(dir, path, "a backup"); err != nil {
		return "", err
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", cli.Hint(fmt.Errorf("%s: not a regular file: %w", path, cli.ErrFile), "name another place")
	case !t.Bool("force"):
		return "", existing(path)
	}
	return path, nil
}

func existing(path string) error {
	return cli.Hint(fmt.Errorf("%s: %w", path, registry.ErrExists), "%s overwrites it", cli.To("sp backup", path, "--force"))
}

// writeBackup writes to a temporary file beside path, which gets the name when it is
// whole and durable.
func writeBackup(ctx context.Context, t *task.Task, dir project.Dir, store *db.DB, path string, to []age.Recipient) error {
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
		err = encrypt(file, to, func(w io.Writer) error { return store.Stream(ctx, t.WatchWriting(w)) })
	}
	if err == nil {
		err = checkSame(file)
	}
	if err == nil {
		err = give(file.Name(), path, t.Bool("force"))
	}
	if err != nil {
		return err
	}
	if err := errors.Join(removeUnfinished(file.Name()), place.SyncDir(filepath.Dir(path))); err != nil {
		return cli.Hint(fmt.Errorf("%w: %w", registry.ErrIncomplete, err), "%s is whole; %s writes it again", path, cli.To("sp backup", path, "--force"))
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
		err = fmt.Errorf("%s: somebody put another file in its place: %w", file.Name(), cli.ErrFile)
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
