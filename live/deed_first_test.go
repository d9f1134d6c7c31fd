package live

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"
)

// first makes a tenant in a directory with nothing in it: a registry, a server, a database.
// After that a project is as any other, whatever became of it.
func (s *scene) first(provider string) deed {
	return deed{
		scene: s,
		begin: func(i int) []string {
			s.forget()
			s.dir = filepath.Join(s.root, fmt.Sprint("p", i))
			require.NoError(s.t, os.Mkdir(s.dir, 0o755))
			return []string{"tenant", "create", "--id", "k", "--name", "k", "--provider", provider}
		},
		judge: func(i int, o outcome) {
			s.awaitQuiet()
			if made, _ := o.claims(); made {
				require.True(s.t, opens(s.url("k")))
			}
			s.must("tenant", "create", "--id", "next", "--name", "next", "--provider", provider)
			require.True(s.t, opens(s.url("next")))
			s.must("export")
			s.finishOrUndo("k", i%2 == 0)
			s.must("tenant", "check", "next")
			s.must("db", "down")
			s.isStopped()
			s.must("db", "up") // with the password that it has
			s.servesAlone("next")
		},
	}
}

// forget ends what runs in a project, and takes it away.
func (s *scene) forget() {
	s.t.Helper()
	require.NoError(s.t, endServers(s.root))
	require.NoError(s.t, os.RemoveAll(filepath.Join(s.dir, ".systemprompt")))
	require.NoError(s.t, os.RemoveAll(filepath.Join(s.root, "home", ".local")))
	for _, name := range []string{"engine", "data"} {
		require.NoError(s.t, os.RemoveAll(filepath.Join(s.root, "fake", name)))
	}
}

// awaitQuiet waits until the docker that stands in for an engine has done what it was told: an
// engine does one thing after the other, and it does not.
func (s *scene) awaitQuiet() {
	s.t.Helper()
	if s.fake == "" {
		return
	}
	require.Eventually(s.t, func() bool { return len(processesAt(s.dir)) == 0 }, time.Minute, 10*time.Millisecond)
}
