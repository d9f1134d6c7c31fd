package project

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// furnish puts every file there that sp or the original tool may write, and
// returns the secret ones and the public ones.
func furnish(t *testing.T, d Dir) (secret, public []string) {
	t.Helper()
	secret = []string{
		".lock", ".place", ".tenants.json.12.tmp", "credentials.json", "docker/shared.env", "docker/shared.yaml",
		"docker/shared_config.json", "postgres/data/pg_hba.conf", "postgres/log",
		"profiles/prod/docker/Dockerfile", "profiles/prod/docker/compose.yaml", "profiles/prod/secrets.json",
		"profiles/x/docker/compose.yaml", "profiles/x/secrets.json", "session.json", "sessions/index.json",
		"sp.db", "sp.db-journal", "tenants.json",
		"tenants.json.corrupt-20261121T093000.000000Z",
	}
	public = []string{"profiles/prod/profile.yaml", "profiles/x/profile.yaml"}
	for _, path := range slices.Concat(secret, public) {
		mustWrite(t, filepath.Join(d.Path(), path), "x")
	}
	return secret, append([]string{".gitignore"}, public...)
}

func TestGitTracksTheProfilesAndNothingElse(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	d := mustMake(t, filepath.Join(tree, Name))
	secret, public := furnish(t, d)
	mustWrite(t, filepath.Join(d.Path(), "profiles", "stray.yaml"), "")
	mustWrite(t, filepath.Join(d.Path(), "profiles", "x", "deep", "profile.yaml"), "")
	mustWrite(t, filepath.Join(d.Path(), "storage", "profile.yaml"), "")

	require.Equal(t, public, untracked(t, git, d.Path()))
	var porcelain []string
	for _, path := range public {
		porcelain = append(porcelain, "?? "+Name+"/"+path)
	}
	require.Equal(t, porcelain, runGit(t, git, tree, "status", "--porcelain", "-uall"))
	require.Equal(t, secret, runGit(t, git, d.Path(), append([]string{"check-ignore"}, secret...)...))

	completed, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Equal(t, excludeOf(tree), completed)
	exposed, _, err := d.Exposed(t.Context(), git)
	require.NoError(t, err)
	require.Empty(t, exposed)
}

// excludeOf is git's own file of what a work tree ignores.
func excludeOf(tree string) []string { return []string{filepath.Join(tree, ".git", "info", "exclude")} }

// originalIgnore is what the original tool's `cloud init` writes.
const originalIgnore = "credentials.json\ntenants.json\n**/secrets.json\ndocker/\nstorage/"

func TestEnsureIgnoredAppendsWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]string{
		"original":         originalIgnore,
		"empty":            "",
		"nothing secret":   "README.md\n",
		"negation":         "*\n!tenants.json\n!sp.db\n",
		"all negated":      "*\n!*\n!*/\n",
		"a profile's":      "*\n!profiles/\n!profiles/*/\n!profiles/prod/secrets.json\n",
		"windows":          "credentials.json\r\n!sp.db\r\n",
		"commented star":   "#*\n",
		"no final newline": "!sp.db",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			git := realGit(t)
			d := Dir{path: mustMkdir(t, filepath.Join(workTree(t, git), Name))}
			file := mustWrite(t, string(d.ignoreFile()), before)
			secret, _ := furnish(t, d)

			exposed, here, err := d.Exposed(t.Context(), git)
			require.NoError(t, err)
			require.NotEmpty(t, exposed)
			require.False(t, here)
			require.Equal(t, before, mustRead(t, file), "asking changes nothing")

			completed, err := d.EnsureIgnored(t.Context(), git)
			require.NoError(t, err)
			require.Contains(t, completed, file)
			after := mustRead(t, file)
			require.True(t, strings.HasPrefix(after, before))
			require.True(t, strings.HasSuffix(after, "\n# Added by sp: this directory holds secrets.\n"+strings.Join(ignored, "\n")+"\n") || before == "")
			for _, path := range untracked(t, git, d.Path()) {
				require.NotContains(t, secret, path)
			}

			completed, err = d.EnsureIgnored(t.Context(), git)
			require.NoError(t, err)
			require.Empty(t, completed, "the second time")
			require.Equal(t, after, mustRead(t, file))
		})
	}
}

