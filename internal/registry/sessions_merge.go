package registry

import (
	"context"
	"errors"
	"fmt"
)

// SessionsEdit is what a file says of the sessions, or another program did to them
// there: those of Put are as they are given, those of Ended authenticate nothing any
// more, and Active is the tenant that is selected, nil where that stays.
type SessionsEdit struct {
	Put    []Session
	Ended  []TenantID
	Active *TenantID
	// ActiveProfile is the profile of the active tenant's session; empty where that stays.
	ActiveProfile string
	// KeepSelection leaves a tenant selected that is.
	KeepSelection bool
}

// SessionStep is what came of one session of a SessionsEdit.
type SessionStep struct {
	Action  Action
	Tenant  TenantID
	Profile string
	// Left says of one that was skipped what is in the way.
	Left
}

// editSessions does to the sessions what a file says, and returns what it did. What
// the registry has no place for it leaves, and says so in a step.
func (c *change) editSessions(ctx context.Context, e SessionsEdit) (steps []SessionStep, err error) {
	for _, s := range e.Put {
		step, err := c.editSession(ctx, s)
		if err != nil {
			return nil, err
		}
		if step.Action != Keep {
			steps = append(steps, step)
		}
	}
	for _, tenant := range e.Ended {
		s, err := c.Session(ctx, tenant)
		if err != nil {
			return nil, err
		}
		if s == nil || s.Authentication == nil {
			continue
		}
		s.Authentication = nil
		if err := c.putSession(ctx, *s); err != nil {
			return nil, err
		}
		steps = append(steps, SessionStep{Action: Remove, Tenant: tenant, Profile: s.Profile})
	}
	step, err := c.editActive(ctx, e)
	if step != nil {
		steps = append(steps, *step)
	}
	return steps, err
}

// editSession puts one session, if its profile is one of its tenant.
func (c *change) editSession(ctx context.Context, s Session) (SessionStep, error) {
	step := SessionStep{Action: Keep, Tenant: s.Tenant, Profile: s.Profile}
	why, err := c.hasNoPlace(ctx, s.Tenant, s.Profile)
	if why.Is() || err != nil {
		step.Action, step.Left = Skip, why
		return step, err
	}
	known, err := c.Session(ctx, s.Tenant)
	if err != nil {
		return step, err
	}
	if known == nil {
		step.Action = Add
		return step, c.putSession(ctx, s)
	}
	if known.Profile == s.Profile {
		s.ChosenAt = known.ChosenAt
	}
	if !known.equal(s) {
		step.Action = Update
	}
	return step, c.putSession(ctx, s)
}

// hasNoPlace says why a session can't be kept; nothing where it can.
func (c *change) hasNoPlace(ctx context.Context, tenant TenantID, profile string) (Left, error) {
	_, noTenant := c.Tenant(ctx, tenant)
	if noTenant != nil && !errors.Is(noTenant, ErrNotFound) {
		return Left{}, noTenant
	}
	p, noProfile := c.Profile(ctx, profile)
	if noProfile != nil && !errors.Is(noProfile, ErrNotFound) {
		return Left{}, noProfile
	}
	p.Name = profile
	return whyNoPlace(noTenant == nil, noProfile == nil, p, tenant), nil
}

// whyNoPlace says what is in the way of a session of that tenant and profile.
func whyNoPlace(hasTenant, hasProfile bool, p Profile, tenant TenantID) Left {
	switch {
	case !hasTenant:
		return Left{noSuchTenant, "there is no such tenant"}
	case !hasProfile:
		return Left{noSuchProfile, "there is no profile " + shown(p.Name)}
	case p.Tenant != tenant:
		return Left{otherTenants, fmt.Sprintf("profile %s belongs to tenant %s", p.Name, p.Tenant)}
	}
	return Left{}
}

var notActive = Left{noSuchTenant, "it is active there, and there is no such tenant"}

// equal tells whether two sessions are the same, but for when they were chosen.
func (s Session) equal(o Session) bool {
	var d digester // its key does not matter to a comparison
	o.ChosenAt = s.ChosenAt
	return len(imageOfSession(&s, d).differing(imageOfSession(&o, d))) == 0
}

// editActive selects the active tenant, and chooses its profile.
func (c *change) editActive(ctx context.Context, e SessionsEdit) (*SessionStep, error) {
	if e.Active == nil {
		return nil, nil
	}
	s, err := c.Selection(ctx)
	if err != nil || e.KeepSelection && s.Tenant != nil {
		return nil, err
	}
	if _, err := c.Tenant(ctx, *e.Active); errors.Is(err, ErrNotFound) {
		return &SessionStep{Action: Skip, Tenant: *e.Active, Left: notActive}, nil
	} else if err != nil {
		return nil, err
	}
	selected := s.Tenant != nil && *s.Tenant == *e.Active
	if err := c.selectTenant(ctx, *e.Active); err != nil {
		return nil, err
	}
	chosen, err := c.chooseIn(ctx, *e.Active, e.ActiveProfile)
	if err != nil || selected && !chosen {
		return nil, err
	}
	return &SessionStep{Action: Select, Tenant: *e.Active, Profile: e.ActiveProfile}, nil
}

// chooseIn makes a profile the session of a tenant, and tells whether that changed
// anything; one that is not the tenant's is left.
func (c *change) chooseIn(ctx context.Context, tenant TenantID, profile string) (bool, error) {
	if profile == "" {
		return false, nil
	}
	if why, err := c.hasNoPlace(ctx, tenant, profile); why.Is() || err != nil {
		return false, err
	}
	known, err := c.Session(ctx, tenant)
	if err != nil || known != nil && known.Profile == profile {
		return false, err
	}
	chosen := Session{Tenant: tenant, Profile: profile, ChosenAt: c.now}
	if known != nil {
		chosen.Authentication = known.Authentication
	}
	return true, c.putSession(ctx, chosen)
}
