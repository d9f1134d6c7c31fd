package project

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTrackedSecrets(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	d := mustMake(t, filepath.Join(workTree(t, git), "sub", Name))
	secret, _ := furnish(t, d)
	runGit(t, git, d.Path(), "add", ".")
	tracked, err := d.TrackedSecrets(t.Context(), git)
	require.NoError(t, err)
	require.Empty(t, tracked)

	mustWrite(t, filepath.Join(d.Path(), "README.md"), "no secret")
	mustWrite(t, filepath.Join(d.Path(), "profiles", "wei rd\nñ", "secrets.json"), "{}")
	mustWrite(t, filepath.Join(filepath.Dir(d.Path()), "tenants.json"), "not in the directory")
	runGit(t, git, filepath.Dir(d.Path()), "add", "--force", ".")
	before := mustRead(t, string(d.ignoreFile()))
	_, err = d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Equal(t, before, mustRead(t, string(d.ignoreFile())), "another rule would not untrack them")
	tracked, err = d.TrackedSecrets(t.Context(), git)
	require.NoError(t, err)
	require.ElementsMatch(t, append(secret, "profiles/wei rd\nñ/secrets.json"), tracked)

	for _, path := range tracked {
		runGit(t, git, tempDir(t), "-C", d.Path(), "rm", "-q", "--cached", "--", path)
	}
	tracked, err = d.TrackedSecrets(t.Context(), git)
	require.NoError(t, err)
	require.Empty(t, tracked)
	require.FileExists(t, d.Tenants())
}

func TestTrackedSecretsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	d := mustMake(t, filepath.Join(tempDir(t), Name))
	refusing := fakeGit(t, "echo fatal: detected dubious ownership >&2; exit 128")
	for _, git := range []Git{{}, refusing} {
		tracked, err := d.TrackedSecrets(t.Context(), git)
		require.NoError(t, err, "no work tree")
		require.Empty(t, tracked)
	}
	mustMkdir(t, filepath.Join(filepath.Dir(d.Path()), ".git"))
	tracked, err := d.TrackedSecrets(t.Context(), Git{})
	require.NoError(t, err, "no git")
	require.Empty(t, tracked)
	_, err = d.TrackedSecrets(t.Context(), refusing)
	require.ErrorIs(t, err, ErrGit)
	require.ErrorContains(t, err, "dubious ownership")
}

// The rules, our reading of them and git's must not drift apart.
func TestEveryRuleCoversItsPathsForGitAndForUs(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	for _, s := range secrecies {
		d := mustMake(t, filepath.Join(workTree(t, git), Name))
		require.NoError(t, os.WriteFile(string(d.ignoreFile()), []byte(s.rule+"\n"), 0o644))
		for _, path := range s.paths {
			path = strings.Replace(path, "*", "some", 1)
			require.True(t, isSecret(path), path)
			verdicts, err := git.verdicts(t.Context(), d.Path(), []string{path, "profiles/x/profile.yaml", ".gitignore"})
			require.NoError(t, err)
			require.True(t, verdicts[0].ignored() && verdicts[0].shared(), path)
			require.False(t, verdicts[1].ignored() || verdicts[2].ignored(), s.rule)
		}
	}
	for _, path := range []string{".gitignore", "README.md", "profiles/x/profile.yaml", "profiles/tenants.json/profile.yaml"} {
		require.False(t, isSecret(path), path)
	}
}
