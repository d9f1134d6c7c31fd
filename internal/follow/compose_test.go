package follow

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// newSharedOffice is one whose tenant a has its database in the project's container.
func newSharedOffice(t *testing.T) *office {
	t.Helper()
	o := newOffice(t)
	o.settle()
	o.write(sharedCompose, "services: {postgres: {container_name: "+sharedContainer+"}}\n")
	o.must(o.container("a", sharedContainer))
	return o
}

func (o *office) container(tenant registry.TenantID, name string) act {
	return func(ctx context.Context) error {
		edit := registry.TenantEdit{ID: tenant, Set: map[string]*secret.Secret{
			"shared_container_db": secretOf(name),
			"database_url":        secretOf("postgres://u:second@h/" + name), // which comes with it
		}}
		_, _, err := o.reg.UpdateTenant(ctx, edit)
		return err
	}
}

// composes are the compose files that are remembered.
func (o *office) composes() (paths []string) {
	o.t.Helper()
	for _, file := range o.remembered() {
		if file.Path == composePath(profileOf(file.Path)) {
			paths = append(paths, file.Path)
		}
	}
	return paths
}

// settled looks whether nothing is left to be done.
func (o *office) settled() {
	o.t.Helper()
	o.settle()
	o.settle()
	require.Zero(o.t, o.found)
}

func TestAProfileInTheSharedContainerHasAComposeFile(t *testing.T) {
	t.Parallel()
	o := newSharedOffice(t)
	o.create("new", "a")
	o.create("other", "b")
	for _, name := range []string{"p", "new"} {
		path := o.Full(composePath(name))
		require.Equal(t, os.FileMode(0o600), modeOf(t, path))
		require.Equal(t, os.FileMode(0o700), modeOf(t, filepath.Dir(path)))
		var file struct {
			Name    string
			Include []struct{ Path string }
		}
		require.NoError(t, yaml.Unmarshal([]byte(mustRead(t, path)), &file))
		require.Equal(t, sharedContainer, file.Name)
		require.Equal(t, o.Full(sharedCompose), filepath.Join(filepath.Dir(path), file.Include[0].Path))
	}
	for _, name := range []string{"q", "other"} {
		require.NoDirExists(t, o.Full("profiles/"+name+"/docker"))
	}
	o.settled()
	state, err := o.state()
	require.NoError(t, err)
	require.Equal(t, State{Behind: []string{}, Changed: []string{}, Missing: []string{}}, state)
}

func TestNoComposeFileIncludesAnothersContainer(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]string{"none": "", "the older tool's": "services: {postgres: {container_name: systemprompt-postgres-shared}}\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			if shared != "" {
				o.write(sharedCompose, shared)
			}
			o.must(o.container("a", "somebody's"))
			require.NoDirExists(t, o.Full("profiles/p/docker"))
			o.settled()
		})
	}
}

func TestAComposeFileComesWithTheNextChangeAfterTheContainer(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(o.container("a", sharedContainer))
	o.write(sharedCompose, "container_name: "+sharedContainer+"\n")
	o.must(o.rename("p", "z"))
	require.NoFileExists(t, o.Full(composePath("p")), "which is no more")
	o.settle()
	require.Equal(t, composeYAML, mustRead(t, o.Full(composePath("z"))))
	o.settled()

	o.must(o.container("b", sharedContainer))
	require.Equal(t, composeYAML, mustRead(t, o.Full(composePath("q"))))
}

func TestAnEditedComposeFileStaysAsItIs(t *testing.T) {
	t.Parallel()
	o := newSharedOffice(t)
	o.settle()
	o.write(composePath("p"), "services: {}\n")
	state, err := o.state()
	require.NoError(t, err)
	require.Empty(t, state.Changed)
	require.NoError(t, os.Chmod(o.Full(composePath("p")), 0o644))
	o.must(o.url("a", "postgres://u:second@h/a"))
	o.must(o.relink("p", "b"))
	o.must(o.rename("p", "z"))
	o.options.Force = true
	o.settle()
	o.options.Force = false
	require.Equal(t, "services: {}\n", mustRead(t, o.Full(composePath("z"))))
	require.Equal(t, os.FileMode(0o644), modeOf(t, o.Full(composePath("z"))))
	o.settled()
	o.must(o.delete("z"))
	require.Equal(t, []string{composePath("z")}, o.found.Left)
	require.Equal(t, "services: {}\n", mustRead(t, o.Full(composePath("z"))))
	require.NoFileExists(t, o.Full(ProfilePath("z")))
	o.settled()
}

func TestAComposeFileThatSomebodyMadeIsTheirs(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.write(sharedCompose, "container_name: "+sharedContainer+"\n")
	o.write(composePath("p"), "services: {}\n")
	o.must(o.container("a", sharedContainer))
	o.must(o.delete("p"))
	require.Equal(t, []string{composePath("p")}, o.found.Left)
	require.Equal(t, "services: {}\n", mustRead(t, o.Full(composePath("p"))))
}

