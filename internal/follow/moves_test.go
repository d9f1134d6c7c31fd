package follow

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

func TestADeletedProfileTakesItsFilesAlong(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(o.delete("p"))
	require.NoDirExists(t, o.Full("profiles/p"))
	require.Empty(t, o.found.Left)
	require.Contains(t, o.files(), "profiles/q/secrets.json")
	o.settle()
	for _, file := range o.remembered() {
		require.NotContains(t, file.Path, "/p/", "forgotten")
	}
	o.must(o.undo)
	require.Equal(t, "jwt of p", o.secretsIn("p")["jwt_secret"])
	require.Contains(t, o.configuration("p"), "tenant_id: a")
}

func TestWhatSomebodyWroteOutlivesItsProfile(t *testing.T) {
	t.Parallel()
	both := []string{SecretsPath("p"), ProfilePath("p")}
	for name, c := range map[string]struct {
		theirs func(o *office)
		left   []string
	}{
		"a comment": {func(o *office) { o.write(ProfilePath("p"), "# mine\n"+o.configuration("p")) }, both[1:]},
		"a comment, and ours since": {func(o *office) {
			o.write(ProfilePath("p"), "# mine\n"+o.configuration("p"))
			o.must(o.relink("p", "b"))
		}, both[1:]},
		"a secret": {func(o *office) {
			o.write(SecretsPath("p"), strings.Replace(mustRead(o.t, o.Full(SecretsPath("p"))), "{", `{"github": "theirs",`, 1))
		}, both[:1]},
		"a secret, and ours since": {func(o *office) {
			o.write(SecretsPath("p"), strings.Replace(mustRead(o.t, o.Full(SecretsPath("p"))), "{", `{"github": "theirs",`, 1))
			o.must(o.url("a", "postgres://u:second@h/a"))
			o.settle()
		}, both[:1]},
		"another file": {func(o *office) { o.write("profiles/p/notes.txt", "mine") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			c.theirs(o)
			before := map[string]string{}
			for _, path := range c.left {
				before[path] = mustRead(t, o.Full(path))
			}
			o.must(o.delete("p"))
			require.Equal(t, c.left, o.found.Left)
			for _, path := range both {
				if text, stays := before[path]; stays {
					require.Equal(t, text, mustRead(t, o.Full(path)))
				} else {
					require.NoFileExists(t, o.Full(path))
				}
			}
			o.settle()
			require.DirExists(t, o.Full("profiles/p"))
		})
	}
}

func TestARenameMovesTheDirectory(t *testing.T) {
	t.Parallel()
	for _, settled := range []bool{true, false} {
		o := newOffice(t)
		if settled {
			o.settle()
		}
		o.write("profiles/p/docker/compose.yaml", "theirs")
		secrets := mustRead(t, o.Full(SecretsPath("p")))
		o.must(o.rename("p", "z"))
		require.NoDirExists(t, o.Full("profiles/p"))
		require.Equal(t, "theirs", mustRead(t, o.Full("profiles/z/docker/compose.yaml")))
		require.Equal(t, secrets, mustRead(t, o.Full(SecretsPath("z"))))
		o.settle()
		o.must(o.url("a", "postgres://u:second@h/a"))
		require.Equal(t, "postgres://u:second@h/a", o.secretsIn("z")["database_url"])
		o.must(o.delete("z"))
		require.NoFileExists(t, o.Full(SecretsPath("z")), "it is known under its new name")
		require.FileExists(t, o.Full("profiles/z/docker/compose.yaml"))
	}
}

// To the history a new name is another profile; its directory is the same.
func TestAnUndoneRenameMovesTheDirectoryBack(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.write(ProfilePath("p"), "# mine\n"+o.configuration("p"))
	o.must(o.rename("p", "z"))
	o.must(o.undo)
	require.NoDirExists(t, o.Full("profiles/z"))
	require.Contains(t, o.configuration("p"), "# mine\n")
	require.Contains(t, o.configuration("p"), "\nname: p\n")
	require.Equal(t, "jwt of p", o.secretsIn("p")["jwt_secret"])
}

func TestADirectoryFollowsFromNameToName(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	names := []string{"p", "x", "y", "x", "p", "y"}
	for i, name := range names[1:] {
		o.must(o.rename(names[i], name))
		require.NoDirExists(t, o.Full("profiles/"+names[i]))
		require.Equal(t, "jwt of p", o.secretsIn(name)["jwt_secret"])
	}
}

func TestARenameOverSomebodysDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.write("profiles/z/notes.txt", "mine")
	require.ErrorIs(t, o.change(o.rename("p", "z")), registry.ErrExists)
	require.FileExists(t, o.Full(SecretsPath("p")))
	require.Equal(t, "mine", mustRead(t, o.Full("profiles/z/notes.txt")))
	o.must(o.relink("p", "b"))
}
