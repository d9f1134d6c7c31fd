package project

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMakeIsPrivateUnderAnyUmask(t *testing.T) {
	t.Parallel()
	for _, umask := range []string{"000", "022", "077"} {
		dir := tempDir(t)
		cmd := exec.Command(os.Args[0], dir)
		cmd.Env = append(os.Environ(), umaskVariable+"="+umask)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)

		for path, want := range map[string]os.FileMode{
			"a": 0o700, "a/b": 0o700, "a/b/.systemprompt": 0o700, "c": 0o700, "c/d": 0o700,
			"a/b/.systemprompt/.gitignore": 0o644, "c/d/.gitignore": 0o644,
		} {
			require.Equal(t, want, modeOf(t, filepath.Join(dir, path)), "umask %s: %s", umask, path)
		}
		require.Equal(t, "*\n", mustRead(t, filepath.Join(dir, "c/d/.gitignore")))
	}
}

// P4 and S18: parents are made, and a .gitignore that keeps secrets out; on purpose it is
// one for all of the directory, and lets profile.yaml through.
func TestMakeIsRepeatable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(tempDir(t), "a", Name)
	first, made, err := Make(path)
	require.NoError(t, err)
	require.Equal(t, Created, made)

	second, made, err := Make(path)
	require.NoError(t, err)
	require.Equal(t, Kept, made)
	require.Equal(t, first, second)
	require.Equal(t, strings.Join(ignored, "\n")+"\n", mustRead(t, filepath.Join(path, ".gitignore")))
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")
}

func TestMakeCompletesWhatACrashLeft(t *testing.T) {
	t.Parallel()
	path := filepath.Join(tempDir(t), Name)
	require.NoError(t, os.Mkdir(path, 0o700))
	left := mustWrite(t, filepath.Join(path, ".gitignore.1.tmp"), "# Ma")
	theirs := mustWrite(t, filepath.Join(path, ".gitignore.old.tmp"), "# Mi")
	d, made, err := Make(path)
	require.NoError(t, err)
	require.Equal(t, Kept, made)
	require.Contains(t, mustRead(t, string(d.ignoreFile())), "\n*\n")
	require.NoFileExists(t, left)
	require.FileExists(t, theirs)

	mustWrite(t, left, "# Ma") // by one that was killed after its .gitignore was there
	_, _, err = Make(path)
	require.NoError(t, err)
	require.NoFileExists(t, left)
}

func TestMakeTightensAndTells(t *testing.T) {
	t.Parallel()
	for mode, want := range map[os.FileMode]os.FileMode{0o755: 0o700, 0o777: 0o700, 0o710: 0o700, 0o701: 0o700, 0o750: 0o700} {
		path := filepath.Join(tempDir(t), Name)
		require.NoError(t, os.Mkdir(path, 0o700))
		require.NoError(t, os.Chmod(path, mode))
		_, made, err := Make(path)
		require.NoError(t, err)
		require.Equal(t, Tightened, made, mode)
		require.Equal(t, want, modeOf(t, path))
		_, made, err = Make(path)
		require.NoError(t, err)
		require.Equal(t, Kept, made, mode)
	}
}

func TestMakeRefusesAFile(t *testing.T) {
	t.Parallel()
	file := mustWrite(t, filepath.Join(tempDir(t), Name), "kept")
	_, _, err := Make(file)
	require.ErrorIs(t, err, ErrNoDirectory)
	require.ErrorContains(t, err, "it is not a directory")
	_, _, err = Make(filepath.Join(file, Name))
	require.Error(t, err)
	require.Equal(t, "kept", mustRead(t, file))
}

func TestMakeDoesNotFollowALinkAstray(t *testing.T) {
	t.Parallel()
	top := tempDir(t)
	home := mustMkdir(t, filepath.Join(top, "home"))
	link := filepath.Join(top, Name)
	mustSymlink(t, home, link)
	_, _, err := Make(link)
	require.ErrorIs(t, err, ErrUnsafe)
	require.Equal(t, os.FileMode(0o755), modeOf(t, home))
	require.NoFileExists(t, filepath.Join(home, ".gitignore"))
}

func TestMakeDoesNotAdoptAProject(t *testing.T) {
	t.Parallel()
	project := mustMkdir(t, filepath.Join(tempDir(t), "project"))
	mustWrite(t, filepath.Join(project, ".gitignore"), "/target\n")
	mustWrite(t, filepath.Join(project, "main.rs"), "")
	_, _, err := Make(project)
	require.ErrorIs(t, err, ErrInvalid)
	require.ErrorContains(t, err, "main.rs")
	require.Equal(t, os.FileMode(0o755), modeOf(t, project))

	for _, known := range []string{"sp.db", "tenants.json"} {
		mustWrite(t, filepath.Join(project, known), "")
		_, made, err := Make(project)
		require.NoError(t, err, known)
		require.Equal(t, Tightened, made)
		require.NoError(t, os.Remove(filepath.Join(project, known)))
		require.NoError(t, os.Chmod(project, 0o755))
	}
}

func TestMakeAdoptsWhatTheOriginalLeft(t *testing.T) {
	t.Parallel()
	dir := mustMkdir(t, filepath.Join(tempDir(t), "registry"))
	mustWrite(t, filepath.Join(dir, "credentials.json"), "{}")
	mustWrite(t, filepath.Join(dir, "profiles", "x", "profile.yaml"), "")
	mustWrite(t, filepath.Join(dir, "sessions", "index.json"), "{}")
	_, made, err := Make(dir)
	require.NoError(t, err)
	require.Equal(t, Tightened, made)
}

func TestSixteenMakeOneDirectory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(tempDir(t), "a", "b", Name)
	var makers sync.WaitGroup
	makes := make([]Made, 16)
	errs := make([]error, 16)
	for i := range makes {
		makers.Go(func() { _, makes[i], errs[i] = Make(path) })
	}
	makers.Wait()
	created := 0
	for i := range makes {
		require.NoError(t, errs[i])
		if makes[i] == Created {
			created++
		}
	}
	require.Equal(t, 1, created)
	require.Equal(t, strings.Join(ignored, "\n")+"\n", mustRead(t, filepath.Join(path, ".gitignore")))
}

func TestMakeTellsOfAGitignoreThatCannotServe(t *testing.T) {
	t.Parallel()
	for name, spoil := range spoiledIgnoreFiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Dir{path: mustMkdir(t, filepath.Join(tempDir(t), Name))}
			spoil(t, string(d.ignoreFile()))
			made, how, err := Make(d.Path())
			require.ErrorIs(t, err, ErrExposed)
			require.Equal(t, d, made)
			require.Equal(t, Tightened, how)
			require.ErrorContains(t, err, string(d.ignoreFile()))
			_, err = d.EnsureIgnored(t.Context(), Git{})
			require.ErrorIs(t, err, ErrExposed)
		})
	}
}
