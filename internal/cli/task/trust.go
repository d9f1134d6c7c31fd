package task

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/cli"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/project"
)

// Trust returns what can vouch for a registry at another place: this user's receipts, and SP_TRUST.
// CI and --dir vouch for nothing.
func (t *Task) Trust(dir project.Dir) (db.Trust, error) {
	named, err := t.isTrustNamed(dir)
	return db.Trust{
		Receipts: t.receipts,
		Named:    named,
		Tracked: func(ctx context.Context, names ...string) ([]string, error) {
			return dir.Tracked(ctx, t.Git(), names...)
		},
		Moved: func(from string) { t.moved = &from },
	}, err
}

// receipts is the directory of this user's receipts: none where there is no home, which
// sp never makes, or where that is somebody else's, as it may be behind sudo.
func (t *Task) receipts() string {
	isOurs := func(dir string) bool {
		info, err := os.Stat(dir)
		return err == nil && info.IsDir() && place.IsOwn(info)
	}
	if state := t.Env("XDG_STATE_HOME"); state != nil && filepath.IsAbs(*state) {
		if _, err := os.Stat(*state); err == nil && !isOurs(*state) {
			return ""
		}
		return filepath.Join(*state, "sp", "trust")
	}
	home := t.Env("HOME")
	if home == nil || !filepath.IsAbs(*home) || !isOurs(*home) {
		return ""
	}
	return filepath.Join(*home, ".local", "state", "sp", "trust")
}

// isTrustNamed tells whether SP_TRUST, absolute paths with colons between, names the
// directory or its project.
func (t *Task) isTrustNamed(dir project.Dir) (bool, error) {
	list := t.Env("SP_TRUST")
	if list == nil || *list == "" {
		return false, nil
	}
	named := false
	for _, path := range strings.Split(*list, ":") {
		if path == "" {
			continue
		}
		if !filepath.IsAbs(path) {
			return false, cli.Hint(cli.Usage("SP_TRUST: %s is not an absolute path", path), "name the project or its %s from / on", project.Name)
		}
		actual, err := ResolvedDir(filepath.Clean(path))
		named = named || err == nil && (actual == dir.Path() || filepath.Base(dir.Path()) == project.Name && actual == filepath.Dir(dir.Path()))
	}
	return named, nil
}

// tellMoved says once that the registry was found elsewhere than it was recorded.
func (t *Task) tellMoved() {
	switch {
	case t.moved == nil:
	case *t.moved == "":
		t.Note("this registry was moved, or put back from a copy; where it lies is recorded anew")
	default:
		t.Note("this project is a copy of %s, and has a registry of its own from now on", *t.moved)
		t.Note("its tenants' databases are still those of the other one: sp never drops them from here, and uses no server that it runs for the other")
	}
	t.moved = nil
}
