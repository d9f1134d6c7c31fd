package follow

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnUnusableFileStopsTheCommand(t *testing.T) {
	t.Parallel()
	spoils := map[string]func(t *testing.T, path string){
		"link": func(t *testing.T, path string) {
			mustSymlink(t, mustWrite(t, path+".target", mustRead(t, path)), replaced(t, path))
		},
		"fifo":      func(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(replaced(t, path), 0o600)) },
		"directory": func(t *testing.T, path string) { mustMkdir(t, replaced(t, path)) },
		"foreign":   giveAway,
		"too large": func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 17<<20)) },
		"corrupt":   func(t *testing.T, path string) { mustWrite(t, path, "{\"a\": [") },
		"truncated": func(t *testing.T, path string) { text := mustRead(t, path); mustWrite(t, path, text[:len(text)/2]) },
	}
	for _, path := range []string{SecretsPath("p"), ProfilePath("p"), IndexPath} {
		for name, spoil := range spoils {
			if path == ProfilePath("p") && name == "truncated" { // which YAML can't tell
				continue
			}
			t.Run(path+" "+name, func(t *testing.T) {
				t.Parallel()
				o := newOffice(t)
				o.must(o.use("p"))
				spoil(t, o.Full(path))
				change := o.use("q")
				if path != IndexPath {
					change = o.url("a", "postgres://u:second@h/a")
				}
				before := o.remembered()
				err := o.change(change)
				require.ErrorIs(t, err, ErrUnusable)
				require.ErrorContains(t, err, o.Full(path))
				require.Equal(t, before, o.remembered())
				require.Contains(t, o.secretsIn("q")["database_url"], "first")
			})
		}
	}
	t.Run("a linked directory", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		require.NoError(t, os.Rename(o.Full("profiles/p"), o.Full("elsewhere")))
		mustSymlink(t, "../elsewhere", o.Full("profiles/p"))
		require.ErrorIs(t, o.change(o.url("a", "postgres://u:second@h/a")), ErrUnusable)
		require.Contains(t, mustRead(t, o.Full("elsewhere/secrets.json")), "first")
	})
}

// replaced makes room for something else in a file's place.
func replaced(t *testing.T, path string) string {
	t.Helper()
	require.NoError(t, os.Remove(path))
	return path
}
