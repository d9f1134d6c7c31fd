package project

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTextDecidesWhereGitDoesNotAnswer(t *testing.T) {
	t.Parallel()
	sleeping := fakeGit(t, "sleep 5")
	sleeping.patience = 50 * time.Millisecond
	for name, git := range map[string]Git{
		"no git": {}, "relative": {Path: "git"}, "gone": {Path: "/nowhere/git"},
		"refuses": fakeGit(t, "echo fatal: detected dubious ownership >&2; exit 128"),
		"silent":  fakeGit(t, ":"), "says no": fakeGit(t, "exit 1"), "chatters": fakeGit(t, "echo hello"), "sleeps": sleeping,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Dir{path: mustMkdir(t, filepath.Join(tempDir(t), Name))}
			file := mustWrite(t, string(d.ignoreFile()), "docker/\n*.json")
			rules, err := d.EnsureIgnored(t.Context(), git)
			require.NoError(t, err)
			require.Equal(t, []string{file}, rules)
			after := mustRead(t, file)
			require.True(t, covers(after, "*"))
			rules, err = d.EnsureIgnored(t.Context(), git)
			require.NoError(t, err)
			require.Empty(t, rules)
			require.Equal(t, after, mustRead(t, file))

			star := mustMake(t, filepath.Join(tempDir(t), Name))
			rules, err = star.EnsureIgnored(t.Context(), git)
			require.NoError(t, err)
			require.Empty(t, rules)
		})
	}
}

func TestTextDecidesOutsideAWorkTree(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	d := Dir{path: mustMkdir(t, filepath.Join(tempDir(t), Name))}
	mustWrite(t, string(d.ignoreFile()), originalIgnore)
	rules, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Equal(t, []string{string(d.ignoreFile())}, rules)

	runGit(t, git, filepath.Dir(d.Path()), "init", "-q")
	rules, err = d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Equal(t, excludeOf(filepath.Dir(d.Path())), rules, "git agrees with the text")
}

func TestCancellingIsNotAnAnswer(t *testing.T) {
	t.Parallel()
	d := Dir{path: mustMkdir(t, filepath.Join(tempDir(t), Name))}
	mustWrite(t, string(d.ignoreFile()), "# mine\n")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.EnsureIgnored(ctx, fakeGit(t, "sleep 5"))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, "# mine\n", mustRead(t, string(d.ignoreFile())))
}

func TestGitOfAHookIsNotConfused(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	elsewhere := workTree(t, git)
	d := mustMake(t, filepath.Join(workTree(t, git), Name))
	furnish(t, d)
	runGit(t, git, d.Path(), "add", "--force", "sp.db")
	git.Env = append(git.Env, "GIT_DIR="+elsewhere+"/.git", "GIT_WORK_TREE="+elsewhere, "GIT_INDEX_FILE="+elsewhere+"/index",
		"GIT_LITERAL_PATHSPECS=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.bare", "GIT_CONFIG_VALUE_0=true")
	tracked, err := d.TrackedSecrets(t.Context(), git)
	require.NoError(t, err)
	require.Equal(t, []string{"sp.db"}, tracked)
	_, err = git.verdicts(t.Context(), d.Path(), []string{"sp.db"})
	require.NoError(t, err)
}

func TestRepositoryStartsNoProgram(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	d := mustMake(t, filepath.Join(tree, Name))
	furnish(t, d)
	runGit(t, git, tree, "add", ".")
	proof := filepath.Join(tempDir(t), "started")
	script := fakeGit(t, "touch "+proof).Path
	runGit(t, git, tree, "config", "core.fsmonitor", script)
	_, err := d.TrackedSecrets(t.Context(), git)
	require.NoError(t, err)
	_, err = d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.NoFileExists(t, proof)

	// A clone can hold a bare repository, configuration included, as plain files.
	bare := mustMake(t, filepath.Join(tempDir(t), Name))
	runGit(t, git, bare.Path(), "init", "-q", "--bare")
	_, err = git.tracked(t.Context(), bare.Path())
	require.ErrorIs(t, err, ErrGit)
}

func TestGitSeesNoSecretOfOurs(t *testing.T) {
	t.Parallel()
	seen := filepath.Join(tempDir(t), "seen")
	git := fakeGit(t, "env >"+seen)
	git.Env = append(git.Env, "SP_TOKEN=canary", "DATABASE_URL=canary", "HOME=/nowhere")
	_, _ = git.run(t.Context(), tempDir(t), nil, "x")
	require.Contains(t, mustRead(t, seen), "HOME=/nowhere")
	require.NotContains(t, mustRead(t, seen), "canary")
}

func TestWorkTreeOfAnotherUserIsAnsweredByTheText(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	d := mustMake(t, filepath.Join(tree, Name))
	mustWrite(t, string(d.ignoreFile()), "# mine\n")
	giveAway(t, tree)
	giveAway(t, filepath.Join(tree, ".git"))
	_, err := git.tracked(t.Context(), d.Path())
	require.ErrorIs(t, err, ErrGit)
	rules, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Equal(t, []string{string(d.ignoreFile())}, rules)
}
