package registry

import "context"

// takeAway removes a thing that the change made, unless a later one relies on it.
func (u *undoing) takeAway(ctx context.Context, t thing) error {
	switch t.what {
	case TenantEntity:
		return u.takeTenant(ctx, t.now.tenant)
	case ProfileEntity:
		return u.takeProfile(ctx, t.id)
	default: // a session; selection and document are always there
		s, err := u.Session(ctx, TenantID(t.id))
		if err != nil {
			return err
		}
		return u.deleteSession(ctx, *s)
	}
}

func (u *undoing) takeTenant(ctx context.Context, t placedTenant) error {
	profiles, err := u.ProfilesOf(ctx, &t.ID, 1)
	if err != nil {
		return err
	}
	if len(profiles) > 0 {
		return u.later(ctx, ProfileEntity, profiles[0].Name, nil)
	}
	s, err := u.selection(ctx)
	if err != nil {
		return err
	}
	for _, selected := range []*TenantID{s.Tenant, s.Previous} {
		if selected != nil && *selected == t.ID {
			return u.later(ctx, SelectionEntity, string(SelectionEntity), nil)
		}
	}
	return u.deleteTenant(ctx, t)
}

// selection returns what is selected, which stays when all is put back.
func (u *undoing) selection(ctx context.Context) (Selection, error) {
	if u.selected == nil {
		s, err := u.Selection(ctx)
		if err != nil {
			return Selection{}, err
		}
		u.selected = &s
	}
	return *u.selected, nil
}

func (u *undoing) takeProfile(ctx context.Context, name string) error {
	p, err := u.Profile(ctx, name)
	if err != nil {
		return err
	}
	session, err := u.Session(ctx, p.Tenant)
	if err != nil {
		return err
	}
	if session != nil && session.Profile == name {
		return u.later(ctx, SessionEntity, string(p.Tenant), nil)
	}
	s, err := u.selection(ctx)
	if err != nil {
		return err
	}
	if s.DefaultProfile != nil && *s.DefaultProfile == name {
		return u.later(ctx, SelectionEntity, string(SelectionEntity), nil)
	}
	u.taken = append(u.taken, name)
	return u.deleteProfile(ctx, p)
}
