package follow

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

func TestANewProfileHasItsFiles(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	require.Equal(t, []string{"profiles/p/profile.yaml", "profiles/p/secrets.json", "profiles/q/profile.yaml", "profiles/q/secrets.json"}, o.files())
	require.Equal(t, map[string]string{"jwt_secret": "jwt of p", "database_url": "postgres://u:first@h/a"}, o.secretsIn("p"))
	require.Equal(t, os.FileMode(0o600), modeOf(t, o.Full(SecretsPath("p"))))
	require.Equal(t, os.FileMode(0o700), modeOf(t, o.Full("profiles/p")))
	require.Contains(t, o.configuration("p"), "tenant_id: a")
	require.NotContains(t, o.configuration("p"), "first")
}

func TestAURLFollowsIntoAllProfilesOfItsTenant(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create("p2", "a")
	before := o.secretsIn("q")
	o.must(o.url("a", "postgres://u:second@h/a"))
	for _, name := range []string{"p", "p2"} {
		require.Equal(t, "postgres://u:second@h/a", o.secretsIn(name)["database_url"], name)
	}
	require.Equal(t, before, o.secretsIn("q"))
	o.must(o.undo)
	require.Equal(t, "postgres://u:first@h/a", o.secretsIn("p2")["database_url"])
}

// The first change after one that wrote finds the files in place; from then on nothing
// is read or written of them, until a change concerns them.
func TestFilesInPlaceAreWrittenNoMore(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.settle()
	require.Empty(t, o.found.Changes)
	for _, file := range o.remembered() {
		require.False(t, file.Due, file.Path)
		require.Nil(t, file.Former, file.Path)
	}
	o.settle()
	require.Zero(t, o.found)
	same, before := o.secretsIn("p")["database_url"], o.remembered()
	o.must(o.url("a", same))
	o.must(o.relink("p", "a"))
	require.Zero(t, o.found)
	require.Equal(t, before, o.remembered())
}

func TestAHandEditedProfileKeepsWhatItSays(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.write(ProfilePath("p"), "# mine\n"+strings.Replace(o.configuration("p"), "port: 8080", "port: 9000 # free here", 1)+"extra: {a: 1}\n")
	o.must(o.rename("p", "staging"))
	o.must(o.relink("staging", "b"))
	text := o.configuration("staging")
	for _, said := range []string{"# mine\n", "port: 9000 # free here", "extra: {a: 1}", "\nname: staging\n", "display_name: Staging", "tenant_id: b"} {
		require.Contains(t, text, said)
	}
	require.NoFileExists(t, o.Full(ProfilePath("p")))
	require.Equal(t, "postgres://u:first@h/b", o.secretsIn("staging")["database_url"])
	require.Equal(t, "jwt of p", o.secretsIn("staging")["jwt_secret"])
}

func TestAProfileThatSomebodyLinkedElsewhereIsAConflict(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	theirs := strings.Replace(o.configuration("p"), "tenant_id: a", "tenant_id: other", 1)
	o.write(ProfilePath("p"), theirs)
	before := o.secretsIn("p")
	err := o.change(o.relink("p", "b"))
	require.ErrorIs(t, err, registry.ErrConflict)
	require.ErrorContains(t, err, "profile.yaml: it does not name tenant b")
	require.ErrorIs(t, o.change(o.url("a", "postgres://u:second@h/a")), registry.ErrConflict)
	require.Equal(t, theirs, o.configuration("p"))
	require.Equal(t, before, o.secretsIn("p"))
	o.options.Force = true
	o.must(o.relink("p", "b"))
	require.Contains(t, o.configuration("p"), "tenant_id: b")
}

