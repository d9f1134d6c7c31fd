package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatDoesNotAddMakesNoControlPlane: a mistyped directory is no empty control plane.
func TestWhatDoesNotAddMakesNoControlPlane(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"user", "list"},
		{"user", "code", "anna"},
		{"user", "edit", "anna", "--role", "reader"},
		{"grant", "anna", "shop"},
		{"region", "list"},
		{"tenant", "list"},
		{"region", "remove", "iad"},
		{"token", "list"},
		{"token", "create", "anna"},
		{"token", "delete", "x"},
		{"audit"},
	} {
		s := newSandbox(t)
		f := s.refuses(6, "store", args...)
		require.Contains(t, f.Message, s.dir()+": it holds no control plane", args)
		require.Contains(t, f.NextSteps, "spd user add NAME", args)
		require.Contains(t, f.NextSteps, "spd --dev", args)
		require.Contains(t, *f.Hint, "--dir")
		require.Contains(t, *f.Hint, "SPD_DIR")
		left, err := os.ReadDir(s.home)
		require.NoError(t, err)
		require.Empty(t, left, args)
	}
}

// TestTheFirstUserMakesTheControlPlane: and whoever adds one reads where it is, once.
func TestTheFirstUserMakesTheControlPlane(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	require.Contains(t, s.must("user", "add", "anna").stderr, "spd: made a control plane in "+s.dir()+"\n")
	require.NotContains(t, s.must("user", "add", "ben").stderr, "made a control plane")
	require.Equal(t, "anna\tmember\tyes\t0\nben\tmember\tyes\t0\n", s.must("user", "list").stdout)
}

// TestHintsKeepTheDirectory: a suggested command is about the control plane that was asked for.
func TestHintsKeepTheDirectory(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	f := s.refuses(6, "store", "--dir", "nowhere", "user", "list")
	require.Contains(t, f.Message, filepath.Join(s.home, "nowhere"))
	require.Contains(t, f.NextSteps, "spd user add NAME --dir nowhere")
}

// TestHalfAControlPlaneIsNamed by every command, and none makes the other half: a backup of which one file was
// put back is no control plane.
func TestHalfAControlPlaneIsNamed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sp.db", "serve.db"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t)
			s.stdin = "postgres://u:p@127.0.0.1:1/d"
			s.must("user", "add", "anna")
			path := filepath.Join(s.dir(), name)
			require.NoError(t, os.Remove(path))
			for _, line := range lines(program().Tree(), nil, "7c8e722d-4321-48af-be5b-c42d2192ea79") {
				o := s.run(append(line, "--json")...)
				if o.exit == 2 || slices.Contains(line, "--server-file") {
					continue // a word that has to be another
				}
				require.Equal(t, 6, o.exit, "%v: %s", line, o.stdout)
				require.Contains(t, o.stdout, path+" is gone", line)
				require.Contains(t, o.stdout, "backup", line)
				require.NoFileExists(t, path)
			}
			require.Equal(t, 6, s.run("--listen", "127.0.0.1:0").exit)
			require.NoFileExists(t, path)
		})
	}
}
