package task

import "github.com/sp-registry/sp/internal/registry"

// Removed is what went with a tenant, in JSON.
type Removed struct {
	Tenant   TenantRef    `json:"tenant"`
	Profiles []ProfileRef `json:"profiles"`
	// Session is the profile that was chosen in it.
	Session  *ProfileRef `json:"session_profile"`
	Selected bool        `json:"was_selected"`
	Default  bool        `json:"had_default_profile"`
}

// RemovedOf is what went with a tenant as it is shown.
func RemovedOf(r registry.Removed) Removed {
	gone := Removed{Tenant: RefOf(r.Tenant), Profiles: []ProfileRef{}, Selected: r.Selected, Default: r.Default}
	for _, name := range r.Profiles {
		gone.Profiles = append(gone.Profiles, ProfileRef{name})
	}
	if r.Session != nil {
		gone.Session = &ProfileRef{r.Session.Profile}
	}
	return gone
}
