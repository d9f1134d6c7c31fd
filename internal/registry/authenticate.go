package registry

import (
	"context"
	"fmt"
	"strings"
)

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
