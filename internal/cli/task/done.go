package task

import (
	"context"
	"errors"
	"fmt"
	"github.com/sp-registry/sp/internal/cli"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// tellDone says what came with the last change, once: what another program did before it,
// and what became of the files.
func (t *Task) TellDone() {
	if t.untold == nil {
		return
	}
	done, dir := t.Done, *t.untold
	t.tellIgnored(done.Hidden)
	if done.Made {
		if done.SetAside != "" && Exists(done.SetAside) {
			t.Note("%s was corrupt, and is set aside as %s", dir.Tenants(), filepath.Base(done.SetAside))
		}
		t.TellMerged(dir, done, "was")
	}
	t.tellMoved()
	if done.Made {
		if done.Exposed != "" {
			t.Note("warning: others could read %s until now; consider its secrets known to them", done.Exposed)
		}
		for _, path := range done.Left {
			t.Note("%s stays: it is not as sp wrote it", dir.Full(path))
		}
		for _, conflict := range done.Kept {
			t.Note("%s; it stays as it is (sp export --force writes it)", conflict)
		}
		for _, why := range done.Unread {
			t.Note("%s; it stays, and is not merged", why)
		}
	}
	t.untold = nil
}

// tellMerged says what another program had done before a change, which was taken over with it or
// would be.
func (t *Task) TellMerged(dir project.Dir, done workspace.Done, is string) {
	if done.Merged != nil {
		t.Note("before that, what another program did to %s %s taken over:", dir.Tenants(), is)
		t.NotePlan(*done.Merged)
	}
	if len(done.Sessions) > 0 {
		t.Note("before that, what another program did to %s %s taken over:", follow.IndexPath, is)
		t.NoteLines(LinesOf(registry.Plan{Sessions: done.Sessions}, nil))
	}
}

const SettleHint = "sp import --theirs takes the file's side in that, sp import --ours the registry's; both merge the rest"

// adviseChange adds what helps where a change was stopped by what another program did.
func (t *Task) AdviseChange(ctx context.Context, w *workspace.Workspace, c workspace.Change, err error) error {
	var conflicts *registry.ConflictsError
	var changed *follow.ChangedError
	var tracked *workspace.TrackedError
	switch {
	case errors.As(err, &conflicts):
		return cli.Hint(err, "%s", strings.Join(append(conflictLines(conflicts), SettleHint), "\n"))
	case errors.As(err, &tracked) && strings.HasSuffix(tracked.Path, ".tmp"):
		return cli.Hint(err, "sp gives no file of git's such a name, so it came with the repository: rm -- %s", cli.Quoted(tracked.Path))
	case errors.As(err, &tracked):
		return cli.Hint(err, "%s", adviseTracked(tracked.Path))
	case errors.As(err, &changed) && !isSmall(w.Dir, changed.Path):
		return cli.Hint(err, "%s", t.conflict(ctx, w, changed.Path))
	case errors.As(err, &changed) && strings.HasSuffix(changed.Path, "secrets.json"):
		return cli.Hint(err, "sp export --force writes the registry's side; what is the file's, sp tenant edit and sp secrets set take")
	case errors.As(err, &changed):
		return cli.Hint(err, SettleHint)
	case errors.As(err, new(*workspace.UnreadableError)):
		return cli.Hint(err, "mend it, or sp import --set-aside keeps it under another name and writes the registry's")
	case errors.Is(err, registry.ErrConflict) && c.SetAside:
		return cli.Hint(err, "sp import merges it")
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
		cli.Quoted(filepath.Dir(path)), cli.Quoted(filepath.Base(path)))
}

// isSmall tells whether a path is that of a small file of the directory.
func isSmall(dir project.Dir, path string) bool {
	return strings.HasPrefix(path, dir.Full("profiles")+"/") || path == dir.Full(follow.IndexPath)
}
