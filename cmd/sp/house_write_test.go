package main

import (
	"go/ast"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// writers are the files that begin a transaction that may write, and what they open: writeDSN,
// stagedDSN and bulkDSN make every transaction of their connections an immediate one, unless it is
// begun by hand, recheckDSN lets none write; what newDSN opens nobody else knows yet, and
// nobody else has a database in memory.
var writers = map[string][]string{
	"../../db/write.go":   {"bornDSN", "bulkDSN", "recheckDSN", "writeDSN"},
	"../../db/replace.go": {"stagedDSN", "writeDSN"},
	"../../db/restore.go": {"stagedDSN"},
	"../../db/create.go":  {"newDSN"},
	"../../db/schema.go":  {":memory:"},
}

// reader begins by hand what readDSN, which db.go opens for it, lets write nothing.
const reader = "../../db/read.go"

// TestHouseNoWriteIsDeferred: a transaction that looks first and begins to write later fails
// where another one wrote meanwhile, and no waiting helps it. Those that write begin in
// the files above, on connections that are opened there for it; all others say that
// they only read.
func TestHouseNoWriteIsDeferred(t *testing.T) {
	t.Parallel()
	met := 0
	for _, s := range sources(t) {
		opens, begins := transactionsIn(t, s)
		what, mayWrite := writers[s.path]
		if !mayWrite {
			require.False(t, begins && !s.ofTests(), "%s begins a transaction that may write", s.path)
			continue
		}
		met++
		require.True(t, begins, "%s begins none any more", s.path)
		require.ElementsMatch(t, what, opens, s.path)
	}
	require.Equal(t, len(writers), met)
}

// transactionsIn tells what a file opens, each once, and whether it begins a transaction that
// may write.
func transactionsIn(t *testing.T, s goFile) (opens []string, begins bool) {
	ast.Inspect(s.syntax, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.BasicLit:
			text := strings.ToLower(strings.Trim(n.Value, "\"` \n\t"))
			switch {
			case text == "begin immediate":
				begins = true
			case text == "begin":
				require.Equal(t, reader, s.path, "it begins a transaction that may write")
			case strings.HasPrefix(text, "begin "), strings.HasPrefix(text, "savepoint "):
				require.Fail(t, "a transaction of another kind", s.path)
			case text == ":memory:":
				opens = append(opens, text)
			}
		case *ast.CallExpr:
			if function, ok := n.Fun.(*ast.Ident); ok && strings.HasSuffix(function.Name, "DSN") {
				opens = append(opens, function.Name)
			}
			if method, ok := n.Fun.(*ast.SelectorExpr); ok && (method.Sel.Name == "Begin" || method.Sel.Name == "BeginTx") && slices.Contains(imports(s), "database/sql") {
				begins = begins || !onlyReads(n)
			}
		}
		return true
	})
	slices.Sort(opens)
	return slices.Compact(opens), begins
}

// onlyReads tells whether a transaction begins with &sql.TxOptions{ReadOnly: true}.
func onlyReads(call *ast.CallExpr) bool {
	reads := false
	for _, arg := range call.Args {
		ast.Inspect(arg, func(node ast.Node) bool {
			if pair, ok := node.(*ast.KeyValueExpr); ok {
				key, _ := pair.Key.(*ast.Ident)
				value, _ := pair.Value.(*ast.Ident)
				reads = reads || key != nil && value != nil && key.Name == "ReadOnly" && value.Name == "true"
			}
			return true
		})
	}
	return reads
}
