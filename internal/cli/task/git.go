package task

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/sp-registry/sp/internal/cli"

	"github.com/sp-registry/sp/internal/project"
)

// Git returns the git program, or the zero value if there is none.
func (t *Task) Git() project.Git {
	path := t.World.Git()
	if path == "" {
		return project.Git{}
	}
	return project.Git{Path: path, Env: t.Environ(), Start: t.Start}
}

// HideSecrets makes git ignore the secret files before the first one is written, and warns about
// those that git tracks already.
func (t *Task) HideSecrets(ctx context.Context, dir project.Dir) error {
	completed, err := dir.EnsureIgnored(ctx, t.Git())
	t.tellIgnored(completed)
	if err != nil {
		return err
	}
	tracked, err := dir.TrackedSecrets(ctx, t.Git())
	for _, path := range tracked {
		t.WarnOfTracked(dir.Path(), path)
	}
	return t.forgiveGit(err)
}

func (t *Task) tellIgnored(completed []string) {
	for _, file := range completed {
		t.Note("completed %s, which keeps the secrets out of git", file)
	}
}

// HideCopy does the same for a copy outside the directory.
func (t *Task) HideCopy(ctx context.Context, file string) error {
	ignored, err := project.IgnoreExport(ctx, t.Git(), file)
	if err != nil {
		return err
	}
	if ignored {
		t.Note("a .gitignore beside it keeps %s out of git", file)
	}
	tracked, err := project.IsTracked(ctx, t.Git(), file)
	if tracked {
		t.WarnOfTracked(filepath.Dir(file), filepath.Base(file))
	}
	return t.forgiveGit(err)
}

// WarnOfTracked warns that git tracks a secret.
func (t *Task) WarnOfTracked(dir, path string) {
	t.Note("warning: git tracks %s; untrack it: git -C %s rm --cached -f -- %s", path, cli.Quoted(dir), cli.Quoted(path))
}

// forgiveGit takes it that git does not answer what it tracks, as it refuses in a
// work tree of another user: that is worth a word, and no reason to stop.
func (t *Task) forgiveGit(err error) error {
	if errors.Is(err, project.ErrGit) {
		t.Note("warning: whether git tracks a secret is not known: %v", err)
		return nil
	}
	return err
}
