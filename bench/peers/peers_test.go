package peers

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestACopyHasTheSameBytesAndCanBeRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	require.NoError(t, os.WriteFile(from, []byte("#!/bin/sh\n"), 0o600))
	require.NoError(t, copyProgram(to, from))
	text, err := os.ReadFile(to)
	require.NoError(t, err)
	require.Equal(t, "#!/bin/sh\n", string(text))
	info, err := os.Stat(to)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode())
	require.ErrorIs(t, copyProgram(to, filepath.Join(dir, "none")), os.ErrNotExist)
}

func TestAPeerThatIsAbsentIsLeftOutAndNoted(t *testing.T) {
	t.Parallel()
	var noted []any
	w := Workshop{Dir: t.TempDir(), Note: func(_ string, args ...any) { noted = append(noted, args...) }}
	s := Set{Dir: w.Dir}
	require.Nil(t, w.optional(s, "nobody", w.onPath("no-such-program-anywhere")))
	require.Contains(t, noted, any("nobody"))
	require.NotNil(t, w.optional(s, "sh", w.onPath("sh")))
}

func TestPeersLieInPathsOfOneLength(t *testing.T) {
	t.Parallel()
	s := Set{Dir: t.TempDir()}
	seen := map[string]bool{}
	for _, name := range []string{"sp", "sp-twin", "a-longer-name"} {
		peer, err := s.take(name, "peers.go")
		require.NoError(t, err)
		require.Equal(t, name, peer.Name)
		require.Len(t, filepath.Base(peer.Path), 3)
		seen[peer.Path] = true
	}
	require.Len(t, seen, 3)
}

func TestWhatLinksTheLibrariesIsGo(t *testing.T) {
	t.Parallel()
	for _, with := range [][]library{libraries[:1], libraries} {
		source := linkedSource(with)
		file, err := parser.ParseFile(token.NewFileSet(), "linked.go", source, 0)
		require.NoError(t, err, source)
		require.Equal(t, "main", file.Name.Name)
		require.Len(t, file.Imports, 1+len(with))
	}
	for name, source := range map[string]string{"age": ageSource, "armor": armorSource} {
		file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		require.NoError(t, err)
		require.Equal(t, name, file.Name.Name)
	}
}
