package registry

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// Profile is a configuration; it belongs to exactly one tenant. Its name is
// unique in the registry, for it names a directory.
type Profile struct {
	Name   string
	Tenant TenantID
}

// Session is what is active in one tenant: the profile chosen there, and what
// authenticates it. It outlives the selection of another tenant, so that coming back
// restores it.
type Session struct {
	Tenant   TenantID
	Profile  string
	ChosenAt time.Time
	// Authentication is nil where only the profile was chosen.
	Authentication *Authentication
}

// Authentication is what a session shows to the application's server. When it is
// expired, the choice of the profile still holds.
type Authentication struct {
	Token secret.Secret
	// Issuer is who made the token; older versions of the original know none.
	Issuer                         *string
	SessionID, ContextID           string
	UserID, UserEmail, UserType    string
	CreatedAt, ExpiresAt, LastUsed time.Time
}

// secrets returns what of a session the history may not hold; a nil one has none.
func (s *Session) secrets() map[string]secret.Secret {
	if s == nil || s.Authentication == nil {
		return nil
	}
	return map[string]secret.Secret{"token": s.Authentication.Token}
}

// usedAt returns the same, used last at that instant.
func (a *Authentication) usedAt(now time.Time) *Authentication {
	if a == nil {
		return nil
	}
	used := *a
	used.LastUsed = now
	return &used
}

// IsExpired tells whether the authentication has ended, which it has at ExpiresAt.
func (a Authentication) IsExpired(now time.Time) bool { return !now.Before(a.ExpiresAt) }

// NewProfile asks for a profile of a tenant; without one, of the selected tenant.
type NewProfile struct {
	Name   string
	Tenant *TenantID
	// UseFirst makes it the session of its tenant if that is selected and has no session, and the
	// default profile is not the tenant's.
	UseFirst bool
	// Secrets are what its secrets.json has beside what is the tenant's.
	Secrets []ProfileSecret
	// DatabaseURL is for a tenant that has none yet. One that has another is not changed:
	// its other profiles would connect elsewhere.
	DatabaseURL *secret.Secret
}

func (n NewProfile) check() (secrets map[string]secret.Secret, err error) {
	if err := CheckProfileName(n.Name); err != nil {
		return nil, err
	}
	secrets = map[string]secret.Secret{}
	for _, s := range n.Secrets {
		if err := CheckProfileSecret(s); err != nil {
			return nil, err
		}
		secrets[s.Key] = s.Value
	}
	if n.DatabaseURL != nil {
		err = pgurl.Check(*n.DatabaseURL)
	}
	return secrets, err
}

// CreateProfile makes a profile and returns it.
func (r *Registry) CreateProfile(ctx context.Context, n NewProfile) (profile Profile, err error) {
	secrets, err := n.check()
	if err != nil {
		return Profile{}, err
	}
	err = r.write(ctx, func(c *change) error {
		tenant, err := c.TenantOrSelected(ctx, n.Tenant)
		if err != nil {
			return err
		}
		if err := c.checkProfileName(ctx, n.Name, ""); err != nil {
			return err
		}
		if err := c.giveURL(ctx, tenant.ID, n.DatabaseURL); err != nil {
			return err
		}
		profile = Profile{Name: n.Name, Tenant: tenant.ID}
		if err := c.insertProfile(ctx, profile, secrets); err != nil || !n.UseFirst {
			return err
		}
		return c.useFirst(ctx, profile)
	})
	return profile, err
}

// useFirst makes a profile the session of its tenant, where that is selected and nothing else
// would decide.
func (c *change) useFirst(ctx context.Context, profile Profile) error {
	s, err := c.Selection(ctx)
	if err != nil || s.Tenant == nil || *s.Tenant != profile.Tenant {
		return err
	}
	session, err := c.Session(ctx, profile.Tenant)
	if err != nil || session != nil {
		return err
	}
	if s.DefaultProfile != nil {
		byDefault, err := c.Profile(ctx, *s.DefaultProfile)
		if err != nil || byDefault.Tenant == profile.Tenant {
			return err
		}
	}
	return c.putSession(ctx, Session{Tenant: profile.Tenant, Profile: profile.Name, ChosenAt: c.now})
}

