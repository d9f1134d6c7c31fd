package main

import (
	"os"
	"path/filepath"
	"strings"
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

// TestARefusedFileIsToldWithItsRemedy: a file or directory that the system refuses comes with the reason
// and with what gives the use of it back, for everything that sp reads or writes.
func TestARefusedFileIsToldWithItsRemedy(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	p := harness.Place{T: t, SP: harness.CopyProgram(t, self), Dir: t.TempDir(), Guest: os.Geteuid() == 0}
	if p.Guest {
		harness.Open(t, p.Dir)
		require.NoError(t, os.Chown(p.Dir, harness.Nobody, harness.Nobody))
		require.NoError(t, os.Chmod(p.Dir, 0o755))
	}
	p.Env = harness.Environment(p.Dir, "SP_OFFLINE=1")
	at := func(name string) string { return filepath.Join(p.Dir, name) }
	give := func(name, text string) {
		require.NoError(t, os.WriteFile(at(name), []byte(text), 0o600))
		if p.Guest {
			require.NoError(t, os.Chown(at(name), harness.Nobody, harness.Nobody))
		}
	}
	give("given", `{"tenants": [], "synced_at": "2026-02-01T10:00:00Z"}`)
	p.Must("tenant", "create", "--id", "a", "--name", "a", "--no-database")
	p.Must("export")
	p.Must("profile", "create", "p", "--tenant", "a", "-y")
	p.Must("session", "switch", "p")
	for _, c := range []struct{ barred, line, remedy string }{
		{".systemprompt", "tenant list", ""},
		{".systemprompt", "init", ""},
		{".systemprompt/sp.db", "tenant list", "chmod 600 "},
		{".systemprompt/.lock", "tenant edit a --region x", "chmod 600 "},
		{".systemprompt/tenants.json", "tenant edit a --region x", ""},
		{".systemprompt/tenants.json", "import", ""},
		{".systemprompt/profiles", "profile create q --tenant a -y", ""},
		{".systemprompt/profiles/p/secrets.json", "secrets set x --file given", ""},
		{".systemprompt/profiles/p/secrets.json", "secrets import .systemprompt/profiles/p/secrets.json", ""},
		{".systemprompt/profiles/p/profile.yaml", "resolve --profile .systemprompt/profiles/p/profile.yaml", ""},
		{".systemprompt/profiles/p/profile.yaml", "profile edit p --set server.port=8081", ""},
		{".systemprompt/sessions", "session switch p", ""},
		{"given", "import given", ""},
		{"given", "restore given -y", ""},
		{"given", "export --path given", ""},
		{"given", "secrets set x --file given", "give yourself the use of that file"},
		{"given", "tenant edit a --database-url-file given", "give yourself the use of that file"},
	} {
		info, err := os.Stat(at(c.barred))
		require.NoError(t, err)
		require.NoError(t, os.Chmod(at(c.barred), 0))
		o := p.Run(strings.Fields(c.line)...)
		require.NoError(t, os.Chmod(at(c.barred), info.Mode().Perm()))
		remedy := c.remedy
		switch {
		case remedy == "" && info.IsDir():
			remedy = "chmod u+rwx " + at(c.barred)
		case remedy == "":
			remedy = "chmod u+rw " + at(c.barred)
		}
		require.Equal(t, 6, o.Exit, "sp %s: %s", c.line, o.Stderr)
		require.Contains(t, o.Stderr, "permission denied", c.line)
		require.Contains(t, o.Stderr, remedy, c.line)
	}
}
