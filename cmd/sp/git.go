package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
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

// ignoreName is what the registry remembers .gitignore and info/exclude by.
const ignoreName = ".gitignore"

// keepHidden makes sure, before a change writes anything, that it stays out of git. What
// is to be remembered of the files that see to that is returned, nil for nothing new: a
// later change that finds them as they were need not read them.
func (a *app) keepHidden(ctx context.Context, dir project.Dir, view *registry.View) ([]registry.File, error) {
	known, err := view.File(ctx, ignoreName)
	stamp, changed := dir.IgnoreStamp()
	if err != nil || known != nil && known.Stamp == stamp && stamp != "" {
		return nil, err
	}
	completed, certain, err := dir.KeepIgnored(ctx, a.git())
	a.tellIgnored(completed)
	if err != nil || !certain || stamp == "" || len(completed) > 0 || !changed.Before(view.Since()) {
		return nil, err
	}
	return []registry.File{{Path: ignoreName, Current: "-", Stamp: stamp}}, nil
}

// keepProfilesHidden makes sure that the secrets.json that a change makes or moves do.
func (a *app) keepProfilesHidden(ctx context.Context, dir project.Dir, found follow.Decision) error {
	var profiles []string
	for _, m := range found.Moves {
		profiles = append(profiles, path.Base(m.From), path.Base(m.To))
	}
	for _, c := range found.Changes {
		if path.Base(c.Path) == "secrets.json" && c.Text != nil {
			profiles = append(profiles, path.Base(path.Dir(c.Path)))
		}
	}
	completed, err := dir.KeepProfilesIgnored(ctx, a.git, profiles)
	a.tellIgnored(completed)
	return err
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

// mayTake tells whether what another program did to a file is taken over. What git
// tracks, anybody may have written: it is not taken unless the user says that it is right,
// and nothing of it is where the registry is. Where git does not answer, it may be tracked.
func (a *app) mayTake(ctx context.Context, file string, settled registry.Side) (bool, error) {
	if settled == registry.Theirs {
		return true, nil
	}
	tracked, err := project.IsTracked(ctx, a.git(), file)
	switch {
	case err == nil && !tracked:
		return true, nil
	case err != nil && !errors.Is(err, project.ErrGit):
		return false, err
	case settled == registry.Ours:
		return false, nil
	}
	return false, withHint(fmt.Errorf("%s: git tracks it, so anybody may have written what is new in it: %w", file, registry.ErrConflict),
		"sp import --theirs takes the file's side, sp import --ours the registry's\ngit -C %s rm --cached -f -- %s untracks it",
		project.Quoted(filepath.Dir(file)), project.Quoted(filepath.Base(file)))
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
