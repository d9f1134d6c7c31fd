package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/sp-registry/sp/internal/secret"
)

// ImportedProfile is a profile as its files say it is.
type ImportedProfile struct {
	Profile
	Secrets []ProfileSecret
}

// ProfileStep is what an import does with one profile.
type ProfileStep struct {
	Action Action
	Name   string
	Tenant TenantID
	// Secrets names those that are new or change.
	Secrets []string
	// Left says of what was not taken why: the profile, where it is skipped, or secrets.
	Left []Left
}

// importProfiles takes the profiles that belong to a known tenant. What is known of
// one stays where the files lack it, unless the import is exact.
func (c *change) importProfiles(ctx context.Context, i Import, plan *Plan) error {
	for _, p := range i.Profiles {
		step, err := c.importProfile(ctx, i, p)
		if err != nil {
			return err
		}
		if step.Action != Keep || step.Left != nil {
			plan.Profiles = append(plan.Profiles, step)
		}
	}
	if i.Sessions == nil {
		return nil
	}
	steps, err := c.editSessions(ctx, *i.Sessions)
	plan.Sessions = append(plan.Sessions, steps...)
	return err
}

func (c *change) importProfile(ctx context.Context, i Import, p ImportedProfile) (step ProfileStep, err error) {
	step = ProfileStep{Action: Keep, Name: p.Name, Tenant: p.Tenant}
	why, err := c.refusesProfile(ctx, p.Profile)
	if why.Is() || err != nil {
		step.Action, step.Left = Skip, []Left{why}
		return step, err
	}
	c.due.Profiles[p.Name] = true // its files may be there and not known yet
	before, err := c.profileSecrets(ctx, p.Name)
	if err != nil {
		return step, err
	}
	after := maps.Clone(before)
	if i.Exact {
		clear(after)
	}
	step.Secrets, step.Left = takenOf(p.Secrets, before)
	for _, s := range p.Secrets {
		if CheckProfileSecret(s) == nil {
			after[s.Key] = s.Value
		}
	}
	if _, err = c.Profile(ctx, p.Name); errors.Is(err, ErrNotFound) {
		step.Action = Add
		return step, c.insertProfile(ctx, p.Profile, after)
	}
	if err == nil && !sameSecrets(before, after) {
		step.Action = Update
		err = c.putProfileSecrets(ctx, p.Profile, after)
	}
	return step, err
}

var otherCase = Left{nameTaken, "its name differs from another's by case alone"}

func noTenant(id TenantID) Left { return Left{noSuchTenant, "there is no tenant " + shown(string(id))} }

// takenOf names the secrets that are new or differ from what is known, and says of the
// others why they can't be taken.
func takenOf(secrets []ProfileSecret, known map[string]secret.Secret) (taken []string, left []Left) {
	for _, s := range secrets {
		if err := CheckProfileSecret(s); err != nil {
			left = append(left, Left{notAllowed, err.Error()})
		} else if value, there := known[s.Key]; !there || !value.Equal(s.Value) {
			taken = append(taken, s.Key)
		}
	}
	return taken, left
}

// refusesProfile says why a profile can't be taken; nothing where it can.
func (c *change) refusesProfile(ctx context.Context, p Profile) (Left, error) {
	if err := CheckProfileName(p.Name); err != nil {
		return Left{notAllowed, err.Error()}, nil
	}
	known, err := c.Profile(ctx, p.Name)
	switch {
	case err == nil && known.Tenant != p.Tenant:
		return Left{otherTenants, fmt.Sprintf("it belongs to tenant %s here", known.Tenant)}, nil
	case err == nil:
		return Left{}, nil
	case !errors.Is(err, ErrNotFound):
		return Left{}, err
	}
	if _, err := c.Tenant(ctx, p.Tenant); errors.Is(err, ErrNotFound) {
		return noTenant(p.Tenant), nil
	} else if err != nil {
		return Left{}, err
	}
	if err := c.checkProfileName(ctx, p.Name, p.Name); errors.Is(err, ErrExists) {
		return otherCase, nil
	} else if err != nil {
		return Left{}, err
	}
	return Left{}, nil
}
