package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// tellDone says what came with the last change, once: what another program did before it,
// and what became of the files.
func (a *app) tellDone() {
	if a.untold == nil {
		return
	}
	done, dir := a.done, *a.untold
	a.tellIgnored(done.Hidden)
	if done.Made {
		if done.SetAside != "" && exists(done.SetAside) {
			a.note("%s was corrupt, and is set aside as %s", dir.Tenants(), filepath.Base(done.SetAside))
		}
		a.tellMerged(dir, done, "was")
	}
	a.tellMoved()
	if done.Made {
		if done.Exposed != "" {
			a.note("warning: others could read %s until now; consider its secrets known to them", done.Exposed)
		}
		for _, path := range done.Left {
			a.note("%s stays: it is not as sp wrote it", dir.Full(path))
		}
		for _, conflict := range done.Kept {
			a.note("%s; it stays as it is (sp export --force writes it)", conflict)
		}
		for _, why := range done.Unread {
			a.note("%s; it stays, and is not merged", why)
		}
	}
	a.untold = nil
}

// tellMerged says what another program had done before a change, which was taken over with it or
// would be.
func (a *app) tellMerged(dir project.Dir, done workspace.Done, is string) {
	if done.Merged != nil {
		a.note("before that, what another program did to %s %s taken over:", dir.Tenants(), is)
		a.notePlan(*done.Merged)
	}
	if len(done.Sessions) > 0 {
		a.note("before that, what another program did to %s %s taken over:", follow.IndexPath, is)
		a.noteLines(linesOf(registry.Plan{Sessions: done.Sessions}, nil))
	}
}

const settleHint = "sp import --theirs takes the file's side in that, sp import --ours the registry's; both merge the rest"

// adviseChange adds what helps where a change was stopped by what another program did.
func (a *app) adviseChange(ctx context.Context, w *workspace.Workspace, c workspace.Change, err error) error {
	var conflicts *registry.ConflictsError
	var changed *follow.ChangedError
	var tracked *workspace.TrackedError
	switch {
	case errors.As(err, &conflicts):
		return withHint(err, "%s", strings.Join(append(conflictLines(conflicts), settleHint), "\n"))
	case errors.As(err, &tracked) && strings.HasSuffix(tracked.Path, ".tmp"):
		return withHint(err, "sp gives no file of git's such a name, so it came with the repository: rm -- %s", project.Quoted(tracked.Path))
	case errors.As(err, &tracked):
		return withHint(err, "%s", adviseTracked(tracked.Path))
	case errors.As(err, &changed) && !isSmall(w.Dir, changed.Path):
		return withHint(err, "%s", a.conflict(ctx, w, changed.Path))
	case errors.As(err, &changed) && strings.HasSuffix(changed.Path, "secrets.json"):
		return withHint(err, "sp export --force writes the registry's side; what is the file's, sp tenant edit and sp secrets set take")
	case errors.As(err, &changed):
		return withHint(err, settleHint)
	case errors.As(err, new(*workspace.UnreadableError)):
		return withHint(err, "mend it, or sp import --set-aside keeps it under another name and writes the registry's")
	case errors.Is(err, registry.ErrConflict) && c.SetAside:
		return withHint(err, "sp import merges it")
	}
	return err
}

func conflictLines(e *registry.ConflictsError) (lines []string) {
	for _, c := range e.Conflicts {
		lines = append(lines, c.String())
	}
	if e.Omitted > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", e.Omitted))
	}
	return lines
}

func adviseTracked(path string) string {
	return fmt.Sprintf("sp import --theirs takes the file's side, sp import --ours the registry's\ngit -C %s rm --cached -f -- %s untracks it",
		project.Quoted(filepath.Dir(path)), project.Quoted(filepath.Base(path)))
}

// isSmall tells whether a path is that of a small file of the directory.
func isSmall(dir project.Dir, path string) bool {
	return strings.HasPrefix(path, dir.Full("profiles")+"/") || path == dir.Full(follow.IndexPath)
}
