package torture

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// variant is a program that breaks a promise, made from the present source by a small
// replacement, so that it stays this program but for the one thing. A copy of a whole
// file under testdata would grow old, and break promises nobody means to test.
type variant struct {
	name    string
	changes []change
}

// change replaces a text that stands once in a file of the module.
type change struct{ file, old, new string }

// overlay writes the replaced files and returns the path of what go build -overlay takes.
func (v variant) overlay(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	texts := map[string]string{}
	for _, c := range v.changes {
		text, begun := texts[c.file]
		if !begun {
			read, err := os.ReadFile(filepath.Join(root, c.file))
			require.NoError(t, err)
			text = string(read)
		}
		require.Equal(t, 1, strings.Count(text, c.old), "%s has changed: %q no longer stands there once", c.file, c.old)
		texts[c.file] = strings.Replace(text, c.old, c.new, 1)
	}
	replaced := map[string]string{}
	for file, text := range texts {
		path := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		replaced[filepath.Join(root, file)] = path
	}
	list, err := json.Marshal(map[string]any{"Replace": replaced})
	require.NoError(t, err)
	path := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(path, list, 0o600))
	return path
}

// build returns the path of the program.
func (v variant) build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sp")
	require.NoError(t, harness.Build(path, "-overlay", v.overlay(t)))
	return path
}
