package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

func exportsToStdout(cmd *cli.Command) (bool, error) {
	to := argument(cmd, 0)
	switch {
	case to != nil && *to != "-":
		return false, withHint(usage("export: only - is known here"), "--path FILE writes a copy")
	case to != nil && cmd.IsSet("path"):
		return false, usage("export: --path and -")
	case to != nil && (cmd.Bool("check") || cmd.Bool("force")):
		return false, usage("export -: --check and --force are for files")
	case cmd.Bool("check") && cmd.Bool("force"):
		return false, usage("export: --check and --force")
	}
	return to != nil || cmd.String("path") == "-", nil
}

func (a *app) printExport(ctx context.Context, documented bool) error {
	if err := a.refuseJSON("export -"); err != nil {
		return err
	}
	return a.read(ctx, func(dir project.Dir, view *registry.View) error {
		a.out.dir = dir.Path()
		state, err := view.State(ctx)
		if err != nil {
			return err
		}
		return exporter.EncodeView(ctx, a.watchWriting(&a.out), view, state.Document, documented)
	})
}

// prepareCopy makes a copy's directory and keeps the copy out of git, unless it
// would be refused.
func (a *app) prepareCopy(ctx context.Context, p workspace.Publisher) error {
	err := a.read(ctx, func(_ project.Dir, view *registry.View) error { return p.Check(ctx, view) })
	var changed *follow.ChangedError
	if errors.As(err, &changed) {
		return withHint(err, "sp export --path %s --force overwrites it", project.Quoted(p.Path))
	}
	if err != nil {
		return err
	}
	return a.hideCopy(ctx, p.Path)
}

// checkOutside holds the rule for every file that sp writes elsewhere: not in the directory
// of a registry, and not where somebody else could rename it, and give us theirs to write
// into.
func (a *app) checkOutside(dir project.Dir, path, what string) error {
	if isInRegistry(dir, path) {
		return withHint(fmt.Errorf("%s: %s in the directory of a registry: %w", path, what, registry.ErrInvalid),
			"what is in there has its own use, and goes with it; name another place")
	}
	return a.checkAbove(path)
}

// isInRegistry tells whether a path leads into the directory of a registry, this
// one or another, by whatever name.
func isInRegistry(dir project.Dir, path string) bool {
	own, err := os.Stat(dir.Path())
	if err != nil {
		return false
	}
	if _, err := os.Lstat(filepath.Join(filepath.Dir(path), filepath.Base(dir.Registry()))); err == nil {
		return true
	}
	for parent := filepath.Dir(path); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err == nil && os.SameFile(info, own) || filepath.Base(parent) == project.Name {
			return true
		}
		if parent == filepath.Dir(parent) {
			return false
		}
	}
}

// checkPathWord refuses what was meant as a way to a database: it must not be
// repeated, and nothing is made under its name.
func checkPathWord(what, path string) error {
	if strings.Contains(path, "://") || pgurl.IsConnection(path) {
		return usage("%s: a way to a database where a path belongs", what)
	}
	return nil
}

// checkFileWord refuses what can't be the name of a file.
func checkFileWord(what, path string) error {
	if err := checkPathWord(what, path); err != nil {
		return err
	}
	if strings.HasSuffix(path, "/") {
		return usage("%s: %s names a directory", what, path)
	}
	return nil
}
