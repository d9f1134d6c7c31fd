package live

import (
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

// What commands do with databases, each with what has to be true of it wherever it is cut off
// or refused, and of what it said about that.

func id(i int) string { return fmt.Sprint("k", i) }

// begun makes a project that exports.
func (s *scene) begun() *scene {
	s.t.Helper()
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
		judge: func(i int, o outcome) {
			s.checkMaking(id(i), o)
			s.finishOrUndo(id(i), i%2 == 0)
		},
	}
}

// checkMaking wants that what a command said of a database that it was to make is true.
func (s *scene) checkMaking(id string, o outcome) {
	s.t.Helper()
	switch made, refused := o.claims(); {
	case made:
		require.True(s.t, opens(s.url(id)), "%d: %s", o.exit, o.stderr)
		if o.exit == 0 {
			s.isExported(id)
		}
	case refused && s.isThere(id):
		require.Contains(s.t, o.stderr, "its database is not finished: sp tenant provision "+id+" goes on")
		require.Equal(s.t, 5, s.sp("resolve", "--tenant", id).exit, "it has a URL already: %s", o.stderr)
	}
}

// finishOrUndo does one or the other with what is left of a creation, and then deletes it.
func (s *scene) finishOrUndo(id string, finish bool) {
	s.t.Helper()
	if s.isThere(id) && finish {
		s.must("tenant", "provision", id)
		require.True(s.t, opens(s.url(id)))
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
		judge: func(i int, o outcome) {
			if made, refused := o.claims(); made || refused && !s.waits(id(i)) {
				s.checkMaking(id(i), o)
			}
			s.finishOrUndo(id(i), i%2 == 0)
		},
	}
}

// waits tells whether a tenant is as it was before anything was made for it.
func (s *scene) waits(id string) bool {
	s.t.Helper()
	o := s.sp("resolve", "--tenant", id) // which plays back what a refused change left
	databases, _, err := known(s.dir)
	require.NoError(s.t, err)
	return len(databases) == 0 && o.exit == 5
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
		judge: func(i int, o outcome) {
			there := s.isThere(id(i))
			made, refused := o.claims()
			require.False(s.t, made && there || refused && !there, "there: %v: %d: %s", there, o.exit, o.stderr)
			if strings.Contains(o.stderr, "nothing is deleted") {
				require.True(s.t, opens(before))
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

// provisionAgain wants a tenant whose deletion was begun to be whole, or to say what helps.
func (s *scene) provisionAgain(id string) {
	s.t.Helper()
	o := s.sp("tenant", "provision", id)
	if o.exit == 0 {
		require.True(s.t, opens(s.url(id)))
		s.agree()
		return
	}
	require.Equal(s.t, 4, o.exit, o.stderr)
	require.Contains(s.t, o.stderr, "hint: sp tenant delete "+id+" -y goes on with that")
}
