package main

import (
	"go/ast"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// begins are the files that begin a transaction that may write, and on what: writeDSN makes
// every transaction of its connections an immediate one; what newDSN opens nobody else
// knows yet, and nobody else has a database in memory.
var begins = map[string]string{
	"../../db/write.go":   "writeDSN",
	"../../db/replace.go": "writeDSN",
	"../../db/restore.go": "writeDSN",
	"../../db/create.go":  "newDSN",
	"../../db/schema.go":  ":memory:",
}

// TestHouseNoWriteIsDeferred: a transaction that looks first and begins to write later fails
// where another one wrote meanwhile, and no waiting helps it. Those that write begin in
// the files above, on connections that are opened there for it; all others say that
// they only read.
func TestHouseNoWriteIsDeferred(t *testing.T) {
	t.Parallel()
	opened, begun := map[string][]string{}, map[string]int{}
	for _, s := range sources(t) {
		ast.Inspect(s.syntax, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.BasicLit:
				text := strings.ToUpper(strings.TrimSpace(strings.Trim(n.Value, "\"`")))
				require.False(t, strings.HasPrefix(text, "BEGIN ") || text == "BEGIN" || strings.HasPrefix(text, "SAVEPOINT "),
					"%s begins a transaction by hand", s.path)
			case *ast.CallExpr:
				name, dsn := calledMethod(n), ""
				if name == "Open" && len(n.Args) == 2 {
					dsn = argumentName(n.Args[1])
				}
				switch {
				case dsn != "" && argumentName(n.Args[0]) == "sqlite":
					opened[s.path] = append(opened[s.path], dsn)
				case (name == "Begin" || name == "BeginTx") && !onlyReads(n):
					begun[s.path]++
				}
			}
			return true
		})
	}
	for path := range begun {
		require.Contains(t, begins, path, "%s begins a transaction that may write", path)
	}
	for path, dsn := range begins {
		require.Positive(t, begun[path], "%s begins none any more", path)
		require.Contains(t, opened[path], dsn, path)
		for _, other := range opened[path] {
			require.Contains(t, []string{dsn, "recheckDSN"}, other, path) // that one is query_only
		}
	}
}

func calledMethod(call *ast.CallExpr) string {
	if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
		return selector.Sel.Name
	}
	return ""
}

// argumentName is a string as it stands there, or the function that makes it.
func argumentName(arg ast.Expr) string {
	switch a := arg.(type) {
	case *ast.BasicLit:
		return strings.Trim(a.Value, `"`)
	case *ast.CallExpr:
		if function, ok := a.Fun.(*ast.Ident); ok {
			return function.Name
		}
	}
	return "?"
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
