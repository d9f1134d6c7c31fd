package server

import (
	"slices"
	"strings"
)

// Scope is what a token allows.
type Scope string

// The scopes. A token's are cut by its user's role.
const (
	Read    Scope = "read"
	Write   Scope = "write"
	Secrets Scope = "secrets"
	Admin   Scope = "admin"
)

// Role says what a user may do.
type Role string

// The roles: who may do everything, who makes tenants and uses those that are theirs, and who looks.
const (
	AdminRole  Role = "admin"
	MemberRole Role = "member"
	ReaderRole Role = "reader"
)

// Roles are all roles, in the order in which they are shown.
var Roles = []Role{AdminRole, MemberRole, ReaderRole}

// Scopes returns all that a role allows.
func (r Role) Scopes() []Scope {
	switch r {
	case AdminRole:
		return []Scope{Read, Write, Secrets, Admin}
	case MemberRole:
		return []Scope{Read, Write, Secrets}
	case ReaderRole:
		return []Scope{Read}
	}
	return nil
}

// usual are the scopes of a token for which none were named.
func (r Role) usual() (scopes []string) {
	for _, scope := range r.Scopes() {
		if scope != Admin {
			scopes = append(scopes, string(scope))
		}
	}
	return scopes
}

// scopesOf reads scopes as they are stored; what the role does not allow is left out.
func scopesOf(text string, r Role) (scopes []Scope) {
	for word := range strings.FieldsSeq(text) {
		if scope := Scope(word); slices.Contains(r.Scopes(), scope) {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

func joined[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return strings.Join(texts, " ")
}
