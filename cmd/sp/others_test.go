package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// What another user put above, as in /tmp, is never used, and bars nobody's way for good.
func TestTheDirectoryOfAnotherUserAboveIsPassedByWithInit(t *testing.T) {
	t.Parallel()
	harness.NeedRoot(t)
	s := newSandbox(t)
	theirs := filepath.Join(s.dir, ".systemprompt")
	require.NoError(t, os.Mkdir(theirs, 0o755))
	require.NoError(t, os.Chown(theirs, harness.Nobody, harness.Nobody))
	above := s.dir
	refused := s.run("init")
	require.Equal(t, 6, refused.exit)
	require.Contains(t, refused.stderr, "--dir DIRECTORY")

	s.dir = filepath.Join(above, "project")
	require.NoError(t, os.Mkdir(s.dir, 0o700))
	for _, args := range [][]string{{"tenant", "list"}, {"resolve"}, {"tenant", "create", "--name", "a", "--no-database"}, {"import"}} {
		refused := s.run(args...)
		require.Equal(t, 6, refused.exit, args)
		require.Contains(t, refused.stderr, theirs+": refused as unsafe: it belongs to user 65534")
		require.Contains(t, refused.stderr, "hint: run as that user; or sp init, in your project, makes a registry of your own, which is found first")
	}
	s.must("init")
	s.must("tenant", "create", "--name", "a", "--no-database")
	require.FileExists(t, filepath.Join(s.dir, ".systemprompt", "sp.db"))
	entries, err := os.ReadDir(theirs)
	require.NoError(t, err)
	require.Empty(t, entries)

	link := filepath.Join(above, "linked", ".systemprompt")
	require.NoError(t, os.MkdirAll(filepath.Dir(link), 0o700))
	require.NoError(t, os.Symlink(filepath.Join(s.dir, ".systemprompt"), link))
	require.NoError(t, os.Lchown(link, harness.Nobody, harness.Nobody))
	s.dir = filepath.Dir(link)
	refused = s.run("tenant", "list")
	require.Equal(t, 6, refused.exit)
	require.Contains(t, refused.stderr, "it is a symbolic link that another user made")
	require.Contains(t, refused.stderr, "sp init")
}
