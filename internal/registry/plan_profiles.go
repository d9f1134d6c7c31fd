package registry

// belonging tells which tenants that profiles and sessions name are in the file.
type belonging map[TenantID]bool

func (i Import) belonging() belonging {
	named := belonging{}
	for _, p := range i.Profiles {
		named[p.Tenant] = false
	}
	if i.Sessions != nil {
		for _, s := range i.Sessions.Put {
			named[s.Tenant] = false
		}
		if i.Sessions.Active != nil {
			named[*i.Sessions.Active] = false
		}
	}
	return named
}

func (b belonging) note(id TenantID) {
	if _, named := b[id]; named {
		b[id] = true
	}
}

// plan says what would come of profiles and sessions in a new registry.
func (b belonging) plan(i Import, plan *Plan) {
	profiles, keys := map[string]TenantID{}, map[string]bool{}
	for _, p := range i.Profiles {
		step := ProfileStep{Action: Skip, Name: p.Name, Tenant: p.Tenant}
		switch err := CheckProfileName(p.Name); {
		case err != nil:
			step.Left = []string{err.Error()}
		case !b[p.Tenant]:
			step.Left = []string{noTenant(p.Tenant)}
		case keys[nameKey(p.Name)]:
			step.Left = []string{otherCase}
		default:
			step.Action = Add
			step.Secrets, step.Left = takenOf(p.Secrets, nil)
			profiles[p.Name], keys[nameKey(p.Name)] = p.Tenant, true
		}
		plan.Profiles = append(plan.Profiles, step)
	}
	if i.Sessions == nil {
		return
	}
	for _, s := range i.Sessions.Put {
		step := SessionStep{Action: Add, Tenant: s.Tenant, Profile: s.Profile}
		tenant, known := profiles[s.Profile]
		if step.Why = whyNoPlace(b[s.Tenant], known, Profile{Name: s.Profile, Tenant: tenant}, s.Tenant); step.Why != "" {
			step.Action = Skip
		}
		plan.Sessions = append(plan.Sessions, step)
	}
	if active := i.Sessions.Active; active != nil {
		step := SessionStep{Action: Select, Tenant: *active, Profile: i.Sessions.ActiveProfile}
		if !b[*active] {
			step = SessionStep{Action: Skip, Tenant: *active, Why: notActive}
		}
		plan.Sessions = append(plan.Sessions, step)
	}
}
