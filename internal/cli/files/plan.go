package files

import (
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

// answerPlan answers what an import would do.
func answerPlan(p registry.Plan, left []string) cli.Answer {
	var lines []string
	for _, step := range p.Steps {
		lines = append(lines, task.DescribeStep(step))
	}
	if p.Omitted > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", p.Omitted))
	}
	lines = append(append(lines, task.LinesOf(p, left)...), task.CountSteps(p))
	for i, line := range lines {
		lines[i] = cli.Printable(line) + "\n"
	}
	return cli.Answer{Value: planOf(p, left), Text: strings.Join(lines, "")}
}

// plan is a plan in JSON.
type plan struct {
	Added     int `json:"added"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Removed   int `json:"removed"`
	Skipped   int `json:"skipped"`
	// SyncedAt is null where no tenants were looked at.
	SyncedAt *string `json:"synced_at"`
	Steps    []step  `json:"steps"`
	Omitted  int     `json:"omitted"`
	// Ambiguous are ids that are also another tenant's name.
	Ambiguous []registry.TenantID `json:"ambiguous"`
	// What else a directory holds.
	Profiles []profileStep `json:"profiles"`
	Sessions []sessionStep `json:"sessions"`
	Left     []string      `json:"left"`
}

// step is what an import does with a tenant, in JSON.
type step struct {
	Action  registry.Action `json:"action"`
	Tenant  task.TenantRef  `json:"tenant"`
	Changed []string        `json:"changed"`
	Kept    []string        `json:"kept"`
	Masked  []string        `json:"masked"`
	Stale   []string        `json:"stale"`
	Removed *task.Removed   `json:"removed"`
}

// profileStep is what an import does with a profile, in JSON. The tenant is what its files name,
// which need not be there.
type profileStep struct {
	Action  registry.Action   `json:"action"`
	Profile task.ProfileRef   `json:"profile"`
	Tenant  registry.TenantID `json:"tenant_id"`
	Secrets []string          `json:"secrets"`
	Left    []string          `json:"left"`
}

// sessionStep is what an import does with a session, in JSON, likewise.
type sessionStep struct {
	Action  registry.Action   `json:"action"`
	Profile *task.ProfileRef  `json:"profile"`
	Tenant  registry.TenantID `json:"tenant_id"`
	Why     *string           `json:"why"`
}

func planOf(p registry.Plan, left []string) plan {
	answer := plan{
		Added: p.Added, Updated: p.Updated, Unchanged: p.Unchanged, Removed: p.Removed, Skipped: p.Skipped,
		Steps: []step{}, Omitted: p.Omitted, Ambiguous: orEmpty(p.Ambiguous), Profiles: []profileStep{}, Sessions: []sessionStep{}, Left: orEmpty(left),
	}
	if !p.Document.SyncedAt.IsZero() {
		at := registry.FormatTime(p.Document.SyncedAt)
		answer.SyncedAt = &at
	}
	for _, s := range p.Steps {
		answer.Steps = append(answer.Steps, stepOf(s))
	}
	for _, s := range p.Profiles {
		answer.Profiles = append(answer.Profiles, profileStep{
			Action: s.Action, Profile: task.ProfileRef{Name: s.Name}, Tenant: s.Tenant, Secrets: orEmpty(s.Secrets), Left: orEmpty(s.Left),
		})
	}
	for _, s := range p.Sessions {
		answer.Sessions = append(answer.Sessions, sessionOf(s))
	}
	return answer
}

func stepOf(s registry.Step) step {
	shown := step{
		Action: s.Action, Tenant: task.TenantRef{ID: s.ID, Name: s.Name, Kind: s.Kind},
		Changed: orEmpty(s.Changed), Kept: orEmpty(s.Kept), Masked: orEmpty(s.Masked), Stale: orEmpty(s.Stale),
	}
	if s.Removed != nil {
		gone := task.RemovedOf(*s.Removed)
		shown.Removed = &gone
	}
	return shown
}

func sessionOf(s registry.SessionStep) sessionStep {
	shown := sessionStep{Action: s.Action, Tenant: s.Tenant}
	if s.Profile != "" {
		shown.Profile = &task.ProfileRef{Name: s.Profile}
	}
	if s.Why != "" {
		shown.Why = &s.Why
	}
	return shown
}

// orEmpty is a list that JSON shows as one, be it empty.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
