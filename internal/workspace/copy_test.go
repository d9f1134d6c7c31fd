package workspace_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

func TestCopyIsRememberedAndNotFollowed(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	path := filepath.Join(t.TempDir(), "copy.json")
	row := h.remembered(t, workspace.TrackedName)
	h.must(t, h.copyTo(path).Publish, export)
	require.Equal(t, h.encoded(t), mustRead(t, path))
	require.Equal(t, os.FileMode(0o600), mustStat(t, path).Mode())
	require.Equal(t, &registry.File{Path: path, Current: hashOf(mustRead(t, path)), TenantsRevision: 1}, h.remembered(t, path))
	require.Equal(t, row, h.remembered(t, workspace.TrackedName))
	h.mustBeCurrent(t)

	first := fingerprint(t, path, false)
	h.must(t, h.follower().Publish, create("b"))
	h.must(t, h.follower().Publish, profile("x", "a"))
	require.Equal(t, first, fingerprint(t, path, false))
	h.mustBeCurrent(t)
	require.False(t, h.isCurrent(t, h.copyTo(path)))

	text := mustRead(t, path)
	h.must(t, h.copyTo(path).Publish, export)
	require.Equal(t, h.encoded(t), mustRead(t, path))
	require.True(t, h.isCurrent(t, h.copyTo(path)))
	require.Equal(t, &registry.File{
		Path: path, Previous: hashOf(text), Current: hashOf(mustRead(t, path)), TenantsRevision: 4 + 1,
	}, h.remembered(t, path))
	second := fingerprint(t, path, false)
	h.must(t, h.copyTo(path).Publish, export) // once more, for nothing
	require.Equal(t, second, fingerprint(t, path, false))
	require.Equal(t, []string{"copy.json"}, names(t, filepath.Dir(path)))
}

// A copy tracks nothing, and needs nothing tracked.
func TestCopyTracksNothing(t *testing.T) {
	t.Parallel()
	h := mustHouse(t)
	path := filepath.Join(t.TempDir(), "copy.json")
	h.must(t, h.copyTo(path).Publish, export)
	h.must(t, h.follower().Publish, create("a"))
	require.Equal(t, workspace.Untracked, h.standing(t))
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal"}, names(t, h.dir))
	require.False(t, h.isCurrent(t, h.copyTo(path)))
}

func TestCopyDoesNotOverwriteAForeignFile(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	path := filepath.Join(t.TempDir(), "copy.json")
	for range 2 { // not known yet, and then known
		mustWrite(t, path, foreign)
		before, file := h.everything(t), fingerprint(t, path, false)
		mustConflict(t, h.do(h.copyTo(path).Publish, export), path)
		require.Equal(t, before, h.everything(t))
		require.Equal(t, file, fingerprint(t, path, false))
		require.Equal(t, []string{"copy.json"}, names(t, filepath.Dir(path)))

		forced := h.copyTo(path)
		forced.Force = true
		h.must(t, forced.Publish, export)
		require.Equal(t, h.encoded(t), mustRead(t, path))
	}
}

func TestCopyToNowhereChangesNothing(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	before := h.everything(t)
	for _, path := range []string{
		filepath.Join(h.dir, "none", "copy.json"),
		filepath.Join(h.path(), "copy.json"),                        // the directory is a file
		filepath.Join(h.dir, strings.Repeat("x", 250)+".json"),      // its temporary name would be too long
		filepath.Join(h.dir, strings.Repeat("none/", 1000), "copy"), // longer than a path can be
	} {
		err := h.do(h.copyTo(path).Publish, export)
		require.Error(t, err)
		require.NotErrorIs(t, err, registry.ErrIncomplete)
		require.Equal(t, before, h.everything(t))
	}
}

func TestCopyOfTheDocumentedRecord(t *testing.T) {
	t.Parallel()
	h := mustHouse(t)
	text := `{"tenants":[{"id":"a","name":"n","x":1,"region":"iad"}],` + at10 + `,"y":2}`
	h.must(t, h.wanted().Publish, imports(text))
	require.Contains(t, mustRead(t, h.path()), `"x": 1`)
	require.Contains(t, mustRead(t, h.path()), `"y": 2`)

	path := filepath.Join(t.TempDir(), "copy.json")
	p := h.copyTo(path)
	p.Documented = true
	h.must(t, p.Publish, export)
	require.Contains(t, mustRead(t, path), `"region": "iad"`)
	require.NotContains(t, mustRead(t, path), `"x"`)
	require.NotContains(t, mustRead(t, path), `"y"`)
	require.True(t, h.isCurrent(t, p))
	require.False(t, h.isCurrent(t, h.copyTo(path)))
	h.must(t, h.copyTo(path).Publish, export) // it is ours, so the whole one may take its place
	require.Equal(t, h.encoded(t), mustRead(t, path))
	h.mustBeCurrent(t)
}

// Names are taken literally, and so are the names of what a killed copy left.
func TestCopyOfAnyName(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	for _, name := range []string{
		"[", "a[b-", "[a].json", "*", "a*b", "?", "a?b*c[d]", `\`, `a\*`, "a b", "-rf", "~", "...", "ü", "\xff", "a\nb", "x.tmp", ".x.1.tmp",
	} {
		dir := t.TempDir()
		mustWrite(t, filepath.Join(dir, ".ab.1.tmp"), "another's")
		mustWrite(t, filepath.Join(dir, "."+name+".12345.tmp"), "half a copy")
		h.must(t, h.copyTo(filepath.Join(dir, name)).Publish, export)
		require.Equal(t, h.encoded(t), mustRead(t, filepath.Join(dir, name)), "%q", name)
		require.ElementsMatch(t, []string{name, ".ab.1.tmp"}, names(t, dir), "%q", name)
	}
}
