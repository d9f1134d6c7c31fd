package doctor

import (
	"context"
	"errors"
	"strings"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// Files says how the small files that follow the registry compare with it.
type Files struct {
	follow.State
	// Refused says which file can't be used, and why; nil if all can.
	Refused *string `json:"refused"`
}

// FilesOf checks the small files. A file that can't be used does not hide the state of the others.
func FilesOf(ctx context.Context, dir project.Dir, view *registry.View) (Files, error) {
	s, err := follow.StateOf(ctx, workspace.FilesOf(dir), view)
	if errors.Is(err, follow.ErrUnusable) {
		refused := err.Error()
		return Files{State: s, Refused: &refused}, nil
	}
	return Files{State: s}, err
}

// String describes the state of the files.
func (s Files) String() string {
	var said []string
	if s.Refused != nil {
		said = append(said, "refused: "+*s.Refused)
	}
	for _, f := range s.differing() {
		said = append(said, f.Message)
	}
	if len(said) == 0 {
		return "current"
	}
	return strings.Join(said, "; ")
}

// differing are the diagnoses of the files that stand otherwise than the registry.
func (s Files) differing() (findings []Diagnosis) {
	if len(s.Behind) > 0 {
		findings = append(findings, warn("behind: %s: %s, or the next change, catches up", some(s.Behind), to("sp export")))
	}
	if len(s.Changed) > 0 {
		findings = append(findings, inform("changed by someone else: %s: it stays, and what sp writes there is merged (%s takes what is new, sp export --force writes the registry's side)",
			some(s.Changed), to("sp import")))
	}
	if len(s.Missing) > 0 {
		findings = append(findings, inform("missing: %s: sp export --force writes them again, unless git has them on another branch", some(s.Missing)))
	}
	return findings
}

// checkFiles tells how the small files stand to the registry.
func (c *Checkup) checkFiles(ctx context.Context) []Diagnosis {
	var s Files
	err := c.read(ctx, func(view *registry.View) (err error) {
		s, err = FilesOf(ctx, c.dir, view)
		return err
	})
	var findings []Diagnosis
	if s.Refused != nil {
		findings = append(findings, wrong("%s", *s.Refused))
	}
	for _, f := range s.differing() {
		if f.Result == Warning { // that sp is behind
			f = f.mendable(c.catchUp(false), "%s: was behind, and is current", some(s.Behind))
		}
		findings = append(findings, f)
	}
	return c.troubled(orFine(findings, "current"), err)
}
