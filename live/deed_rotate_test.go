package live

import (
	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

// What commands do with logins.

// rotation gives a tenant another login; what is recorded works, always.
func (s *scene) rotation(now bool) deed {
	s.t.Helper()
	s.must("tenant", "create", "--id", "k", "--name", "k")
	s.must("profile", "create", "p", "--tenant", "k")
	command := []string{"tenant", "rotate-credentials", "k", "-y"}
	if now {
		command = append(command, "--now")
	}
	var before secret.Secret
	return deed{
		scene: s,
		begin: func(int) []string { before = s.url("k"); return command },
		judge: func(i int, o outcome) {
			after := s.url("k")
			require.True(s.t, opens(after), "what is recorded does not work: %d: %s", o.exit, o.stderr)
			s.checkRotation(o, before, after)
			require.False(s.t, now && o.exit == 0 && opens(before), "the old login has not ended: %s", o.stderr)
			if i%3 == 0 {
				s.must(command...)
				require.True(s.t, opens(s.url("k")))
			}
			s.must("tenant", "provision", "k")
			s.isExported("k")
			s.agree()
			require.False(s.t, now && !after.Equal(before) && opens(before), "the old login was to end")
		},
	}
}

// checkRotation wants that what a rotation said is true.
func (s *scene) checkRotation(o outcome, before, after secret.Secret) {
	s.t.Helper()
	made, refused := o.claims()
	require.False(s.t, made && after.Equal(before), "nothing is published: %d: %s", o.exit, o.stderr)
	require.False(s.t, refused && !after.Equal(before), "it is published: %d: %s", o.exit, o.stderr)
	if o.exit == 0 {
		require.True(s.t, opens(after), o.stderr)
		s.isExported("k")
	}
}

// adoptedRotation changes the password of the one role that two tenants log in as. Which one
// holds can always be found out.
func (s *scene) adoptedRotation(name string) deed {
	s.t.Helper()
	url, err := adoptable(s.super, name)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, dropAdopted(s.super, name)) })
	s.must("tenant", "create", "--id", "k", "--name", "k", "--database-url", url.Reveal())
	s.must("tenant", "create", "--id", "other", "--name", "other", "--database-url", url.Reveal()+"?application_name=other")
	var before secret.Secret
	return deed{
		scene: s,
		begin: func(int) []string {
			before = s.url("k")
			return []string{"tenant", "rotate-credentials", "k", "-y"}
		},
		judge: func(i int, o outcome) {
			s.checkRotation(o, before, s.url("k"))
			if opens(s.url("k")) && i%2 == 0 {
				s.must("tenant", "check", "--all")
				return
			}
			s.must("tenant", "rotate-credentials", []string{"k", "other"}[i/2%2], "-y")
			for _, id := range []string{"k", "other"} {
				require.True(s.t, opens(s.url(id)))
				s.isExported(id)
			}
		},
	}
}
