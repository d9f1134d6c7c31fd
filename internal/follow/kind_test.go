package follow

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/project"
)

// note is a file that no sp has: all that another one takes is a row.
var note = kind{
	name: "note", path: "profiles/*/tenant.txt",
	render: func(_ context.Context, _ *decider, f *file) (text, base []byte, err error) {
		text = []byte(f.profile.Tenant)
		return text, text, nil
	},
	merge: func(_ context.Context, d *decider, f *file) (text, base []byte, err error) {
		if !f.isOurs() && !d.o.Force {
			return nil, nil, &ChangedError{Path: d.full(f)}
		}
		text = []byte(f.profile.Tenant)
		return text, text, nil
	},
	changed: func(_, _ []byte) (bool, error) { return true, nil },
}

// TestAnotherFileFollowsByARow: it is made, follows a change and a new name, is made up for
// when a command was stopped, stops what another program's change is in the way of, and goes.
func TestAnotherFileFollowsByARow(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.kinds = append(append([]kind{}, kinds...), note)
	text := func(name string) string { return mustRead(t, o.Full(note.of(name))) }
	o.create("n", "a")
	require.Equal(t, "a", text("n"))
	o.must(o.relink("n", "b"))
	require.Equal(t, "b", text("n"))
	o.must(o.rename("n", "m"))
	require.Equal(t, "b", text("m"))
	require.NoDirExists(t, o.Full("profiles/n"))
	for _, cut := range []bool{false, true} {
		o.stop(o.relink("m", "a"), cut)
		require.Equal(t, "b", text("m"))
		o.settle()
		require.Equal(t, "a", text("m"))
		o.must(o.relink("m", "b"))
	}
	o.options.Defer = true
	o.must(o.relink("m", "a"))
	o.options.Defer = false
	require.Equal(t, "b", text("m"))
	o.settle()
	require.Equal(t, "a", text("m"))
	o.settled()

	o.write(note.of("m"), "mine")
	require.Equal(t, &ChangedError{Path: o.Full(note.of("m"))}, o.change(o.relink("m", "b")))
	o.options.Force = true
	o.must(o.relink("m", "b"))
	o.options.Force = false
	require.Equal(t, "b", text("m"))
	require.Equal(t, os.FileMode(0o600), modeOf(t, o.Full(note.of("m"))))
	o.settled()
	o.must(o.delete("m"))
	require.NoDirExists(t, o.Full("profiles/m"))
	o.settled()
	for _, file := range o.remembered() {
		require.Equal(t, file.Kind == "note", strings.HasSuffix(file.Path, "tenant.txt"))
		require.NotContains(t, file.Path, "/m/")
	}
}

// TestEveryKindIsInTheTableOnce, with a path that says whose it is, and is kept out of git
// unless it is for others to read.
func TestEveryKindIsInTheTableOnce(t *testing.T) {
	t.Parallel()
	names, paths := map[string]bool{}, map[string]bool{}
	d := mustMake(t, filepath.Join(tempDir(t), project.Name))
	for _, k := range kinds {
		require.NotEmpty(t, k.name)
		require.NotNil(t, k.render, k.name)
		require.False(t, names[k.name] || paths[k.path], k.name)
		names[k.name], paths[k.path] = true, true
		require.Equal(t, k.ofProfile(), strings.HasPrefix(k.path, "profiles/*/"), k.name)
		require.Equal(t, k.ofProfile(), profileOf(k.of("p")) == "p", k.name)
		mustWrite(t, d.Full(k.of("p")), "x")
	}
	for path, name := range map[string]string{IndexPath: "sessions", ProfilePath("p"): "profile", SecretsPath("p"): "secrets"} {
		require.Equal(t, path, kindOf(kinds, name).of("p"))
	}
	loose, err := d.LooseSecrets()
	require.NoError(t, err)
	secret := map[string]bool{}
	for _, l := range loose {
		secret[l.Path] = true
	}
	for _, k := range kinds {
		require.Equal(t, !k.shared, secret[k.of("p")], "%s: does a rule of .gitignore cover it?", k.path)
	}
}