// What the original's list leaves out is taken by `git add`: the data of a server with
// its passwords, files that were set aside, temporary ones, and what is still to come.
func TestEnsureIgnoredKeepsOutWhatTheOriginalsListLeavesOut(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	d := Dir{path: mustMkdir(t, filepath.Join(workTree(t, git), Name))}
	mustWrite(t, string(d.ignoreFile()), originalIgnore)
	_, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	_, public := furnish(t, d)
	mustWrite(t, filepath.Join(d.Path(), "some", "thing.new"), "")
	require.Equal(t, public, untracked(t, git, d.Path()))
}

func TestRulesOfAParentCount(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	mustWrite(t, filepath.Join(tree, ".gitignore"), Name+"/\n")
	d := Dir{path: mustMkdir(t, filepath.Join(tree, Name))}
	mustWrite(t, string(d.ignoreFile()), "# mine\n")
	completed, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Equal(t, excludeOf(tree), completed)
	require.Equal(t, "# mine\n", mustRead(t, string(d.ignoreFile())))
}

func TestNegationOfAParentIsOverruled(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	mustWrite(t, filepath.Join(tree, ".gitignore"), "*.json\nsp.db*\n!tenants.json\n!**/profiles/*/secrets.json\n")
	d := Dir{path: mustMkdir(t, filepath.Join(tree, Name))}
	mustWrite(t, string(d.ignoreFile()), "# mine\n")
	_, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	_, public := furnish(t, d)
	require.Equal(t, public, untracked(t, git, d.Path()))
}

func TestRulesOfThisMachineDoNotCount(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	excludes := mustWrite(t, filepath.Join(tempDir(t), ".gitignore"), "sp.db*\n")
	config := mustWrite(t, filepath.Join(tempDir(t), "config"), "[core]\nexcludesFile = "+excludes+"\n")
	git.Env = append(git.Env, "GIT_CONFIG_GLOBAL="+config)
	tree := workTree(t, git)
	mustWrite(t, filepath.Join(tree, ".git", "info", "exclude"), "tenants.json\n")
	d := Dir{path: mustMkdir(t, filepath.Join(tree, Name))}
	mustWrite(t, string(d.ignoreFile()), "# mine\n")
	require.NotContains(t, untracked(t, git, tree), Name+"/sp.db")
	_, here, err := d.Exposed(t.Context(), git)
	require.NoError(t, err)
	require.False(t, here, "this machine's rules leave some out")
	completed, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Contains(t, completed, string(d.ignoreFile()))
	require.True(t, covers(mustRead(t, string(d.ignoreFile())), "*"))
}

// A .gitignore below the directory outranks the one in it, and comes with a clone as well.
func TestNegationBelowIsOverruledWhereItStands(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	for file, text := range map[string]string{
		"profiles/x/.gitignore": "# hm\n!secrets.json\n!docker/\n!*.tmp",
		"profiles/.gitignore":   "!/x/secrets.json\n!*.aside-*\n",
	} {
		d := mustMake(t, filepath.Join(workTree(t, git), Name))
		nested := mustWrite(t, d.Full(file), text)
		before := mustRead(t, string(d.ignoreFile()))
		secret, _ := furnish(t, d)
		mustWrite(t, d.Full("profiles/x/.secrets.json.12.tmp"), "")
		completed, err := d.KeepProfilesIgnored(t.Context(), func() Git { return git }, []string{"x"})
		require.NoError(t, err)
		require.Contains(t, completed, nested)
		require.True(t, strings.HasPrefix(mustRead(t, nested), text))
		require.Equal(t, before, mustRead(t, string(d.ignoreFile())))
		for _, path := range untracked(t, git, d.Path()) {
			require.NotContains(t, append(secret, "profiles/x/.secrets.json.12.tmp"), path)
		}
		completed, err = d.KeepProfilesIgnored(t.Context(), func() Git { return git }, []string{"x"})
		require.NoError(t, err)
		require.Empty(t, completed)
	}
}

// Git is asked for a new profile only where something below can outrank the directory's
// rules.
func TestProfilesAskGitOnlyWhereThereIsADoubt(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	d := mustMake(t, filepath.Join(workTree(t, git), Name))
	completed, err := d.KeepProfilesIgnored(t.Context(), nil, []string{"x"})
	require.NoError(t, err)
	require.Empty(t, completed)
}
