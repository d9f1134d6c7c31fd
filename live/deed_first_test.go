package live

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// first makes a tenant in a directory with nothing in it: a registry, a server, a database.
// After that a project is as any other, whatever became of it.
func (s *scene) first(provider string) deed {
	return deed{
		scene: s,
		begin: func(i int) []string {
			s.forget()
			s.Dir = filepath.Join(s.root, fmt.Sprint("p", i))
			require.NoError(s.T, os.Mkdir(s.Dir, 0o755))
			return []string{"tenant", "create", "--id", "k", "--name", "k", "--provider", provider}
		},
		judge: func(i int, o harness.Outcome) {
			s.awaitQuiet()
			if made, _ := claims(o); made {
				require.True(s.T, opens(s.url("k")))
			}
			s.must("tenant", "create", "--id", "next", "--name", "next", "--provider", provider)
			require.True(s.T, opens(s.url("next")))
			s.must("export")
			s.finishOrUndo("k", i%2 == 0)
			s.must("tenant", "check", "next")
			s.must("db", "down", "-y")
			s.isStopped()
			s.must("db", "up") // with the password that it has
			s.servesAlone("next")
		},
	}
}

// forget ends what runs in a project, and takes it away.
func (s *scene) forget() {
	s.T.Helper()
	require.NoError(s.T, endServers(s.root))
	require.NoError(s.T, os.RemoveAll(filepath.Join(s.Dir, ".systemprompt")))
	require.NoError(s.T, os.RemoveAll(filepath.Join(s.root, "home", ".local")))
	for _, name := range []string{"engine", "data"} {
		require.NoError(s.T, os.RemoveAll(filepath.Join(s.root, "fake", name)))
	}
}

// awaitQuiet waits until the docker that stands in for an engine has done what it was told: an
// engine does one thing after the other, and it does not.
func (s *scene) awaitQuiet() {
	s.T.Helper()
	if s.fake == "" {
		return
	}
	require.Eventually(s.T, func() bool { return len(processesAt(s.Dir)) == 0 }, time.Minute, 10*time.Millisecond)
}
