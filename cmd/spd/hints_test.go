package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
)

// TestEveryCommandThatAHintNamesIsThere looks up each command line of spd's that is suggested in the tree of
// commands.
func TestEveryCommandThatAHintNamesIsThere(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../internal/cli/control/*.go")
	require.NoError(t, err)
	named := regexp.MustCompile(`\b[tT]o\((?:c, )?"spd ([a-z ]+)"`)
	found := 0
	instead, err := os.ReadFile("../../internal/cli/control/instead.go")
	require.NoError(t, err)
	for _, words := range regexp.MustCompile(`"([a-z]+(?: [a-z]+)?)"[,:]`).FindAllStringSubmatch(string(instead), -1) {
		require.False(t, isCommand(program().Tree(), strings.Fields(words[1])), "%s is a command", words[1])
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, words := range named.FindAllStringSubmatch(string(text), -1) {
			found++
			require.True(t, isCommand(program().Tree(), strings.Fields(words[1])), "%s: %s", path, words[0])
		}
	}
	require.Positive(t, found)
}

func isCommand(tree []*cli.Command, words []string) bool {
	at := slices.IndexFunc(tree, func(c *cli.Command) bool { return c.Name == words[0] })
	return at >= 0 && (len(words) == 1 && !tree[at].IsGroup() || len(words) > 1 && isCommand(tree[at].Commands, words[1:]))
}
