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
		".lock", ".tenants.json.12.tmp", "credentials.json", "docker/shared.yaml", "docker/shared_config.json",
		"profiles/prod/docker/Dockerfile", "profiles/prod/docker/compose.yaml", "profiles/prod/secrets.json",
		"profiles/x/docker/compose.yaml", "profiles/x/secrets.json", "session.json", "sessions/index.json",
		"sp.db", "sp.db-journal", "tenants.json",
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

	rules, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Empty(t, rules)
	exposed, err := d.Exposed(t.Context(), git)
	require.NoError(t, err)
	require.Empty(t, exposed)
}

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

			exposed, err := d.Exposed(t.Context(), git)
			require.NoError(t, err)
			require.NotEmpty(t, exposed)
			require.Equal(t, before, mustRead(t, file), "asking changes nothing")

			rules, err := d.EnsureIgnored(t.Context(), git)
			require.NoError(t, err)
			require.NotEmpty(t, rules)
			after := mustRead(t, file)
			require.True(t, strings.HasPrefix(after, before))
			require.Contains(t, after, "# Added by sp: these files hold secrets.\n"+strings.Join(rules, "\n")+"\n")
			for _, path := range untracked(t, git, d.Path()) {
				require.NotContains(t, secret, path)
			}

			rules, err = d.EnsureIgnored(t.Context(), git)
			require.NoError(t, err)
			require.Empty(t, rules, "the second time")
			require.Equal(t, after, mustRead(t, file))
		})
	}
}

func TestEnsureIgnoredLeavesTheOriginalsRulesInForce(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	d := Dir{path: mustMkdir(t, filepath.Join(workTree(t, git), Name))}
	mustWrite(t, string(d.ignoreFile()), originalIgnore)
	rules, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Equal(t, []string{"/sp.db*", "/.lock", ".*.tmp", "/session.json", "/sessions/"}, rules)
	_, public := furnish(t, d)
	require.Equal(t, public, untracked(t, git, d.Path()))
}

func TestRulesOfAParentCount(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	mustWrite(t, filepath.Join(tree, ".gitignore"), Name+"/\n")
	d := Dir{path: mustMkdir(t, filepath.Join(tree, Name))}
	mustWrite(t, string(d.ignoreFile()), "# mine\n")
	rules, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Empty(t, rules)
	require.Equal(t, "# mine\n", mustRead(t, string(d.ignoreFile())))
}

func TestNegationOfAParentIsOverruled(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	mustWrite(t, filepath.Join(tree, ".gitignore"), "*.json\nsp.db*\n!tenants.json\n!**/profiles/*/secrets.json\n")
	d := Dir{path: mustMkdir(t, filepath.Join(tree, Name))}
	mustWrite(t, string(d.ignoreFile()), "# mine\n")
	rules, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Equal(t, []string{"/.lock", "/tenants.json*", ".*.tmp", "secrets.json", "docker/"}, rules)
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
	rules, err := d.EnsureIgnored(t.Context(), git)
	require.NoError(t, err)
	require.Contains(t, rules, "/sp.db*")
	require.Contains(t, rules, "/tenants.json*")
}

func TestNestedNegationIsReportedAndNothingRepeated(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	d := mustMake(t, filepath.Join(workTree(t, git), Name))
	mustWrite(t, filepath.Join(d.Path(), "profiles", "x", ".gitignore"), "# hm\n!secrets.json\n")
	before := mustRead(t, string(d.ignoreFile()))
	for range 2 {
		_, err := d.EnsureIgnored(t.Context(), git)
		require.ErrorIs(t, err, ErrExposed)
		require.ErrorContains(t, err, "profiles/x/secrets.json")
		require.ErrorContains(t, err, "profiles/x/.gitignore, line 2")
	}
	require.Equal(t, before, mustRead(t, string(d.ignoreFile())))
}
