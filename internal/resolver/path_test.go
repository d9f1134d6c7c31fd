package resolver

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

// C1 and C2.
func TestAPathIsToldFromAName(t *testing.T) {
	for _, path := range []string{
		"a/b", "/", "./x", "../x", "x/", ".", "..", ".x", "~", "~/p", "~user", "/abs/profile.yaml",
		"foo.yaml", "foo.yml", "FOO.YAML", "Foo.YmL", ".yaml", ".yml", "a b.yml", "./postgres://x", "a/b://c",
	} {
		require.True(t, isPath(path), path)
		require.False(t, isURL(path), path)
	}
	for _, name := range []string{
		"local", "production", "my_profile", "a-b", "yaml", "yml", "xyaml", "a.yaml.bak", "a.yamll", "a.json",
		"a~", "a.", "a.b", `a\b`, " ", "é", "a:b",
	} {
		require.False(t, isPath(name), name)
		require.False(t, isURL(name), name)
	}
	for _, url := range []string{"postgres://u:p@h/db", "jdbc:postgresql://h", "://", " postgres://u:p@h/a.yaml"} {
		require.True(t, isURL(url), url)
	}
}

// FuzzPath holds that no name that sp gives is ever taken for a path or a URL, so that
// every profile can be named, and that `./` makes a path of anything.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"", "local", "a/b", "X.YML", ".", "~", "a://b", "İ.yaml", "\xff.yml", "KYAML"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if registry.CheckProfileName(value) == nil {
			require.False(t, isPath(value) || isURL(value))
		}
		if isURL(value) {
			require.True(t, isPath(value), "a URL is hidden because it would be a path")
		}
		require.True(t, isPath("./"+value) && !isURL("./"+value), "there is a way to write any path")
		require.True(t, isPath(value+".yaml") && isPath(value+".YML"))
		if strings.Contains(value, string(filepath.Separator)) {
			require.True(t, isPath(value))
		}
	})
}
