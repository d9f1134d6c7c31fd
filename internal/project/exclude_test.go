package project

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Checkout, stash and clean take .gitignore away, and leave info/exclude alone.
func TestExcludeKeepsSecretsOutWhereTheGitignoreIsGone(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	for _, sub := range []string{"", "a b", "[x]*?", "#!\\ "} {
		tree := workTree(t, git)
		d := mustMake(t, filepath.Join(tree, sub, Name))
		_, public := furnish(t, d)
		completed, _, err := d.KeepIgnored(t.Context(), git)
		require.NoError(t, err)
		require.Equal(t, excludeOf(tree), completed)
		mustWrite(t, filepath.Join(tree, "other", Name, "profiles", "stray"), "")
		require.NoError(t, os.Remove(string(d.ignoreFile())))
		require.Equal(t, public[1:], untracked(t, git, d.Path()), sub)
		require.Contains(t, untracked(t, git, tree), "other/"+Name+"/profiles/stray", "another directory is not ours")

		before := mustRead(t, completed[0])
		completed, _, err = d.KeepIgnored(t.Context(), git)
		require.NoError(t, err)
		require.Empty(t, completed, "a missing .gitignore is not made where all is ignored")
		require.NoFileExists(t, string(d.ignoreFile()))
		require.Equal(t, before, mustRead(t, excludeOf(tree)[0]))

		require.NoError(t, os.Remove(excludeOf(tree)[0]))
		completed, _, err = d.KeepIgnored(t.Context(), git)
		require.NoError(t, err)
		require.Equal(t, excludeOf(tree), completed)
	}
}

func TestExcludeIsOnlyAppendedTo(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	theirs := strings.Repeat("*.o\n", 500) + "last"
	file := mustWrite(t, excludeOf(tree)[0], theirs)
	d := mustMake(t, filepath.Join(tree, Name))
	completed, _, err := d.KeepIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Equal(t, []string{file}, completed)
	require.True(t, strings.HasPrefix(mustRead(t, file), theirs+"\n"+excludeBegin))
}

func TestExcludeOfALinkedWorkTreeIsThatOfAll(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	runGit(t, git, tree, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "--allow-empty", "-m", "x")
	linked := filepath.Join(tempDir(t), "linked")
	runGit(t, git, tree, "worktree", "add", "-q", linked)
	d := mustMake(t, filepath.Join(linked, Name))
	completed, _, err := d.KeepIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Equal(t, excludeOf(tree), completed)
	furnish(t, d)
	require.NoError(t, os.Remove(string(d.ignoreFile())))
	require.NotContains(t, untracked(t, git, d.Path()), "sp.db")
}

// A step that is a link, or another user's, would have sp write what is not this
// repository's.
func TestExcludeLeavesAlongWhichNotAllIsOurs(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	for name, spoil := range map[string]func(t *testing.T, tree, elsewhere string){
		"exclude is a link": func(t *testing.T, tree, elsewhere string) {
			require.NoError(t, os.Remove(excludeOf(tree)[0]))
			mustSymlink(t, mustWrite(t, filepath.Join(elsewhere, "x"), "kept"), excludeOf(tree)[0])
		},
		"info is a link": func(t *testing.T, tree, elsewhere string) {
			require.NoError(t, os.RemoveAll(filepath.Join(tree, ".git", "info")))
			mustSymlink(t, elsewhere, filepath.Join(tree, ".git", "info"))
		},
		".git is a link": func(t *testing.T, tree, elsewhere string) {
			require.NoError(t, os.Rename(filepath.Join(tree, ".git"), filepath.Join(elsewhere, "git")))
			mustSymlink(t, filepath.Join(elsewhere, "git"), filepath.Join(tree, ".git"))
		},
		"exclude is another user's": func(t *testing.T, tree, _ string) { giveAway(t, excludeOf(tree)[0]) },
		".git leads nowhere": func(t *testing.T, tree, _ string) {
			require.NoError(t, os.RemoveAll(filepath.Join(tree, ".git")))
			mustWrite(t, filepath.Join(tree, ".git"), "gitdir: ../gone\n")
		},
		".git leads to what is no repository": func(t *testing.T, tree, elsewhere string) {
			require.NoError(t, os.RemoveAll(filepath.Join(tree, ".git")))
			mustWrite(t, filepath.Join(tree, ".git"), "gitdir: "+elsewhere+"\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree, elsewhere := workTree(t, git), tempDir(t)
			d := mustMake(t, filepath.Join(tree, Name))
			spoil(t, tree, elsewhere)
			completed, _, err := d.KeepIgnored(t.Context(), git)
			require.NoError(t, err)
			require.Empty(t, completed)
			require.NoFileExists(t, filepath.Join(elsewhere, "exclude"))
			require.NoFileExists(t, filepath.Join(elsewhere, "info", "exclude"))
			if text, err := os.ReadFile(filepath.Join(elsewhere, "x")); err == nil {
				require.Equal(t, "kept", string(text))
			}
		})
	}
}

func TestKeepIgnoredAsksGitOnlyWhereTheTextLeavesADoubt(t *testing.T) {
	t.Parallel()
	asked := filepath.Join(tempDir(t), "asked")
	git := fakeGit(t, "touch "+asked)
	d := mustMake(t, filepath.Join(workTree(t, realGit(t)), Name))
	_, _, err := d.KeepIgnored(t.Context(), git)
	require.NoError(t, err)
	require.NoFileExists(t, asked)
	require.NoError(t, os.Remove(string(d.ignoreFile())))
	_, _, err = d.KeepIgnored(t.Context(), git)
	require.NoError(t, err)
	require.FileExists(t, asked)
	require.FileExists(t, string(d.ignoreFile()), "git did not answer")
}

// A change that finds the stamp that it knows looks at nothing else.
func TestIgnoreStampShowsEveryChange(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	d := mustMake(t, filepath.Join(tree, Name))
	_, certain, err := d.KeepIgnored(t.Context(), git)
	require.NoError(t, err)
	require.True(t, certain)
	stamp, changed := d.IgnoreStamp()
	require.False(t, changed.IsZero())
	seen := map[string]bool{stamp: true}
	for i, change := range []func() error{
		func() error { return os.WriteFile(string(d.ignoreFile()), []byte("*\n"), 0o644) },
		func() error { return os.WriteFile(excludeOf(tree)[0], nil, 0o644) },
		func() error { return os.Rename(filepath.Join(tree, ".git"), filepath.Join(tree, "git")) },
	} {
		require.NoError(t, change())
		now, _ := d.IgnoreStamp()
		require.False(t, seen[now], i)
		seen[now] = true
	}
	require.NoError(t, os.Remove(string(d.ignoreFile())))
	stamp, _ = d.IgnoreStamp()
	require.Empty(t, stamp)
}
