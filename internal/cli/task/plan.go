package task

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/registry"
)

// maxNoted bounds the steps that are reported beside the answer.
const maxNoted = 20

// NotePlan reports what an import did, and which files of a directory it left.
func (t *Task) NotePlan(p registry.Plan, left ...registry.Left) {
	t.NoteSteps(p)
	t.NoteLines(LinesOf(p, left))
	t.Note("import: %s", CountSteps(p))
}

// NoteSteps reports the steps of a plan. Values that stay although the file differs come first,
// because the user may not expect them.
func (t *Task) NoteSteps(p registry.Plan) {
	doubted, others := []registry.Step{}, []registry.Step{}
	for _, step := range p.Steps {
		if step.Action == registry.Stay || step.Action == registry.Gone || step.Stale != nil {
			doubted = append(doubted, step)
		} else {
			others = append(others, step)
		}
	}
	for i, step := range slices.Concat(doubted, others) {
		if i == maxNoted {
			t.Note("and %d more", len(p.Steps)-i+p.Omitted)
			break
		}
		t.Note("%s", DescribeStep(step))
	}
}

// CountSteps summarizes a plan in numbers.
func CountSteps(p registry.Plan) string {
	text := fmt.Sprintf("%d added, %d updated, %d unchanged", p.Added, p.Updated, p.Unchanged)
	if p.Removed > 0 {
		text += fmt.Sprintf(", %d removed", p.Removed)
	}
	if p.Skipped > 0 {
		text += fmt.Sprintf(", %d duplicates skipped", p.Skipped)
	}
	return text
}

// DescribeStep says what happens to one tenant.
func DescribeStep(s registry.Step) string {
	text := fmt.Sprintf("%s %s (%s)", s.Action, s.ID, s.Name)
	if len(s.Changed) > 0 {
		text += ": " + strings.Join(s.Changed, ", ")
	}
	if len(s.Kept) > 0 {
		text += "; kept, not in the file: " + strings.Join(s.Kept, ", ")
	}
	if len(s.Masked) > 0 {
		text += "; kept, masked in the file: " + strings.Join(s.Masked, ", ")
	}
	if len(s.Stale) > 0 {
		text += "; kept, changed here after the file was read: " + strings.Join(s.Stale, ", ")
	}
	switch s.Action {
	case registry.Stay:
		text += ": not in the file, but added or changed here after that was read, or in use"
	case registry.Gone:
		text += ": in the file, but deleted here after that was read"
	}
	if s.Removed != nil && len(s.Removed.Profiles) > 0 {
		text += "; with its profiles " + strings.Join(s.Removed.Profiles, ", ")
	}
	if s.Removed != nil && s.Removed.Session != nil {
		text += "; with its session"
	}
	return text
}

// LinesOf warns about ambiguous words. It says what happens to the profiles and sessions of a
// directory, and what the registry has no place for.
func LinesOf(p registry.Plan, left []registry.Left) (lines []string) {
	for _, id := range p.Ambiguous {
		lines = append(lines, fmt.Sprintf("warning: %s is the id of one tenant and the name of another; id:%s means the first", id, id))
	}
	for _, s := range p.Profiles {
		lines = append(lines, describeProfile(s))
	}
	for _, s := range p.Sessions {
		lines = append(lines, describeSession(s))
	}
	for _, what := range left {
		lines = append(lines, "left: "+what.Why)
	}
	return lines
}

func describeProfile(s registry.ProfileStep) string {
	text := fmt.Sprintf("%s profile %s of tenant %s", s.Action, s.Name, s.Tenant)
	if len(s.Secrets) > 0 {
		text += ": " + strings.Join(s.Secrets, ", ")
	}
	if len(s.Left) > 0 {
		text += "; left: "
		for i, what := range s.Left {
			if i > 0 {
				text += "; "
			}
			text += what.Why
		}
	}
	return text
}

func describeSession(s registry.SessionStep) string {
	text := fmt.Sprintf("%s session of tenant %s", s.Action, s.Tenant)
	if s.Action == registry.Select {
		text = fmt.Sprintf("select tenant %s", s.Tenant)
	}
	if s.Profile != "" {
		text += " (profile " + s.Profile + ")"
	}
	if s.Why != "" {
		text += ": " + s.Why
	}
	return text
}

// NoteLines prints the first few lines.
func (t *Task) NoteLines(lines []string) {
	for i, line := range lines {
		if i == maxNoted {
			t.Note("and %d more", len(lines)-i)
			return
		}
		t.Note("%s", line)
	}
}

// NoteAdvice prints as a hint what helps, if there is something.
func (t *Task) NoteAdvice(a cli.Advice) {
	if !a.Empty() {
		t.NoteLines(strings.Split(a.Prefixed("hint: ").String(), "\n"))
	}
}
