package main

import (
	"context"
	"errors"
	"strings"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// smallFiles is how the small files stand, as status tells it.
type smallFiles struct {
	follow.State
	// Refused says which one can't be used, and why.
	Refused string `json:"refused,omitempty"`
}

// findSmallFiles looks at the small files. One that can't be used is no reason not to
// tell of all else.
func findSmallFiles(ctx context.Context, dir project.Dir, view *registry.View) (smallFiles, error) {
	s, err := follow.StateOf(ctx, workspace.FilesOf(dir), view)
	if errors.Is(err, follow.ErrUnusable) {
		return smallFiles{State: s, Refused: err.Error()}, nil
	}
	return smallFiles{State: s}, err
}

func (s smallFiles) describe() string {
	var said []string
	if s.Refused != "" {
		said = append(said, "refused: "+s.Refused)
	}
	if len(s.Behind) > 0 {
		said = append(said, describeBehind(s.Behind))
	}
	if len(s.Changed) > 0 {
		said = append(said, describeChanged(s.Changed))
	}
	if len(s.Missing) > 0 {
		said = append(said, describeMissing(s.Missing))
	}
	if len(said) == 0 {
		return "current"
	}
	return strings.Join(said, "; ")
}

func describeBehind(paths []string) string {
	return "behind: " + some(paths) + ": sp export, or the next change, catches up"
}

func describeChanged(paths []string) string {
	return "changed by someone else: " + some(paths) + ": it stays, and what sp writes there is merged (sp import takes what is new, sp export --force writes the registry's side)"
}

func describeMissing(paths []string) string {
	return "missing: " + some(paths) + ": sp export --force writes them again, unless git has them on another branch"
}

// checkFiles tells how the small files stand to the registry.
func (c *checkup) checkFiles(ctx context.Context) []diagnosis {
	var s smallFiles
	err := c.read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		s, err = findSmallFiles(ctx, dir, view)
		return err
	})
	var findings []diagnosis
	if s.Refused != "" {
		findings = append(findings, wrong("%s", s.Refused))
	}
	if len(s.Behind) > 0 {
		findings = append(findings, warn("%s", describeBehind(s.Behind)).
			mendable(c.catchUp(false), "%s: was behind, and is current", some(s.Behind)))
	}
	if len(s.Changed) > 0 {
		findings = append(findings, inform("%s", describeChanged(s.Changed)))
	}
	if len(s.Missing) > 0 {
		findings = append(findings, inform("%s", describeMissing(s.Missing)))
	}
	return troubled(orFine(findings, "current"), err)
}
