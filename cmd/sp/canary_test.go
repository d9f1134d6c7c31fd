package main

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestSecretsShowNowhere runs every command, in every way to go wrong, over a registry
// that holds a marker wherever a secret can be. Only what tells a secret by its
// nature, or --reveal, may show one; and no file but the registry and the exports
// may hold one.
func TestSecretsShowNowhere(t *testing.T) {
	t.Parallel()
	rows := rowsOfEveryCommand(t)
	template := newSandbox(t)
	cage(template, caged)
	for what, c := range cages {
		if testing.Short() && !slices.Contains([]string{"whole", "busy", "changed by somebody else"}, what) {
			continue // the race detector makes each ten times as slow
		}
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for _, words := range slices.Sorted(maps.Keys(rows)) {
				if words != canonical(words) && !c.deep {
					continue
				}
				s := newSandbox(t)
				require.NoError(t, os.CopyFS(s.dir, os.DirFS(template.dir)))
				makePrivate(t, s.dir)
				s.stdin = caged
				if c.make != nil {
					c.make(s)
				}
				for _, args := range rows[words].lines(c.deep && words == canonical(words) && !testing.Short()) {
					requireSilence(t, s, append(strings.Fields(words), args...))
				}
				if what != "exposed" {
					requireNoLeftover(t, s.dir)
				}
			}
		})
	}
}

// TestCommandsThatPrintSecretsDo shows that the other tests could have found the markers.
func TestCommandsThatPrintSecretsDo(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	cage(s, caged)
	for _, line := range []string{
		"resolve --tenant a", "resolve --tenant a --json", "export -", "export - --drop-unknown",
		"tenant show a --reveal", "tenant show b --reveal --json", "explain --profile a --reveal", "explain --profile a --reveal --json",
		"secrets get api --profile a --reveal", "secrets get sync_token --profile b --reveal --json", "session login --token-only",
	} {
		o := s.must(strings.Fields(line)...)
		require.True(t, tells(strings.Fields(line)), line)
		require.Contains(t, o.stdout, harness.Marker, line)
		require.NotContains(t, o.stderr, harness.Marker, line)
	}
	require.Contains(t, s.read(".systemprompt/sp.db"), harness.Marker)
}

// requireSilence runs a command plainly and with --json; neither may show a marker,
// and nothing that goes wrong here is a bug.
func requireSilence(t *testing.T, s *sandbox, args []string) {
	t.Helper()
	for _, args := range [][]string{args, append([]string{"--json"}, args...)} {
		o := s.run(args...)
		shown := o.stdout + o.stderr
		if tells(args) && o.exit == 0 {
			shown = o.stderr
		}
		if o.exit == 1 || len(harness.MarkersIn(shown)) > 0 {
			t.Errorf("sp %q: exit %d: %s%s", args, o.exit, o.stdout, o.stderr)
		}
	}
}

// requireNoLeftover looks through all files below dir: only the files that are meant
// to hold secrets do, and nobody else can read them.
func requireNoLeftover(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		require.Empty(t, harness.MarkersIn(name), "a name")
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if len(harness.MarkersIn(string(text))) == 0 {
			return nil
		}
		info, err := entry.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s: mode %v", name, info.Mode())
		ofProfile, _ := filepath.Match(".systemprompt/profiles/*/secrets.json", name)
		meant := ofProfile || slices.Contains(mayHoldSecrets, name) || strings.HasPrefix(name, "given/") || strings.HasPrefix(name, ".systemprompt/sp.db.bak-restore-")
		require.True(t, meant, "%s holds a secret", name)
		return nil
	}))
}
