package tenant

import (
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

// removal is the answer to a deletion: the record as it was, and what went with it.
type removal struct {
	task.TenantRecord
	gone
}

// gone is what went with a tenant.
type gone struct {
	Profiles []task.ProfileRef `json:"profiles"`
	// Session is the one that ended, by the profile that it chose.
	Session *endedSession `json:"session"`
	Default bool          `json:"had_default_profile"`
	// Database is the one that sp made for it, as it was; Dropped tells that it is no more.
	Database *task.DatabaseRecord `json:"database"`
	Dropped  bool                 `json:"database_dropped"`
}

type endedSession struct {
	Profile task.ProfileRef `json:"profile"`
}

// MarshalJSON writes the members of the record and what went with it.
func (r removal) MarshalJSON() ([]byte, error) {
	return r.With(struct {
		task.Besides
		gone
	}{r.Besides, r.gone})
}

func removalOf(r registry.Removed, d *registry.Database, deletion registry.Deletion) removal {
	shown := task.RecordOf(r.Tenant, registry.Selection{}, task.Masked)
	shown.Selected = r.Selected
	went := gone{Profiles: []task.ProfileRef{}, Default: r.Default, Dropped: deletion.Dropped}
	for _, name := range r.Profiles {
		went.Profiles = append(went.Profiles, task.ProfileRef{Name: name})
	}
	if r.Session != nil {
		went.Session = &endedSession{task.ProfileRef{Name: r.Session.Profile}}
	}
	if d != nil {
		database := task.DatabaseOf(*d)
		went.Database = &database
	}
	return removal{shown, went}
}

// orphanRemoval is the answer where nothing but the database was left of a tenant: of the record
// only its id is known.
func orphanRemoval(d registry.Database, dropped bool) map[string]any {
	answer := map[string]any{
		"unknown_members": []string{}, "selected": false, "missing_credentials": false, "profiles": []task.ProfileRef{}, "session": nil,
		"had_default_profile": false, "database": task.DatabaseOf(d), "database_dropped": dropped,
	}
	for _, m := range registry.Members {
		answer[m.Name] = nil
	}
	answer["id"] = d.Tenant
	return answer
}
