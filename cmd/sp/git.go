package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

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
	completed, err := dir.EnsureIgnored(ctx, a.git())
	a.tellIgnored(completed)
	if err != nil {
		return err
	}
	tracked, err := dir.TrackedSecrets(ctx, a.git())
	for _, path := range tracked {
		a.warnOfTracked(dir.Path(), path)
	}
	return a.forgiveGit(err)
}

func (a *app) tellIgnored(completed []string) {
	for _, file := range completed {
		a.note("completed %s, which keeps the secrets out of git", file)
	}
}

// hideCopy does the same for an export elsewhere.
func (a *app) hideCopy(ctx context.Context, file string) error {
	ignored, err := project.IgnoreExport(ctx, a.git(), file)
	if err != nil {
		return err
	}
	if ignored {
		a.note("a .gitignore beside it keeps %s out of git", file)
	}
	tracked, err := project.IsTracked(ctx, a.git(), file)
	if tracked {
		a.warnOfTracked(filepath.Dir(file), filepath.Base(file))
	}
	return a.forgiveGit(err)
}

func (a *app) warnOfTracked(dir, path string) {
	a.note("warning: git tracks %s; untrack it: git -C %s rm --cached -f -- %s", path, project.Quoted(dir), project.Quoted(path))
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