// giveURL gives a tenant that can't be connected to its database's URL.
func (c *change) giveURL(ctx context.Context, id TenantID, url *secret.Secret) error {
	if url == nil {
		return nil
	}
	before, err := c.placedTenant(ctx, id)
	if err != nil {
		return err
	}
	after := before.Tenant
	to := &after.DatabaseURL
	if after.IsCloud() {
		to = &after.InternalDatabaseURL
	}
	switch known := *to; {
	case known == nil || known.Empty() || pgurl.IsMasked(*known) || pgurl.LeadsNowhere(*known):
		*to = url
	case known.Equal(*url):
		return nil
	default:
		return fmt.Errorf("tenant %s has another database URL (sp tenant edit changes it, for all its profiles): %w", id, ErrConflict)
	}
	return c.updateTenant(ctx, before, after)
}

// nameKey is what two profile names share that differ only by case. Names are
// ASCII, so it is the same everywhere.
func nameKey(name string) string { return strings.ToLower(name) }

// checkProfileName refuses a name that a profile other than except has, but for case.
func (c *change) checkProfileName(ctx context.Context, name, except string) error {
	alike, err := c.q.ProfileNamesAlike(ctx, nameKey(name))
	for _, other := range alike {
		if other != except {
			return fmt.Errorf("profile %s: %w", other, ErrExists)
		}
	}
	return err
}

// ProfileEdit asks for another name or tenant of a profile; what is nil stays as it is.
type ProfileEdit struct {
	Name    string
	NewName *string
	Tenant  *TenantID
}

// UpdateProfile renames a profile or links it to another tenant, and returns it
// as it is then. Its session and its being the default follow a rename; a profile
// that is a session can't leave its tenant.
func (r *Registry) UpdateProfile(ctx context.Context, e ProfileEdit) (profile Profile, err error) {
	if e.NewName != nil {
		if err := CheckProfileName(*e.NewName); err != nil {
			return Profile{}, err
		}
	}
	err = r.write(ctx, func(c *change) error {
		before, err := c.Profile(ctx, e.Name)
		if err != nil {
			return err
		}
		profile = before
		if e.NewName != nil {
			if err := c.checkProfileName(ctx, *e.NewName, e.Name); err != nil {
				return err
			}
			profile.Name = *e.NewName
		}
		if e.Tenant != nil && *e.Tenant != profile.Tenant {
			if err := c.checkRelink(ctx, e.Name, profile.Tenant, *e.Tenant); err != nil {
				return err
			}
			profile.Tenant = *e.Tenant
		}
		return c.updateProfile(ctx, before, profile)
	})
	return profile, err
}

func (c *change) checkRelink(ctx context.Context, name string, from, to TenantID) error {
	if _, err := c.Tenant(ctx, to); err != nil {
		return err
	}
	session, err := c.Session(ctx, from)
	if err == nil && session != nil && session.Profile == name {
		err = fmt.Errorf("profile %s: it is the session of tenant %s: %w", name, from, ErrInUse)
	}
	return err
}

// RemovedProfile is a profile that was deleted and what went with it.
type RemovedProfile struct {
	Profile Profile
	// Session tells that it was the session of its tenant, which has none now.
	Session bool
	// Default tells that it was the default; there is none now.
	Default bool
}

// DeleteProfile deletes a profile, and the session that chose it. To purge is to forget its
// secrets at once.
func (r *Registry) DeleteProfile(ctx context.Context, name string, purge bool) (removed RemovedProfile, err error) {
	err = r.write(ctx, func(c *change) error {
		c.record.purge = purge
		if removed.Profile, err = c.Profile(ctx, name); err != nil {
			return err
		}
		session, err := c.Session(ctx, removed.Profile.Tenant)
		if err != nil {
			return err
		}
		if session != nil && session.Profile == name {
			removed.Session = true
			if err := c.deleteSession(ctx, *session); err != nil {
				return err
			}
		}
		s, err := c.Selection(ctx)
		if err != nil {
			return err
		}
		if s.DefaultProfile != nil && *s.DefaultProfile == name {
			removed.Default = true
			if err := c.setDefault(ctx, nil); err != nil {
				return err
			}
		}
		return c.deleteProfile(ctx, removed.Profile)
	})
	return removed, err
}
