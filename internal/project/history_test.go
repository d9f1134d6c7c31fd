package project

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// commit commits all that is staged in dir and returns the abbreviated hash.
func commit(t *testing.T, git Git, dir string) string {
	t.Helper()
	runGit(t, git, dir, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "x")
	return runGit(t, git, dir, "rev-parse", "--short", "HEAD")[0]
}

func TestLeaksAreWhatAnyCommitHolds(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	d := mustMake(t, filepath.Join(tree, "app", Name))
	furnish(t, d)
	mustWrite(t, filepath.Join(tree, "README"), "")
	runGit(t, git, tree, "add", ".")
	commit(t, git, tree)
	leaks, err := d.Leaks(t.Context(), git)
	require.NoError(t, err)
	require.Empty(t, leaks, "profile.yaml is meant to be shared")

	runGit(t, git, d.Path(), "add", "-f", "tenants.json")
	first := commit(t, git, tree)
	runGit(t, git, d.Path(), "rm", "-q", "--cached", "tenants.json")
	commit(t, git, tree)
	main := runGit(t, git, tree, "symbolic-ref", "--short", "HEAD")[0]
	runGit(t, git, tree, "checkout", "-q", "-b", "side")
	runGit(t, git, d.Path(), "add", "-f", "sp.db", "profiles/x/secrets.json")
	second := commit(t, git, tree)
	runGit(t, git, d.Path(), "rm", "-q", "--cached", "sp.db", "profiles/x/secrets.json")
	commit(t, git, tree)
	runGit(t, git, tree, "checkout", "-q", main)
	runGit(t, git, tree, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "merge", "-q", "--no-ff", "-m", "x", "side")
	runGit(t, git, tree, "branch", "-D", "side")
	runGit(t, git, d.Path(), "config", "log.showSignature", "true")

	leaks, err = d.Leaks(t.Context(), git)
	require.NoError(t, err)
	require.ElementsMatch(t, []Leak{{"tenants.json", first}, {"sp.db", second}, {"profiles/x/secrets.json", second}}, leaks)
}

func TestLeaksWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	d := mustMake(t, filepath.Join(tempDir(t), Name))
	refusing := fakeGit(t, "exit 128")
	leaks, err := d.Leaks(t.Context(), refusing)
	require.NoError(t, err, "no work tree")
	require.Empty(t, leaks)
	mustMkdir(t, filepath.Join(filepath.Dir(d.Path()), ".git"))
	_, err = d.Leaks(t.Context(), refusing)
	require.ErrorIs(t, err, ErrGit)
	leaks, err = d.Leaks(t.Context(), Git{})
	require.NoError(t, err)
	require.Empty(t, leaks)
}
