package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestATokenAllowsWhatItsUsersRoleDoes unless it is told: and never administration by itself.
func TestATokenAllowsWhatItsUsersRoleDoes(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	for role, want := range map[string][]string{
		"reader": {"read"}, "member": {"read", "write", "secrets"}, "admin": {"read", "write", "secrets"},
	} {
		s.must("user", "add", "the-"+role, "--role", role)
		var made struct{ Scopes []string }
		require.NoError(t, json.Unmarshal([]byte(s.must("token", "create", "the-"+role, "--json").stdout), &made))
		require.Equal(t, want, made.Scopes, role)
	}
	s.must("token", "create", "the-admin", "--scopes", "read,admin")
	require.Contains(t, s.refuses(2, "invalid", "token", "create", "the-reader", "--scopes", "write").Message, "reader")
	s.mustTenantOn(nobodyListens, shop, "shop")
	limited := s.refuses(2, "invalid", "token", "create", "the-admin", "--scopes", "read,admin", "--tenant", shop)
	require.Contains(t, limited.Message, "a token for certain tenants can't have the scope admin")
}

// TestWhoIsLockedOutGetsNothingToComeInWith: neither a token nor a join code.
func TestWhoIsLockedOutGetsNothingToComeInWith(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna")
	s.must("user", "edit", "anna", "--active", "no")
	for _, words := range [][]string{{"token", "create", "anna"}, {"user", "code", "anna"}} {
		f := s.refuses(4, "conflict", words...)
		require.Equal(t, "user anna is locked out", f.Message)
		require.Equal(t, []string{"spd user edit anna --active yes"}, f.NextSteps)
	}
	require.Empty(t, s.must("token", "list").stdout)
	s.must("user", "edit", "anna", "--active", "yes")
	s.must("token", "create", "anna")
}

// TestTheLastAdminStaysOne: also where the operator mistypes a name.
func TestTheLastAdminStaysOne(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna", "--role", "admin")
	s.must("user", "add", "ben", "--role", "admin")
	s.must("user", "edit", "ben", "--active", "no") // who is locked out does not count
	for _, words := range [][]string{{"--active", "no"}, {"--role", "member"}} {
		f := s.refuses(4, "conflict", append([]string{"user", "edit", "anna"}, words...)...)
		require.Equal(t, "user anna has to stay an active admin: there is no other", f.Message)
		require.Equal(t, []string{"spd user add NAME --role admin"}, f.NextSteps)
	}
	s.must("user", "add", "carl", "--role", "admin")
	s.must("user", "edit", "anna", "--role", "member")
	require.Equal(t, "anna\tmember\tyes\t0\nben\tadmin\tno\tall\ncarl\tadmin\tyes\tall\n", s.must("user", "list").stdout)
}
