package project

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinkWithinOurProjectIsFollowed(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	mustMkdir(t, filepath.Join(top, ".git"))
	main := mustMake(t, filepath.Join(top, Name))
	part := mustMkdir(t, filepath.Join(top, "part"))
	mustSymlink(t, "../"+Name, filepath.Join(part, Name))

	d, err := Find(part)
	require.NoError(t, err)
	require.Equal(t, main.Path(), d.Path())
	require.Equal(t, filepath.Join(part, Name), d.Link())
	d, made, err := Make(filepath.Join(part, Name))
	require.NoError(t, err)
	require.Equal(t, main.Path(), d.Path())
	require.Equal(t, Kept, made)
}

// A repository that was cloned can hold a link to another project of ours: its registry
// is in order, and would answer.
func TestLinkOutOfTheProjectIsUntrusted(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	other := mustMake(t, filepath.Join(top, "other", Name))
	clone := mustMkdir(t, filepath.Join(top, "clone", "part"))
	mustMkdir(t, filepath.Join(top, "clone", ".git"))
	for _, dir := range []string{filepath.Dir(clone), clone} {
		mustSymlink(t, other.Path(), filepath.Join(dir, Name))
		_, err := Find(dir)
		require.ErrorIs(t, err, ErrUntrusted)
		require.ErrorContains(t, err, "leads out of the project")
		require.ErrorContains(t, err, "--dir "+other.Path())
		_, _, err = Make(filepath.Join(dir, Name))
		require.ErrorIs(t, err, ErrUntrusted)
	}
	d, err := At(other.Path())
	require.NoError(t, err)
	require.Empty(t, d.Link())
}

func TestLinkThatGitTracksIsUntrusted(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	main := mustMake(t, filepath.Join(tree, Name))
	part := mustMkdir(t, filepath.Join(tree, "part"))
	mustSymlink(t, "../"+Name, filepath.Join(part, Name))
	d, err := Find(part)
	require.NoError(t, err)
	require.NoError(t, d.CheckTracked(t.Context(), git))

	runGit(t, git, tree, "add", "part")
	err = d.CheckTracked(t.Context(), git)
	require.ErrorIs(t, err, ErrUntrusted)
	require.ErrorContains(t, err, "--dir "+main.Path())
	require.NoError(t, main.CheckTracked(t.Context(), fakeGit(t, "exit 9")), "nobody is asked about what is no link")
	require.ErrorIs(t, d.CheckTracked(t.Context(), fakeGit(t, "exit 9")), ErrUntrusted, "git did not answer")
}

func TestLinkThatLeadsAstrayIsRefused(t *testing.T) {
	t.Parallel()
	for name, lead := range map[string]func(t *testing.T, top, link string){
		"to another name": func(t *testing.T, top, link string) {
			mustSymlink(t, mustMkdir(t, filepath.Join(top, "home")), link)
		},
		"nowhere":   func(t *testing.T, top, link string) { mustSymlink(t, filepath.Join(top, "gone", Name), link) },
		"to itself": func(t *testing.T, _, link string) { mustSymlink(t, link, link) },
		"made by another user": func(t *testing.T, top, link string) {
			mustSymlink(t, mustMake(t, filepath.Join(top, "other", Name)).Path(), link)
			giveAway(t, link)
		},
		"to another user's": func(t *testing.T, top, link string) {
			d := mustMake(t, filepath.Join(top, "other", Name))
			mustSymlink(t, d.Path(), link)
			giveAway(t, d.Path())
		},
		"to one others can write in": func(t *testing.T, top, link string) {
			d := mustMake(t, filepath.Join(top, "other", Name))
			mustSymlink(t, d.Path(), link)
			require.NoError(t, os.Chmod(d.Path(), 0o777))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top := tempDir(t)
			project := mustMkdir(t, filepath.Join(top, "project"))
			lead(t, top, filepath.Join(project, Name))
			_, err := Find(project)
			require.True(t, errors.Is(err, ErrUnsafe) || errors.Is(err, ErrUntrusted), err)
			_, err = At(filepath.Join(project, Name))
			require.True(t, errors.Is(err, ErrUnsafe) || errors.Is(err, ErrUntrusted), err)
		})
	}
}

func TestLinkToAFileIsPassedBy(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	project := mustMkdir(t, filepath.Join(top, "project"))
	mustSymlink(t, mustWrite(t, filepath.Join(top, "other", Name), ""), filepath.Join(project, Name))
	_, err := Find(project)
	require.ErrorIs(t, err, ErrNoDirectory)
}
