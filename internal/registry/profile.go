package registry

import (
	"time"

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

// IsValid tells whether it authenticates: it has a token and is not expired.
func (a Authentication) IsValid(now time.Time) bool { return !a.Token.Empty() && !a.IsExpired(now) }
