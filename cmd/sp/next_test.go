package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
)

// TestEveryCommandThatAHintNamesIsThere looks up each cli.To in the tree of commands: its words are a
// command's, it gives no more than that takes, and its flags are that command's.
func TestEveryCommandThatAHintNamesIsThere(t *testing.T) {
	t.Parallel()
	tree := program().Tree()
	found := 0
	for _, s := range sources(t) {
		ast.Inspect(s.syntax, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || !isTo(call, s.pkg) {
				return true
			}
			found++
			words, known := text(call.Args[0])
			require.True(t, known, "%s: the words of a command are a constant", s.path)
			command := findCommand(tree, strings.Fields(words)[1:])
			require.NotNil(t, command, "%s: %s is no command", s.path, words)
			for _, arg := range call.Args[1:] {
				switch word, known := text(arg); {
				case !known, !strings.HasPrefix(word, "-"):
				default:
					require.True(t, hasFlag(command, word), "%s: %s has no flag %s", s.path, words, word)
				}
			}
			return true
		})
	}
	require.Positive(t, found)
}

func isTo(call *ast.CallExpr, pkg string) bool {
	if name, ok := call.Fun.(*ast.Ident); ok {
		return pkg == "internal/cli" && name.Name == "To" || pkg == "internal/doctor" && name.Name == "to"
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := selector.X.(*ast.Ident)
	return ok && from.Name == "cli" && selector.Sel.Name == "To"
}

// text is what a constant text says.
func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	word, err := strconv.Unquote(lit.Value)
	return word, err == nil
}

// findCommand returns the command that words name, nil if they name none.
func findCommand(tree []*cli.Command, words []string) (found *cli.Command) {
	for _, word := range words {
		at := slices.IndexFunc(tree, func(c *cli.Command) bool { return c.Name == word })
		if at < 0 {
			return nil
		}
		found, tree = tree[at], tree[at].Commands
	}
	return found
}

func hasFlag(c *cli.Command, word string) bool {
	name := strings.TrimLeft(word, "-")
	flags := append(slices.Clone(c.Flags), program().Flags...)
	return slices.ContainsFunc(flags, func(f cli.Flag) bool { return f.Name == name || f.Short == name })
}
