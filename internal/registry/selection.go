package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sp-registry/sp/db"
)

// Selection is what is selected in the registry; nil is nothing.
type Selection struct {
	Tenant         *TenantID
	Previous       *TenantID
	DefaultProfile *string
	// Deleted is the selected tenant that was deleted; until the next selection
	// no other one slips into its place.
	Deleted *TenantID
}

// Selection returns what is selected.
func (v *View) Selection(ctx context.Context) (Selection, error) {
	row, err := v.q.Selection(ctx)
	if err != nil {
		return Selection{}, vanished(err)
	}
	for _, text := range []*string{row.TenantID, row.PreviousTenantID, row.DeletedTenantID, row.DefaultProfile} {
		if text != nil && !utf8.ValidString(*text) {
			return Selection{}, fmt.Errorf("what is selected: %w: it is not UTF-8", db.ErrDamaged)
		}
	}
	return Selection{
		Tenant:         (*TenantID)(row.TenantID),
		Previous:       (*TenantID)(row.PreviousTenantID),
		DefaultProfile: row.DefaultProfile,
		Deleted:        (*TenantID)(row.DeletedTenantID),
	}, nil
}

// SelectedTenant returns the selected tenant, nil if none was ever selected, and
// ErrNoTenant if the selected one was deleted.
func (v *View) SelectedTenant(ctx context.Context) (*TenantID, error) {
	s, err := v.Selection(ctx)
	if err != nil {
		return nil, err
	}
	if s.Deleted != nil {
		return nil, fmt.Errorf("%w: the selected tenant %s was deleted", ErrNoTenant, *s.Deleted)
	}
	return s.Tenant, nil
}

// TenantOrSelected returns the tenant with that id or, with nil, the selected one,
// and ErrNoTenant if none is.
func (v *View) TenantOrSelected(ctx context.Context, id *TenantID) (Tenant, error) {
	if id == nil {
		selected, err := v.SelectedTenant(ctx)
		if err != nil {
			return Tenant{}, err
		}
		if selected == nil {
			return Tenant{}, fmt.Errorf("%w: none is selected", ErrNoTenant)
		}
		id = selected
	}
	return v.Tenant(ctx, *id)
}

// DefaultProfile returns the registry's default profile, nil if there is none.
func (v *View) DefaultProfile(ctx context.Context) (*string, error) {
	s, err := v.Selection(ctx)
	return s.DefaultProfile, err
}

// ActiveSession returns the session of the selected tenant, nil if there is none.
func (v *View) ActiveSession(ctx context.Context) (*Session, error) {
	return optionalSession(v.q.ActiveSession(ctx))
}

// SelectTenant makes a tenant the selected one; its session is active again as
// it was. It returns the tenant.
func (r *Registry) SelectTenant(ctx context.Context, id TenantID) (tenant Tenant, err error) {
	err = r.write(ctx, func(c *change) error {
		if tenant, err = c.Tenant(ctx, id); err != nil {
			return err
		}
		return c.selectTenant(ctx, id)
	})
	return tenant, err
}

// SelectPrevious makes the tenant selected that was before the current one.
func (r *Registry) SelectPrevious(ctx context.Context) (tenant Tenant, err error) {
	err = r.write(ctx, func(c *change) error {
		s, err := c.Selection(ctx)
		if err != nil {
			return err
		}
		if s.Previous == nil {
			return because(ErrNoTenant, "no other tenant was selected before")
		}
		if tenant, err = c.Tenant(ctx, *s.Previous); err != nil {
			return err
		}
		return c.selectTenant(ctx, *s.Previous)
	})
	return tenant, err
}

func (c *change) selectTenant(ctx context.Context, id TenantID) error {
	before, err := c.Selection(ctx)
	if err != nil {
		return err
	}
	s := before
	if s.Tenant == nil || *s.Tenant != id {
		if s.Tenant != nil {
			s.Previous = s.Tenant
		}
		if s.Previous != nil && *s.Previous == id {
			s.Previous = nil
		}
	}
	s.Tenant, s.Deleted = &id, nil
	return c.setSelection(ctx, before, s)
}

// SetDefaultProfile makes a profile the registry's default; nil takes it away.
func (r *Registry) SetDefaultProfile(ctx context.Context, name *string) error {
	return r.write(ctx, func(c *change) error {
		if name != nil {
			if _, err := c.Profile(ctx, *name); err != nil {
				return err
			}
		}
		return c.setDefault(ctx, name)
	})
}

func (c *change) setDefault(ctx context.Context, name *string) error {
	before, err := c.Selection(ctx)
	if err != nil {
		return err
	}
	s := before
	s.DefaultProfile = name
	return c.setSelection(ctx, before, s)
}