func TestAComposeFileGoesWithItsProfile(t *testing.T) {
	t.Parallel()
	o := newSharedOffice(t)
	o.must(o.delete("p"))
	require.NoDirExists(t, o.Full("profiles/p"))
	require.Empty(t, o.found.Left)
	o.must(o.undo)
	require.Equal(t, composeYAML, mustRead(t, o.Full(composePath("p"))))

	require.NoError(t, os.Remove(o.Full(sharedCompose))) // from now on, none is made
	o.must(o.rename("p", "z"))
	require.NoDirExists(t, o.Full("profiles/p"))
	require.Equal(t, composeYAML, mustRead(t, o.Full(composePath("z"))))
	o.settle()
	o.must(o.delete("z"))
	require.NoDirExists(t, o.Full("profiles/z"), "it is known under its new name")
	o.settled()
}

// What a link leads to is nobody's whom sp knows, and no reason to stop.
func TestAComposeFileBehindALinkIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, known := range []string{"", "until it is deleted", "until it changes"} {
		o := newOffice(t)
		if known != "" {
			o = newSharedOffice(t)
			require.NotEmpty(t, o.composes())
		}
		o.write(sharedCompose, "container_name: "+sharedContainer+"\n")
		require.NoError(t, os.RemoveAll(o.Full("profiles/p/docker")))
		elsewhere := t.TempDir()
		require.NoError(t, os.Symlink(elsewhere, o.Full("profiles/p/docker")))
		if known == "until it is deleted" {
			o.must(o.delete("p"))
			require.Empty(t, o.composes(), "it is not ours any more")
			o.must(o.undo)
		}
		o.must(o.container("a", "another"))
		require.Empty(t, o.composes())
		o.must(o.rename("p", "z"))
		o.settled()
		o.must(o.delete("z"))
		require.FileExists(t, o.Full("profiles/z/docker"))
		entries, err := os.ReadDir(elsewhere)
		require.NoError(t, err)
		require.Empty(t, entries)
		o.settled()
	}
}

var composing = map[string]struct {
	change func(o *office) act
	at     string // the profile whose compose file is there in the end, and no other
}{
	"made":               {func(o *office) act { return o.container("a", sharedContainer) }, "p"},
	"renamed":            {func(o *office) act { o.must(o.container("a", sharedContainer)); return o.rename("p", "z") }, "z"},
	"renamed, just made": {func(o *office) act { o.stop(o.container("a", sharedContainer), true); return o.rename("p", "z") }, "z"},
	"deleted":            {func(o *office) act { o.must(o.container("a", sharedContainer)); return o.delete("p") }, ""},
	"deleted, just made": {func(o *office) act { o.stop(o.container("a", sharedContainer), true); return o.delete("p") }, ""},
}

func TestAStoppedChangeOfAComposeFileIsMadeUpFor(t *testing.T) {
	t.Parallel()
	for name, c := range composing {
		for how, stop := range map[string]func(o *office, fn act){
			"stopped": func(o *office, fn act) { o.stop(fn, false) },
			"cut":     func(o *office, fn act) { o.stop(fn, true) },
			"deferred": func(o *office, fn act) {
				before, err := filepath.Glob(o.Full("profiles/*/docker/*"))
				require.NoError(o.t, err)
				o.options.Defer = true
				o.must(fn)
				after, err := filepath.Glob(o.Full("profiles/*/docker/*"))
				require.NoError(o.t, err)
				require.Equal(o.t, before, after)
				o.options.Defer = false
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				o := newOffice(t)
				o.write(sharedCompose, "container_name: "+sharedContainer+"\n")
				stop(o, c.change(o))
				o.settle() // moves, where that is to be done
				o.settle() // makes
				o.settled()
				found, err := filepath.Glob(o.Full("profiles/*/docker*"))
				require.NoError(t, err)
				if c.at == "" {
					require.Empty(t, found)
					return
				}
				require.Equal(t, []string{filepath.Dir(o.Full(composePath(c.at)))}, found)
				require.Equal(t, composeYAML, mustRead(t, o.Full(composePath(c.at))))
			})
		}
	}
}

// All compose files are the same: by them no directory is known again.
func TestADirectoryIsNotTakenForAnothersByItsComposeFile(t *testing.T) {
	t.Parallel()
	o := newSharedOffice(t)
	o.settle()
	o.stop(o.delete("p"), true)
	o.stopped = true
	o.create("z", "a")
	o.stopped = false
	o.settle()
	require.NotContains(t, o.secretsIn("z"), "jwt of p")
	require.Equal(t, "jwt of z", o.secretsIn("z")["jwt_secret"])
	require.Empty(t, o.found.Moves)
	o.settled()
	require.NoDirExists(t, o.Full("profiles/p"))
}

func TestAComposeFileIsNoMoreDueWithoutItsContainer(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.write(sharedCompose, "container_name: "+sharedContainer+"\n")
	o.stop(o.container("a", sharedContainer), true)
	require.NoError(t, os.Remove(o.Full(sharedCompose)))
	o.settle()
	require.Empty(t, o.composes())
	o.settled()
	require.NoDirExists(t, o.Full("profiles/p/docker"))
}

func composePath(profile string) string { return "profiles/" + profile + "/docker/compose.yaml" }
