package task

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// TellDone reports the last change, once: what was merged from other programs, and what happened to
// the files.
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
			t.Note("%s; it stays as it is (%s writes it)", conflict, cli.To("sp export", "--force"))
		}
		for _, why := range done.Unread {
			t.Note("%s; it stays, and is not merged", why)
		}
	}
	t.untold = nil
}

// TellMerged reports what another program had done, which the change took over or would take over.
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

// theirs and ours are the commands that settle what two programs changed.
func theirs() cli.Next { return cli.To("sp import", "--theirs") }
func ours() cli.Next   { return cli.To("sp import", "--ours") }

const settleHint = "%s takes the file's side in that, %s the registry's; both merge the rest"

// AdviseChange adds a hint to the error of a change that another program's work stopped.
func (t *Task) AdviseChange(ctx context.Context, w *workspace.Workspace, c workspace.Change, err error) error {
	var conflicts *registry.ConflictsError
	var changed *follow.ChangedError
	var tracked *workspace.TrackedError
	switch {
	case errors.As(err, new(*workspace.EarlierError)):
		return adviseEarlier(err)
	case errors.As(err, &conflicts):
		return cli.Hint(err, "%s\n"+settleHint, strings.Join(conflictLines(conflicts), "\n"), theirs(), ours())
	case errors.As(err, &tracked) && strings.HasSuffix(tracked.Path, ".tmp"):
		return cli.Hint(err, "sp gives no file of git's such a name, so it came with the repository: rm -- %s", cli.Quoted(tracked.Path))
	case errors.As(err, &tracked):
		return cli.Hint(err, "%s takes the file's side, %s the registry's\ngit -C %s rm --cached -f -- %s untracks it",
			theirs(), ours(), cli.Quoted(filepath.Dir(tracked.Path)), cli.Quoted(filepath.Base(tracked.Path)))
	case errors.As(err, &changed) && !isSmall(w.Dir, changed.Path):
		return t.conflict(ctx, w, changed.Path, err)
	case errors.As(err, &changed) && strings.HasSuffix(changed.Path, "secrets.json"):
		return cli.Hint(err, "%s writes the registry's side; what is the file's, %s and %s take",
			cli.To("sp export", "--force"), cli.To("sp tenant edit", "ID"), cli.To("sp secrets set", "KEY"))
	case errors.As(err, &changed):
		return cli.Hint(err, settleHint, theirs(), ours())
	case errors.As(err, new(*workspace.UnreadableError)):
		return cli.Hint(err, "mend it, or %s keeps it under another name and writes the registry's", cli.To("sp import", "--set-aside"))
	case errors.Is(err, registry.ErrConflict) && c.SetAside:
		return cli.Hint(err, "%s merges it", cli.To("sp import"))
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

// isSmall tells whether a path is that of a small file of the directory.
func isSmall(dir project.Dir, path string) bool {
	return strings.HasPrefix(path, dir.Full("profiles")+"/") || path == dir.Full(follow.IndexPath)
}
