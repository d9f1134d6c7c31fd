package project

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinkToOurDirectoryIsFollowed(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	main := mustMake(t, filepath.Join(top, "main", Name))
	branch := mustMkdir(t, filepath.Join(top, "branch"))
	mustSymlink(t, "../main/"+Name, filepath.Join(branch, Name))

	d, err := Find(branch)
	require.NoError(t, err)
	require.Equal(t, main, d)
	d, made, err := Make(filepath.Join(branch, Name))
	require.NoError(t, err)
	require.Equal(t, main, d)
	require.Equal(t, Kept, made)
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
			require.ErrorIs(t, err, ErrUnsafe)
			_, err = At(filepath.Join(project, Name))
			require.ErrorIs(t, err, ErrUnsafe)
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
