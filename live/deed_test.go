package live

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/secret"
)

// What commands do with databases, each with what has to be true of it wherever it is cut off
// or refused, and of what it said about that.

func id(i int) string { return fmt.Sprint("k", i) }

// begun makes a project that exports.
func (s *scene) begun() *scene {
	s.T.Helper()
	s.must("init")
	s.must("export")
	return s
}

// creation makes a tenant with a database, which can be finished or undone.
func (s *scene) creation(provider string) deed {
	return deed{
		scene: s,
		begin: func(i int) []string {
			return []string{"tenant", "create", "--id", id(i), "--name", id(i), "--provider", provider}
		},
		judge: func(i int, o harness.Outcome) {
			s.checkMaking(id(i), o)
			s.finishOrUndo(id(i), i%2 == 0)
		},
	}
}

// checkMaking wants that what a command said of a database that it was to make is true.
func (s *scene) checkMaking(id string, o harness.Outcome) {
	s.T.Helper()
	switch made, refused := claims(o); {
	case made:
		require.True(s.T, opens(s.url(id)), "%d: %s", o.Exit, o.Stderr)
		if o.Exit == 0 {
			s.isExported(id)
		}
	case refused && s.isThere(id):
		require.Contains(s.T, o.Stderr, "its database is not finished: sp tenant provision "+id+" goes on")
		require.Equal(s.T, 5, s.Run("resolve", "--tenant", id).Exit, "it has a URL already: %s", o.Stderr)
	}
}

// finishOrUndo does one or the other with what is left of a creation, and then deletes it.
func (s *scene) finishOrUndo(id string, finish bool) {
	s.T.Helper()
	if s.isThere(id) && finish {
		s.must("tenant", "provision", id)
		require.True(s.T, opens(s.url(id)))
		s.isExported(id)
		s.agree()
	}
	if s.isThere(id) {
		s.must("tenant", "delete", id, "-y")
	}
	s.agree()
}

// provision makes the database of a tenant that has none.
func (s *scene) provision() deed {
	return deed{
		scene: s,
		begin: func(i int) []string {
			s.must("tenant", "create", "--id", id(i), "--name", id(i), "--no-database")
			return []string{"tenant", "provision", id(i)}
		},
		judge: func(i int, o harness.Outcome) {
			if made, refused := claims(o); made || refused && !s.waits(id(i)) {
				s.checkMaking(id(i), o)
			}
			s.finishOrUndo(id(i), i%2 == 0)
		},
	}
}

// waits tells whether a tenant is as it was before anything was made for it.
func (s *scene) waits(id string) bool {
	s.T.Helper()
	o := s.Run("resolve", "--tenant", id) // which plays back what a refused change left
	databases, _, err := known(s.Dir)
	require.NoError(s.T, err)
	return len(databases) == 0 && o.Exit == 5
}

// deletion drops a tenant's database, which can be gone on with.
func (s *scene) deletion() deed {
	var before secret.Secret
	return deed{
		scene: s,
		begin: func(i int) []string {
			s.must("tenant", "create", "--id", id(i), "--name", id(i))
			before = s.url(id(i))
			return []string{"tenant", "delete", id(i), "-y"}
		},
		judge: func(i int, o harness.Outcome) {
			there := s.isThere(id(i))
			made, refused := claims(o)
			require.False(s.T, made && there || refused && !there, "there: %v: %d: %s", there, o.Exit, o.Stderr)
			if strings.Contains(o.Stderr, "nothing is deleted") {
				require.True(s.T, opens(before))
			}
			if there && i%2 == 0 {
				s.provisionAgain(id(i))
			}
			if there {
				s.must("tenant", "delete", id(i), "-y")
			}
			s.agree()
		},
	}
}

// undoing takes back a creation with its database, which can be gone on with, or deleted.
func (s *scene) undoing() deed {
	return deed{
		scene: s,
		begin: func(i int) []string {
			s.must("tenant", "create", "--id", id(i), "--name", id(i))
			return []string{"undo", "-y"}
		},
		judge: func(i int, o harness.Outcome) {
			there := s.isThere(id(i))
			made, refused := claims(o)
			require.False(s.T, made && there || refused && !there, "there: %v: %d: %s", there, o.Exit, o.Stderr)
			switch {
			case there && i%2 == 0:
				s.must("undo", "-y")
				require.False(s.T, s.isThere(id(i)))
			case there:
				s.must("tenant", "delete", id(i), "-y")
			}
			s.agree()
		},
	}
}

// provisionAgain wants a tenant whose deletion was begun to be whole, or to say what helps.
func (s *scene) provisionAgain(id string) {
	s.T.Helper()
	o := s.Run("tenant", "provision", id)
	if o.Exit == 0 {
		require.True(s.T, opens(s.url(id)))
		s.agree()
		return
	}
	require.Equal(s.T, 4, o.Exit, o.Stderr)
	require.Contains(s.T, o.Stderr, "hint: sp tenant delete "+id+" goes on with that")
}
