package project

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExportMakesItsDirectoryIgnored(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	file := filepath.Join(tree, "out", "of", "copy.json")
	wrote, err := IgnoreExport(t.Context(), git, file)
	require.NoError(t, err)
	require.True(t, wrote)
	require.Equal(t, os.FileMode(0o700), modeOf(t, filepath.Join(tree, "out")))
	require.Equal(t, os.FileMode(0o700), modeOf(t, filepath.Join(tree, "out", "of")))
	mustWrite(t, file, "{}")
	require.Empty(t, untracked(t, git, tree))

	wrote, err = IgnoreExport(t.Context(), git, file)
	require.NoError(t, err)
	require.False(t, wrote)
}

func TestExportOfAnyNameIsIgnoredAndNothingElse(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	names := []string{
		"plain.json", "#hash", "!bang", "trailing ", "two  ", "mid dle", " leading", "*.json", "wh?t", "[abc]", "]", `back\slash`,
		`end\`, `\`, `\ `, "new\nline", "cr\r", "tab\t", ":(top)x", "-rf", "ü", "\xff\xfe", "{a,b}", "**", "a\x01b", "~", "$(x)", `"quoted"`,
	}
	for _, name := range names {
		dir := mustMkdir(t, filepath.Join(tree, "d", strings.Map(func(r rune) rune { return 'x' }, name)+filepath.Base(t.TempDir())))
		mustWrite(t, filepath.Join(dir, name), "{}")
		mustWrite(t, filepath.Join(dir, "."+name+".4711.tmp"), "half a copy, of a command that was killed")
		for _, other := range []string{"a.json", "what", "a", "b", "other", "new", "deep/" + strings.Trim(name, "/")} {
			mustWrite(t, filepath.Join(dir, other), "")
		}
		before := len(untracked(t, git, dir))
		wrote, err := IgnoreExport(t.Context(), git, filepath.Join(dir, name))
		require.NoError(t, err, "%q", name)
		require.True(t, wrote, "%q", name)
		require.Len(t, untracked(t, git, dir), before-1, "%q: two are gone, and .gitignore has come", name)

		wrote, err = IgnoreExport(t.Context(), git, filepath.Join(dir, name))
		require.NoError(t, err)
		require.False(t, wrote, "%q: the second time", name)

		blind, err := IgnoreExport(t.Context(), Git{}, filepath.Join(dir, name))
		require.NoError(t, err)
		require.False(t, blind, "%q: nor by the text", name)
	}
}

func TestExportAppendsToWhatIsThere(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	for _, git := range []Git{git, {}} {
		tree := workTree(t, realGit(t))
		file := mustWrite(t, filepath.Join(tree, ".gitignore"), "/target\n!*.json")
		wrote, err := IgnoreExport(t.Context(), git, filepath.Join(tree, "copy.json"))
		require.NoError(t, err)
		require.True(t, wrote)
		require.Equal(t, "/target\n!*.json\n/copy.json\n/.copy.json.*.tmp\n", mustRead(t, file))
		wrote, err = IgnoreExport(t.Context(), git, filepath.Join(tree, "copy.json"))
		require.NoError(t, err)
		require.False(t, wrote)
	}
}

func TestExportThatGitIgnoresAnywayNeedsNoLine(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	mustWrite(t, filepath.Join(tree, ".gitignore"), "*.secret*\n/private/\n")
	mustWrite(t, filepath.Join(tree, ".git", "info", "exclude"), "*mine.json*\n")
	mustMkdir(t, filepath.Join(tree, "private"))
	for _, name := range []string{"a.secret", "private/x.json", "mine.json"} {
		wrote, err := IgnoreExport(t.Context(), git, filepath.Join(tree, name))
		require.NoError(t, err)
		require.False(t, wrote, name)
	}
	require.NoFileExists(t, filepath.Join(tree, "private", ".gitignore"))

	mustSymlink(t, "nowhere", filepath.Join(tree, "private", ".gitignore"))
	_, err := IgnoreExport(t.Context(), git, filepath.Join(tree, "private", "x.json"))
	require.NoError(t, err, "a .gitignore that is not needed may be what it is")
}

// What a killed command leaves beside a copy holds the same secrets under another name.
func TestExportThatOnlyGitsRuleForItsNameCoversNeedsOneForWhatIsLeftOfIt(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	for _, git := range []Git{git, {}} {
		tree := workTree(t, realGit(t))
		mustWrite(t, filepath.Join(tree, ".gitignore"), "/copy.json\n")
		wrote, err := IgnoreExport(t.Context(), git, filepath.Join(tree, "copy.json"))
		require.NoError(t, err)
		require.True(t, wrote)
		require.Equal(t, "/copy.json\n/.copy.json.*.tmp\n", mustRead(t, filepath.Join(tree, ".gitignore")))
		mustWrite(t, filepath.Join(tree, ".copy.json.4711.tmp"), "{}")
		require.NotContains(t, untracked(t, realGit(t), tree), ".copy.json.4711.tmp")
	}
}

func TestExportThroughALinkIntoAWorkTreeIsIgnored(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	link := filepath.Join(tempDir(t), "link")
	sub := mustMkdir(t, filepath.Join(tree, "sub"))
	mustSymlink(t, sub, link)
	wrote, err := IgnoreExport(t.Context(), git, filepath.Join(link, "copy.json"))
	require.NoError(t, err)
	require.True(t, wrote)
	require.Equal(t, "/copy.json\n/.copy.json.*.tmp\n", mustRead(t, filepath.Join(sub, ".gitignore")))
}

func TestExportOutsideAWorkTreeWritesNothing(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	for _, git := range []Git{{}, realGit(t)} {
		wrote, err := IgnoreExport(t.Context(), git, filepath.Join(dir, "copy.json"))
		require.NoError(t, err)
		require.False(t, wrote)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestExportIsRefusedWhereItCannotBeIgnored(t *testing.T) {
	t.Parallel()
	for name, spoil := range spoiledIgnoreFiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			git := realGit(t)
			tree := workTree(t, git)
			spoil(t, filepath.Join(tree, ".gitignore"))
			_, err := IgnoreExport(t.Context(), git, filepath.Join(tree, "copy.json"))
			require.ErrorIs(t, err, ErrExposed)
			require.ErrorContains(t, err, filepath.Join(tree, ".gitignore"))
		})
	}
	for _, path := range []string{filepath.Join(tempDir(t), ".gitignore"), "/"} {
		_, err := IgnoreExport(t.Context(), Git{}, path)
		require.ErrorIs(t, err, ErrInvalid)
	}
	file := mustWrite(t, filepath.Join(tempDir(t), "file"), "")
	_, err := IgnoreExport(t.Context(), Git{}, filepath.Join(file, "x", "copy.json"))
	require.Error(t, err)
}

func TestExportThatGitTracksIsTold(t *testing.T) {
	t.Parallel()
	git := realGit(t)
	tree := workTree(t, git)
	tracked := mustWrite(t, filepath.Join(tree, "copy*.json"), "{}")
	other := mustWrite(t, filepath.Join(tree, "copyX.json"), "{}")
	runGit(t, git, tree, "add", "-f", "--", ":(literal)copy*.json")

	for file, want := range map[string]bool{tracked: true, other: false, filepath.Join(tempDir(t), "x"): false} {
		is, err := IsTracked(t.Context(), git, file)
		require.NoError(t, err)
		require.Equal(t, want, is, file)
	}
	is, err := IsTracked(t.Context(), Git{}, tracked)
	require.NoError(t, err)
	require.False(t, is, "nobody to ask")
}