// UseProfile selects the profile's tenant and makes the profile its session. It
// returns the profile.
func (r *Registry) UseProfile(ctx context.Context, name string) (profile Profile, err error) {
	err = r.write(ctx, func(c *change) error {
		if profile, err = c.Profile(ctx, name); err != nil {
			return err
		}
		if err := c.selectTenant(ctx, profile.Tenant); err != nil {
			return err
		}
		session, err := c.Session(ctx, profile.Tenant)
		if err != nil {
			return err
		}
		chosen := Session{Tenant: profile.Tenant, Profile: name, ChosenAt: c.now}
		if session != nil {
			chosen.Authentication = session.Authentication.usedAt(c.now)
		}
		return c.putSession(ctx, chosen)
	})
	return profile, err
}

// EndSession ends the session of a tenant. It returns the session, nil if there was none.
func (r *Registry) EndSession(ctx context.Context, tenant TenantID) (ended *Session, err error) {
	err = r.write(ctx, func(c *change) error {
		if ended, err = c.Session(ctx, tenant); err != nil || ended == nil {
			return err
		}
		return c.deleteSession(ctx, *ended)
	})
	return ended, err
}

// EndSessions ends every session and returns those that there were.
func (r *Registry) EndSessions(ctx context.Context) (ended []Session, err error) {
	err = r.write(ctx, func(c *change) error {
		for session, err := range c.Sessions(ctx, Page{}) {
			if err != nil {
				return err
			}
			ended = append(ended, session)
		}
		for _, session := range ended {
			if err := c.deleteSession(ctx, session); err != nil {
				return err
			}
		}
		return nil
	})
	return ended, err
}

// dropNowhere takes out of a selection what leads nowhere, as only another hand can
// have left it; otherwise no selection could be written any more. A selected tenant
// that is not there counts as deleted, so that no other one slips into its place.
func (c *change) dropNowhere(ctx context.Context, s *Selection) error {
	for _, id := range []**TenantID{&s.Tenant, &s.Previous} {
		if *id == nil {
			continue
		}
		_, err := c.Tenant(ctx, **id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err != nil && id == &s.Tenant {
			s.Deleted = s.Tenant
		}
		if err != nil {
			*id = nil
		}
	}
	if s.DefaultProfile == nil {
		return nil
	}
	_, err := c.Profile(ctx, *s.DefaultProfile)
	if errors.Is(err, ErrNotFound) {
		s.DefaultProfile, err = nil, nil
	}
	return err
}

// Login asks for a profile to become the session of its tenant, and to authenticate.
type Login struct {
	Profile        string
	Authentication Authentication
}

// Authenticate selects the profile's tenant and makes the profile its session, with
// what authenticates it. It returns the session.
func (r *Registry) Authenticate(ctx context.Context, l Login) (session Session, err error) {
	if err := l.Authentication.check(); err != nil {
		return Session{}, err
	}
	err = r.write(ctx, func(c *change) error {
		profile, err := c.Profile(ctx, l.Profile)
		if err != nil {
			return err
		}
		if err := c.selectTenant(ctx, profile.Tenant); err != nil {
			return err
		}
		session = Session{Tenant: profile.Tenant, Profile: profile.Name, ChosenAt: c.now, Authentication: &l.Authentication}
		return c.putSession(ctx, session)
	})
	return session, err
}

// check refuses what no version of the original could read back.
func (a Authentication) check() error {
	for what, text := range map[string]string{
		"session token": a.Token.Reveal(), "session id": a.SessionID, "context id": a.ContextID, "user id": a.UserID,
	} {
		if err := checkText(what, text); err != nil {
			return err
		}
	}
	if a.Issuer != nil && *a.Issuer != "" {
		if err := checkText("issuer", *a.Issuer); err != nil {
			return err
		}
	}
	if !a.ExpiresAt.After(a.CreatedAt) {
		return fmt.Errorf("session: it would be over before it begins: %w", ErrInvalid)
	}
	return checkEmail(a.UserEmail)
}

// checkEmail holds the original's rule for addresses: one `@`; before it something
// without a leading, trailing or doubled dot, after it a domain likewise that has a dot
// and ends in a part of at least two characters.
func checkEmail(email string) error {
	bad := func(why string) error { return fmt.Errorf("email: %s: %w", why, ErrInvalid) }
	if err := checkText("email", email); err != nil {
		return err
	}
	local, domain, found := strings.Cut(email, "@")
	if !found || strings.Contains(domain, "@") {
		return bad("it has not exactly one @")
	}
	for _, part := range []string{local, domain} {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") || strings.Contains(part, "..") {
			return bad("nothing, or a dot too many, beside the @")
		}
	}
	if dot := strings.LastIndexByte(domain, '.'); dot < 0 || len(domain)-dot-1 < 2 {
		return bad("its domain does not end in a name such as .com")
	}
	return nil
}
