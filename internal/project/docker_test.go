package project

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDockerIgnores(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"":                                    false,
		".systemprompt":                       true,
		"/.systemprompt/\r\n":                 true,
		" .systemprompt ":                     true,
		".systemprompt/*":                     true,
		"**/.systemprompt":                    true,
		"*":                                   true,
		"**":                                  true,
		".*":                                  true,
		".systempromp?":                       true,
		"\\.systemprompt":                     true,
		"*\n!src":                             true,
		"# .systemprompt":                     false,
		".systemprompt/sp.db*":                false,
		"*.json":                              false,
		"**/*.json\n**/sp.db*":                true,
		".systemprompt\n!.systemprompt/sp.db": false,
		"*\n!.systemprompt":                   false,
		"!.systemprompt\n*":                   true,
		"sub/.systemprompt":                   false,
		".":                                   false,
		"\xff*":                               false,
	} {
		require.Equal(t, want, dockerIgnores(text, Name), "%q", text)
	}
}

func TestBuildContextsAreThoseThatTakeTheDirectoryAlong(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	tree := mustMkdir(t, filepath.Join(top, "tree"))
	mustMkdir(t, filepath.Join(tree, ".git"))
	d := mustMake(t, filepath.Join(tree, "app", Name))
	mustWrite(t, filepath.Join(top, "Dockerfile"), "") // of no project of ours
	found, err := d.BuildContexts()
	require.NoError(t, err)
	require.Empty(t, found)

	above := mustWrite(t, filepath.Join(tree, "Dockerfile"), "")
	beside := mustWrite(t, filepath.Join(tree, "app", "prod.Dockerfile"), "")
	own := mustWrite(t, filepath.Join(tree, "app", "Dockerfile.dev"), "")
	mustWrite(t, own+".dockerignore", "# its own\n")
	found, err = d.BuildContexts()
	require.NoError(t, err)
	require.ElementsMatch(t, []BuildContext{
		{above, filepath.Join(tree, ".dockerignore"), "app/" + Name},
		{beside, filepath.Join(tree, "app", ".dockerignore"), Name},
		{own, own + ".dockerignore", Name},
	}, found)

	for _, c := range found {
		mustWrite(t, c.Ignore, c.Rule+"\n")
	}
	found, err = d.BuildContexts()
	require.NoError(t, err)
	require.Empty(t, found)
}
