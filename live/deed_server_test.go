package live

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/secret"
)

// What commands do with servers.

// check logs in to databases, and changes nothing.
func (s *scene) check() deed {
	s.T.Helper()
	s.must("tenant", "create", "--id", "k", "--name", "k")
	url := s.url("k")
	return deed{
		scene: s,
		begin: func(i int) []string { return []string{"tenant", "check", []string{"k", "--all"}[i%2]} },
		judge: func(_ int, o harness.Outcome) {
			require.NotEqual(s.T, 8, o.Exit, "it changes nothing")
			require.Equal(s.T, o.Exit == 0, strings.Contains(o.Stdout, "\tok\t"), "%d: %s%s", o.Exit, o.Stdout, o.Stderr)
			require.True(s.T, s.url("k").Equal(url) && opens(url))
		},
	}
}

// choice has databases made on a server that is there.
func (s *scene) choice() deed {
	return deed{
		scene: s,
		begin: func(int) []string {
			s.must("db", "use", "--none")
			return []string{"db", "use", "--server", s.admin.Reveal()}
		},
		judge: func(i int, o harness.Outcome) {
			made, refused := claims(o)
			require.False(s.T, made && !s.hasChosen() || refused && s.hasChosen(), "%d: %s", o.Exit, o.Stderr)
			s.must("db", "use", "--server", s.admin.Reveal())
			require.True(s.T, s.hasChosen())
			if i%4 == 0 {
				s.must("tenant", "create", "--id", id(i), "--name", id(i))
				require.True(s.T, opens(s.url(id(i))))
				s.must("tenant", "delete", id(i), "-y")
			}
			s.agree()
		},
	}
}

// hasChosen tells whether databases are made on a server that was chosen.
func (s *scene) hasChosen() bool {
	s.T.Helper()
	s.must("tenant", "list") // which plays back what a refused change left
	chosen, err := asked(s.Dir, `SELECT name FROM servers WHERE chosen = 1`)
	require.NoError(s.T, err)
	return len(chosen) > 0
}

// up starts the server that sp runs, which has a tenant's database.
func (s *scene) up() deed {
	s.T.Helper()
	s.must("tenant", "create", "--id", "k", "--name", "k", "--provider", "local")
	return deed{
		scene: s,
		begin: func(int) []string { s.must("db", "down", "-y"); return []string{"db", "up"} },
		judge: func(_ int, o harness.Outcome) {
			if o.Exit == 0 {
				s.must("tenant", "check", "k")
			}
			s.must("db", "up")
			s.servesAlone("k")
		},
	}
}

// down stops it.
func (s *scene) down() deed {
	s.T.Helper()
	s.must("tenant", "create", "--id", "k", "--name", "k", "--provider", "local")
	return deed{
		scene: s,
		begin: func(int) []string { s.must("db", "up"); return []string{"db", "down", "-y"} },
		judge: func(_ int, o harness.Outcome) {
			require.NotEqual(s.T, 8, o.Exit)
			require.False(s.T, o.Exit == 0 && opens(s.url("k")), "it runs: %s", o.Stderr)
			s.must("db", "down", "-y")
			s.isStopped()
			s.must("db", "up")
			s.servesAlone("k")
		},
	}
}

// isStopped wants no server to run, known or not. Its last process ends a moment behind the
// file with its pid.
func (s *scene) isStopped() {
	s.T.Helper()
	none := func() bool { return len(processesIn(s.root)) == 0 }
	require.Eventually(s.T, none, 10*time.Second, 10*time.Millisecond, "a server runs")
}

// move gives it another port, and the URL of its tenant follows.
func (s *scene) move() deed {
	s.T.Helper()
	s.must("tenant", "create", "--id", "k", "--name", "k", "--provider", "local")
	to, before := 0, secret.Secret{}
	return deed{
		scene: s,
		begin: func(int) []string {
			to, before = freePort(s), s.url("k")
			return []string{"db", "up", "--port", strconv.Itoa(to), "-y"}
		},
		judge: func(i int, o harness.Outcome) {
			at := fmt.Sprintf("@127.0.0.1:%d/", to)
			made, refused := claims(o)
			moved := strings.Contains(s.url("k").Reveal(), at)
			require.True(s.T, moved || s.url("k").Equal(before))
			require.False(s.T, made && !moved || refused && moved, "it is recorded: %v: %d: %s", moved, o.Exit, o.Stderr)
			if o.Exit == 0 {
				s.isExported("k")
				require.True(s.T, opens(s.url("k")))
			}
			s.must("db", "up")
			s.servesAlone("k")
			if i%2 == 0 {
				s.must("db", "up", "--port", strconv.Itoa(to))
				require.Contains(s.T, s.url("k").Reveal(), at)
				s.servesAlone("k")
			} else {
				s.must("export")
			}
			s.isExported("k")
		},
	}
}

// leave moves what an earlier sp made in the project to the user's place for data.
func (s *scene) leave() deed {
	s.T.Helper()
	s.Env = append(s.Env, "SP_TRUST="+s.Dir)
	s.must("tenant", "create", "--id", "k", "--name", "k", "--provider", "local")
	places, old := filepath.Join(s.root, "home", ".local", "share", "sp", "postgres"), filepath.Join(s.Dir, ".systemprompt", "postgres")
	return deed{
		scene: s,
		begin: func(int) []string {
			s.must("db", "down", "-y")
			found, err := filepath.Glob(filepath.Join(places, "*", "data"))
			require.NoError(s.T, err)
			require.Len(s.T, found, 1)
			require.NoError(s.T, os.Rename(filepath.Dir(found[0]), old))
			harness.Mess(s.T, s.Store("sp.db"), "UPDATE servers SET place = NULL, identity = NULL")
			return []string{"db", "up"}
		},
		judge: func(_ int, _ harness.Outcome) {
			s.must("db", "up")
			s.servesAlone("k")
			require.NoDirExists(s.T, old)
		},
	}
}

// servesAlone wants a tenant's URL to open its database, and the servers to agree.
func (s *scene) servesAlone(id string) {
	s.T.Helper()
	require.True(s.T, opens(s.url(id)))
	s.agree()
}

// freePort is one that no connection is lent, and on which nobody listens.
func freePort(s *scene) int {
	s.T.Helper()
	const from, to = 20_000, 32_000
	port, err := postgres.FreePort(from + rand.IntN(to-from))
	require.NoError(s.T, err)
	return port
}
