package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/secret"
)

// TestASecretInTheWrongPlaceIsNeitherToldNorKept gives every argument and flag of every command a token,
// and a way to a database, where a name or an id belongs.
func TestASecretInTheWrongPlaceIsNeitherToldNorKept(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	token, err := secret.NewToken(secret.PersonalToken, s.random)
	require.NoError(t, err)
	s.must("user", "add", "anna")
	s.stdin = "postgres://u:p@127.0.0.1:1/d"
	tried := 0
	for _, wrong := range []string{token.Reveal(), "Bearer " + token.Reveal(), "postgres://u:canary@127.0.0.1:1/d"} {
		part := wrong[max(0, strings.Index(wrong, "canary")):]
		for _, line := range lines(program().Tree(), nil, wrong) {
			tried++
			o := s.run(line...)
			require.NotContains(t, o.stdout+o.stderr, part, line)
			o = s.run(append(line, "--json")...)
			require.NotContains(t, o.stdout+o.stderr, part, line)
		}
		require.NoError(t, filepath.WalkDir(s.dir(), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			require.NotContains(t, string(text), part, path)
			return err
		}))
	}
	require.Greater(t, tried, 60)
}

// lines are command lines of all commands but serve, each with a word at one place that has another meaning.
func lines(commands []*cli.Command, words []string, wrong string) (found [][]string) {
	for _, c := range commands {
		words := append(slices.Clone(words), c.Name)
		if c.IsGroup() {
			found = append(found, append(lines(c.Commands, words, wrong), append(words, wrong))...)
			continue
		}
		if c.Name == "serve" || c.Name == "help" {
			continue
		}
		args := slices.Clone(words)
		for range c.Args {
			args = append(args, "anna")
		}
		for i := range c.Args {
			line := slices.Clone(args)
			line[len(words)+i] = wrong
			found = append(found, line)
		}
		for _, f := range c.Flags {
			if f.Value != "" && f.Name != "dir" { // a directory is named as it was given
				found = append(found, append(slices.Clone(args), "--"+f.Name, wrong))
			}
		}
	}
	return found
}
