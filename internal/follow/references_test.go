package follow

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// withProfile makes a directory with a profile.yaml.
func withProfile(t *testing.T, text string) (project.Dir, string) {
	t.Helper()
	d := mustMake(t, filepath.Join(tempDir(t), "project", project.Name))
	return d, mustWrite(t, d.Full(ProfilePath("staging")), text)
}

// referencesIn are those of the profile staging.
func referencesIn(t *testing.T, d project.Dir) ([]reference, error) {
	t.Helper()
	text, _, _, err := d.ReadFile(ProfilePath("staging"))
	require.NoError(t, err)
	return Directory{Path: d.Path()}.references("staging", text, d.Confine)
}

func TestProfileReferencesStayInside(t *testing.T) {
	t.Parallel()
	d, file := withProfile(t, "")
	outside := mustWrite(t, filepath.Join(filepath.Dir(d.Path()), "outside", "secrets.json"), "{}")
	mustMkdir(t, d.Path()+"-twin")
	profile := filepath.Dir(file)
	mustSymlink(t, filepath.Dir(outside), filepath.Join(profile, "out"))
	mustSymlink(t, outside, filepath.Join(profile, "out.json"))
	mustSymlink(t, "../../sessions", filepath.Join(mustMkdir(t, filepath.Join(profile, "deep")), "..in"))
	mustMkdir(t, filepath.Join(d.Path(), "sessions"))
	mustSymlink(t, mustMkdir(t, filepath.Join(d.Path(), "a", "b")), filepath.Join(profile, "in"))
	mustSymlink(t, "loop", filepath.Join(profile, "loop"))
	mustSymlink(t, "gone", filepath.Join(profile, "dangling"))

	for value, want := range map[string]string{
		"./secrets.json": "profiles/staging/secrets.json", "secrets.json": "profiles/staging/secrets.json",
		"../../tenants.json": "tenants.json", "../dev/secrets.json": "profiles/dev/secrets.json", "../..": ".",
		d.Path() + "/credentials.json": "credentials.json", "gone/./x//y": "profiles/staging/gone/x/y",
		"in/x": "a/b/x", "in/../x": "a/x", "profile.yaml/x": "profiles/staging/profile.yaml/x",
	} {
		mustWrite(t, file, fmt.Sprintf("secrets: {secrets_path: %q}\n", value))
		references, err := referencesIn(t, d)
		require.NoError(t, err, value)
		require.Equal(t, []reference{{"secrets.secrets_path", value, want}}, references, value)
	}
	for value, why := range map[string]string{
		"../../../tenants.json": "leaves", "../../../" + project.Name + "/tenants.json": "leaves", outside: "leaves", "/etc/passwd": "leaves", "/": "leaves",
		"out/secrets.json": "leaves", "out.json": "leaves", "in/../../../x": "leaves", d.Path() + "-twin/x": "leaves", d.Path() + "/../x": "leaves",
		"~/x": "home", "~": "home", "~root/x": "home", "${HOME}/x": "environment", "a\x00": "", "loop/x": "leads nowhere", "dangling": "leads nowhere",
		strings.Repeat("x", 300): "can't be followed",
	} {
		for _, name := range []string{"cloud.tenants_path", "cloud.credentials_path", "secrets.secrets_path"} {
			section, key, _ := strings.Cut(name, ".")
			mustWrite(t, file, fmt.Sprintf("%s:\n  %s: %q\n", section, key, value))
			_, err := referencesIn(t, d)
			if value == "a\x00" && err != nil {
				continue // yaml.v3 may not take it to begin with
			}
			require.ErrorIs(t, err, project.ErrInvalid, value)
			require.ErrorContains(t, err, name+": not allowed: ")
			require.ErrorContains(t, err, why, value)
			require.ErrorContains(t, err, file)
		}
	}
}

func TestProfileReferencesNeedAReadableProfile(t *testing.T) {
	t.Parallel()
	d, file := withProfile(t, "name: x\ncloud: {tenant_id: y}\nsecrets: {secrets_path: null}\n")
	references, err := referencesIn(t, d)
	require.NoError(t, err)
	require.Empty(t, references)
	bomb := "a: &a [x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'i'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 8), c-1)
	}
	for text, why := range map[string]string{
		"cloud: [x\n": "it is not YAML", "cloud: []": "not a mapping", "cloud: {tenants_path: [canary]}": "cloud.tenants_path is not a text",
		"a: 1\n---\nb: 2\n": "more than one document", bomb: "stand for too much", "x: &a [*a]\n": "stand for too much",
	} {
		mustWrite(t, file, text)
		_, err = referencesIn(t, d)
		require.ErrorIs(t, err, ErrUnusable, why)
		require.NotErrorIs(t, err, registry.ErrInvalid, "nobody typed it")
		require.ErrorContains(t, err, file+": the file can't be used: ")
		require.ErrorContains(t, err, why)
		require.NotContains(t, err.Error(), "canary")
	}
}
