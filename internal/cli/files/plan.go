package files

import (
	"context"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// answerPlan answers what an import would do.
func (i *importer) answerPlan(ctx context.Context, p registry.Plan) cli.Answer {
	var lines []string
	for _, step := range p.Steps {
		lines = append(lines, task.DescribeStep(step))
	}
	if p.Omitted > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", p.Omitted))
	}
	lines = append(append(lines, task.LinesOf(p, i.left())...), task.CountSteps(p))
	for n, line := range lines {
		lines[n] = cli.Printable(line) + "\n"
	}
	return cli.Answer{Value: i.planOf(ctx, p), Text: strings.Join(lines, "")}
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
	Left     []left        `json:"left"`
}

// step is what an import does with a tenant, in JSON.
type step struct {
	Action  registry.Action `json:"action"`
	Tenant  task.TenantRef  `json:"tenant"`
	Changed []string        `json:"changed"`
	Kept    []string        `json:"kept"`
	Masked  []string        `json:"masked"`
	Stale   []string        `json:"outdated"`
	Removed *removed        `json:"also_removed"`
}

// removed is what went with a tenant, in JSON.
type removed struct {
	Profiles []task.ProfileRef `json:"profiles"`
	Session  *endedSession     `json:"session"`
	Selected bool              `json:"selected"`
	Default  bool              `json:"had_default_profile"`
}

// endedSession is a session by the profile that it chose.
type endedSession struct {
	Profile task.ProfileRef `json:"profile"`
}

// profileStep is what an import does with a profile, in JSON.
type profileStep struct {
	Action  registry.Action `json:"action"`
	Profile task.ProfileRef `json:"profile"`
	Tenant  task.TenantRef  `json:"tenant"`
	Secrets []string        `json:"secrets"`
	Left    []left          `json:"left"`
}

// sessionStep is what an import does with a session, in JSON.
type sessionStep struct {
	Action  registry.Action  `json:"action"`
	Tenant  task.TenantRef   `json:"tenant"`
	Profile *task.ProfileRef `json:"profile"`
	Left    []left           `json:"left"`
}

// left is what an import leaves out, in JSON.
type left struct {
	Reason string `json:"reason"`
	Why    string `json:"message"`
}

func (i *importer) planOf(ctx context.Context, p registry.Plan) plan {
	answer := plan{
		Added: p.Added, Updated: p.Updated, Unchanged: p.Unchanged, Removed: p.Removed, Skipped: p.Skipped,
		Steps: []step{}, Omitted: p.Omitted, Ambiguous: orEmpty(p.Ambiguous), Profiles: []profileStep{}, Sessions: []sessionStep{}, Left: leftOf(i.left()),
	}
	if !p.Document.SyncedAt.IsZero() {
		at := registry.FormatTime(p.Document.SyncedAt)
		answer.SyncedAt = &at
	}
	for _, s := range p.Steps {
		answer.Steps = append(answer.Steps, stepOf(s))
	}
	names := i.names(ctx, p)
	for _, s := range p.Profiles {
		answer.Profiles = append(answer.Profiles, profileStep{
			Action: s.Action, Profile: task.ProfileRef{Name: s.Name}, Tenant: names[s.Tenant], Secrets: orEmpty(s.Secrets), Left: leftOf(s.Left),
		})
	}
	for _, s := range p.Sessions {
		shown := sessionStep{Action: s.Action, Tenant: names[s.Tenant], Left: []left{}}
		if s.Profile != "" {
			shown.Profile = &task.ProfileRef{Name: s.Profile}
		}
		if s.Is() {
			shown.Left = leftOf([]registry.Left{s.Left})
		}
		answer.Sessions = append(answer.Sessions, shown)
	}
	return answer
}

// names are the tenants of profiles and sessions. One that neither the file nor the registry has is an
// id and nothing else.
func (i *importer) names(ctx context.Context, p registry.Plan) map[registry.TenantID]task.TenantRef {
	refs := map[registry.TenantID]task.TenantRef{}
	for _, s := range p.Profiles {
		refs[s.Tenant] = task.TenantRef{ID: s.Tenant}
	}
	for _, s := range p.Sessions {
		refs[s.Tenant] = task.TenantRef{ID: s.Tenant}
	}
	if len(refs) == 0 {
		return refs
	}
	_ = i.Read(context.WithoutCancel(ctx), func(_ project.Dir, view *registry.View) error { // there may be no registry
		for id := range refs {
			refs[id] = task.NamesIn(ctx, view)(id)
		}
		return nil
	})
	for _, s := range p.Steps {
		if _, wanted := refs[s.ID]; wanted {
			refs[s.ID] = task.TenantRef{ID: s.ID, Name: &s.Name, Kind: &s.Kind}
		}
	}
	return refs
}

func stepOf(s registry.Step) step {
	shown := step{
		Action: s.Action, Tenant: task.TenantRef{ID: s.ID, Name: &s.Name, Kind: &s.Kind},
		Changed: orEmpty(s.Changed), Kept: orEmpty(s.Kept), Masked: orEmpty(s.Masked), Stale: orEmpty(s.Stale),
	}
	if s.Removed != nil {
		shown.Removed = removedOf(*s.Removed)
	}
	return shown
}

func removedOf(r registry.Removed) *removed {
	gone := &removed{Profiles: []task.ProfileRef{}, Selected: r.Selected, Default: r.Default}
	for _, name := range r.Profiles {
		gone.Profiles = append(gone.Profiles, task.ProfileRef{Name: name})
	}
	if r.Session != nil {
		gone.Session = &endedSession{task.ProfileRef{Name: r.Session.Profile}}
	}
	return gone
}

func leftOf(all []registry.Left) []left {
	shown := []left{}
	for _, l := range all {
		shown = append(shown, left{l.Reason, l.Why})
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
