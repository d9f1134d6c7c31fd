package live

import (
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/secret"
)

// What commands do with logins.

// rotation gives a tenant another login; what is recorded works, always.
func (s *scene) rotation(now bool) deed {
	s.T.Helper()
	s.must("tenant", "create", "--id", "k", "--name", "k")
	s.must("profile", "create", "p", "--tenant", "k")
	command := []string{"tenant", "rotate-credentials", "k", "-y"}
	if now {
		command = append(command, "--now")
	}
	var before secret.Secret
	promised := false
	return deed{
		scene: s,
		begin: func(int) []string {
			if promised { // else it would be refused
				s.must("tenant", "rotate-credentials", "k", "-y", "--now")
			}
			before = s.url("k")
			return command
		},
		judge: func(i int, o harness.Outcome) {
			after := s.url("k")
			require.True(s.T, opens(after), "what is recorded does not work: %d: %s", o.Exit, o.Stderr)
			s.checkRotation(o, before, after)
			require.False(s.T, now && o.Exit == 0 && opens(before), "the old login has not ended: %s", o.Stderr)
			if i%3 == 0 {
				s.rotateAgain(command, !now && !after.Equal(before))
			}
			s.must("tenant", "provision", "k")
			s.isExported("k")
			s.agree()
			promised = !now && !s.url("k").Equal(before)
			require.True(s.T, now || opens(before), "the old login was to work on")
			require.False(s.T, now && !after.Equal(before) && opens(before), "the old login was to end")
		},
	}
}

// rotateAgain says a rotation again. One that was published is finished or, if it was whole, keeps its word.
func (s *scene) rotateAgain(command []string, published bool) {
	s.T.Helper()
	before := s.url("k")
	o := s.Run(command...)
	require.True(s.T, o.Exit == 0 || published && o.Exit == 4, "%d: %s", o.Exit, o.Stderr)
	require.Equal(s.T, published, s.url("k").Equal(before))
	require.True(s.T, opens(s.url("k")))
}

// checkRotation wants that what a rotation said is true.
func (s *scene) checkRotation(o harness.Outcome, before, after secret.Secret) {
	s.T.Helper()
	made, refused := claims(o)
	require.False(s.T, made && after.Equal(before), "nothing is published: %d: %s", o.Exit, o.Stderr)
	require.False(s.T, refused && !after.Equal(before), "it is published: %d: %s", o.Exit, o.Stderr)
	if o.Exit == 0 {
		require.True(s.T, opens(after), o.Stderr)
		s.isExported("k")
	}
}

// adoptedRotation changes the password of the one role that two tenants log in as. Which one
// holds can always be found out.
func (s *scene) adoptedRotation(name string) deed {
	s.T.Helper()
	url, err := adoptable(s.super, name)
	require.NoError(s.T, err)
	s.T.Cleanup(func() { require.NoError(s.T, dropAdopted(s.super, name)) })
	s.must("tenant", "create", "--id", "k", "--name", "k", "--database-url", url.Reveal())
	s.must("tenant", "create", "--id", "other", "--name", "other", "--database-url", url.Reveal()+"?application_name=other")
	var before secret.Secret
	return deed{
		scene: s,
		begin: func(int) []string {
			before = s.url("k")
			return []string{"tenant", "rotate-credentials", "k", "-y"}
		},
		judge: func(i int, o harness.Outcome) {
			s.checkRotation(o, before, s.url("k"))
			if opens(s.url("k")) && i%2 == 0 {
				s.must("tenant", "check", "--all")
				return
			}
			s.must("tenant", "rotate-credentials", []string{"k", "other"}[i/2%2], "-y")
			for _, id := range []string{"k", "other"} {
				require.True(s.T, opens(s.url(id)))
				s.isExported(id)
			}
		},
	}
}