// The file is meant to be shared, and local ids are each machine's own.
func TestAProfileWithTheLocalTenantOfAnotherMachineIsNone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	theirs := strings.Replace(o.configuration("p"), "tenant_id: a", "tenant_id: local_18f", 1)
	o.write(ProfilePath("p"), theirs)
	o.must(o.url("a", "postgres://u:second@h/a"))
	require.Equal(t, theirs, o.configuration("p"))
	require.Equal(t, "postgres://u:second@h/a", o.secretsIn("p")["database_url"])
	o.must(o.rename("p", "staging"))
	require.Equal(t, strings.NewReplacer("name: p\n", "name: staging\n", "display_name: P\n", "display_name: Staging\n").Replace(theirs), o.configuration("staging"))
}

func TestForeignSecretsStay(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.write(SecretsPath("p"), `{"github": "theirs", "jwt_secret": "jwt of p", "custom": {"x": 1}, "database_url": "postgres://u:first@h/a"}`)
	o.must(o.url("a", "postgres://u:second@h/a"))
	require.Equal(t, map[string]string{"github": "theirs", "jwt_secret": "jwt of p", "database_url": "postgres://u:second@h/a"}, o.secretsIn("p"))
	text := mustRead(t, o.Full(SecretsPath("p")))
	require.Contains(t, text, `"custom": {`)
	require.Less(t, strings.Index(text, "github"), strings.Index(text, "jwt_secret"), "in their order")
}

func TestASecretThatBothChangedIsAConflict(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	theirs := strings.Replace(mustRead(t, o.Full(SecretsPath("p"))), "first", "theirs", 1)
	o.write(SecretsPath("p"), theirs)
	err := o.change(o.url("a", "postgres://u:second@h/a"))
	var changed *ChangedError
	require.ErrorAs(t, err, &changed)
	require.Equal(t, &ChangedError{Path: o.Full(SecretsPath("p")), Members: []string{"database_url"}}, changed)
	require.NotContains(t, err.Error(), "theirs")
	require.Equal(t, theirs, mustRead(t, o.Full(SecretsPath("p"))))
	o.must(o.setSecret("p", "openai", "key")) // which is another member
	require.Equal(t, "postgres://u:theirs@h/a", o.secretsIn("p")["database_url"], "what only they changed stays")
	require.Equal(t, "key", o.secretsIn("p")["openai"])
	o.options.Force = true
	o.must(o.url("a", "postgres://u:second@h/a"))
	require.Equal(t, "postgres://u:second@h/a", o.secretsIn("p")["database_url"])
}

// Force alone, as sp export has it, is a change of nothing.
func TestForceBringsAllFilesBack(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(o.use("p"))
	before := map[string]string{}
	for _, path := range o.files() {
		before[path] = mustRead(t, o.Full(path))
	}
	o.write(SecretsPath("p"), `{"jwt_secret": "theirs", "database_url": "postgres://u:theirs@h/a", "gemini": null, "anthropic": null, "openai": null}`)
	o.write(ProfilePath("p"), strings.Replace(o.configuration("p"), "tenant_id: a", "tenant_id: z", 1))
	require.NoError(t, os.RemoveAll(o.Full("profiles/q")))
	o.write(IndexPath, `{"sessions": {"tenant_z": 1}, "active_key": "tenant_z"}`)
	o.options.Force = true
	o.settle()
	for path, text := range before {
		if path != IndexPath {
			require.Equal(t, text, mustRead(t, o.Full(path)), path)
		}
	}
	require.Contains(t, mustRead(t, o.Full(IndexPath)), `"active_key": "tenant_a"`)
}

func TestARemovedSecretLeavesTheFile(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(o.setSecret("p", "openai", "key"))
	o.must(o.setSecret("p", "custom", "other"))
	o.must(o.setSecret("p", "openai", ""))
	o.must(o.setSecret("p", "custom", ""))
	require.NotContains(t, o.secretsIn("p"), "openai")
	require.NotContains(t, mustRead(t, o.Full(SecretsPath("p"))), "custom")
	require.Contains(t, mustRead(t, o.Full(SecretsPath("p"))), `"openai": null`, "which the original asks for")
}
