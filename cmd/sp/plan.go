package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/registry"
)

// maxNoted bounds the steps that are reported beside the answer.
const maxNoted = 20

// notePlan tells what an import did, and what of a directory it left.
func (a *app) notePlan(p registry.Plan, left ...string) {
	a.noteSteps(p)
	a.noteLines(linesOf(p, left))
	a.note("import: %s", countSteps(p))
}

// noteSteps tells first what stays though the file says otherwise, which may not be what was meant.
func (a *app) noteSteps(p registry.Plan) {
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
			a.note("and %d more", len(p.Steps)-i+p.Omitted)
			break
		}
		a.note("%s", describeStep(step))
	}
}

func countSteps(p registry.Plan) string {
	text := fmt.Sprintf("%d added, %d updated, %d unchanged", p.Added, p.Updated, p.Unchanged)
	if p.Removed > 0 {
		text += fmt.Sprintf(", %d removed", p.Removed)
	}
	if p.Skipped > 0 {
		text += fmt.Sprintf(", %d duplicates skipped", p.Skipped)
	}
	return text
}

func describeStep(s registry.Step) string {
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

// answerPlan answers what an import would do.
func (a *app) answerPlan(p registry.Plan, left ...string) error {
	if a.json {
		return a.document(planOf(p, left...))
	}
	for _, step := range p.Steps {
		if err := a.line(describeStep(step)); err != nil {
			return err
		}
	}
	if p.Omitted > 0 {
		if err := a.line(fmt.Sprintf("and %d more", p.Omitted)); err != nil {
			return err
		}
	}
	for _, line := range linesOf(p, left) {
		if err := a.line(line); err != nil {
			return err
		}
	}
	return a.line(countSteps(p))
}

// plan is a plan in JSON.
type plan struct {
	Added     int    `json:"added"`
	Updated   int    `json:"updated"`
	Unchanged int    `json:"unchanged"`
	Removed   int    `json:"removed"`
	Skipped   int    `json:"skipped"`
	SyncedAt  string `json:"synced_at,omitempty"`
	Steps     []step `json:"steps"`
	Omitted   int    `json:"omitted,omitempty"`
	// What else a directory holds.
	Profiles []profileStep `json:"profiles,omitempty"`
	Sessions []sessionStep `json:"sessions,omitempty"`
	Left     []string      `json:"left,omitempty"`
}

type step struct {
	Action  registry.Action   `json:"action"`
	ID      registry.TenantID `json:"id"`
	Name    string            `json:"name"`
	Changed []string          `json:"changed,omitempty"`
	Kept    []string          `json:"kept,omitempty"`
	Masked  []string          `json:"masked,omitempty"`
	Stale   []string          `json:"stale,omitempty"`
	Removed *removal          `json:"removed,omitempty"`
}

func planOf(p registry.Plan, left ...string) plan {
	answer := plan{
		Added: p.Added, Updated: p.Updated, Unchanged: p.Unchanged, Removed: p.Removed, Skipped: p.Skipped,
		Steps: []step{}, Omitted: p.Omitted, Left: left,
	}
	if !p.Document.SyncedAt.IsZero() { // where no tenants were looked at
		answer.SyncedAt = registry.FormatTime(p.Document.SyncedAt)
	}
	for _, s := range p.Profiles {
		answer.Profiles = append(answer.Profiles, profileStep(s))
	}
	for _, s := range p.Sessions {
		answer.Sessions = append(answer.Sessions, sessionStep(s))
	}
	for _, s := range p.Steps {
		row := step{Action: s.Action, ID: s.ID, Name: s.Name, Changed: s.Changed, Kept: s.Kept, Masked: s.Masked, Stale: s.Stale}
		if s.Removed != nil {
			gone := removalOf(*s.Removed)
			row.Removed = &gone
		}
		answer.Steps = append(answer.Steps, row)
	}
	return answer
}
