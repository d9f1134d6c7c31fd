package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/project"
)

// findGit finds the program that knows what would be shared; none where there is
// none. It is started by start.
func findGit(start func(*exec.Cmd) error) project.Git {
	path, err := exec.LookPath("git")
	if err != nil {
		return project.Git{}
	}
	return project.Git{Path: path, Env: os.Environ(), Start: start}
}

// hideSecrets makes sure, before the first secret is there, that git tracks none,
// and names those that it tracks already.
func (a *app) hideSecrets(ctx context.Context, dir project.Dir) error {
	rules, err := dir.EnsureIgnored(ctx, a.git())
	if err != nil {
		return err
	}
	if len(rules) > 0 {
		a.note("added to %s: %s", filepath.Join(dir.Path(), ".gitignore"), strings.Join(rules, " "))
	}
	tracked, err := dir.TrackedSecrets(ctx, a.git())
	for _, path := range tracked {
		a.warnOfTracked(dir.Path(), path)
	}
	return a.forgiveGit(err)
}

// hideCopy does the same for an export elsewhere.
func (a *app) hideCopy(ctx context.Context, path string) error {
	ignored, err := project.IgnoreExport(ctx, a.git(), path)
	if err != nil {
		return err
	}
	if ignored {
		a.note("a .gitignore beside it keeps %s out of git", path)
	}
	tracked, err := project.IsTracked(ctx, a.git(), path)
	if tracked {
		a.warnOfTracked(filepath.Dir(path), filepath.Base(path))
	}
	return a.forgiveGit(err)
}

func (a *app) warnOfTracked(dir, path string) {
	a.note("warning: git tracks %s; untrack it: git -C %s rm --cached -- %s", path, project.Quoted(dir), project.Quoted(path))
}

// forgiveGit takes it that git does not answer what it tracks, as it refuses in a
// work tree of another user: that is worth a word, and no reason to stop.
func (a *app) forgiveGit(err error) error {
	if errors.Is(err, project.ErrGit) {
		a.note("warning: whether git tracks a secret is not known: %v", err)
		return nil
	}
	return err
}
