package registry

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// slow are the plans that are meant to look at every row.
var slow = map[string]string{
	"CountTenants":    "SCAN tenants",
	"CountAllEntries": "SCAN entries",
	"HasTenantOfType": "SCAN ",
	"Files":           "SCAN files",
	"FollowingFiles":  "SCAN files",
	"Servers":         "SCAN servers",
	"ChooseNoServer":  "SCAN servers",
	"Databases":       "SCAN databases",
	"DueDatabases":    "SCAN databases USING INDEX databases_due", // which holds no others
	// The rows of the subquery, one batch, which that finds by the position.
	"SizeOfTenantsAfter": "SCAN (subquery-1)",
	// A trusted registry's servers and databases are looked at anew, all of them.
	"WithholdServers": "SCAN servers",
	"DisownServers":   "SCAN servers",
	"ReleaseServers":  "SCAN servers",
	"DeleteDatabases": "SCAN databases",
	"DeleteServer":    "SCAN databases",
	"Rotations":       "SCAN rotations",
	// A sync reads what is known of every cloud tenant; calls are under way for minutes.
	"CloudTenants":       "SCAN cloud_tenants",
	"CloudCalls":         "SCAN cloud_calls",
	"DeleteCloudCallsOf": "SCAN cloud_calls",
	// What is rendered of every tenant reads them all.
	"everyTenant": "SCAN tenants",
	// There are a handful of servers, and databases go one at a time.
	"DeleteUnusedServers": "SCAN ",
	"CountKeptSecrets":    "SCAN kept_secrets",
	// Where a file brought tenants, and for doctor, ids are merged with names, in order of both indexes.
	"WordsOfTwo": "SCAN ",
	// A deleted tenant or profile is looked for in the one row of selection.
	"DeleteTenant":  "SCAN selection",
	"DeleteProfile": "SCAN selection",
	"UpdateProfile": "SCAN selection",
}

// generatedQueries returns what sqlc made, by the name of the query.
func generatedQueries(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../db/queries/*.sql.go")
	require.NoError(t, err)
	texts := map[string]string{}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(tree, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && strings.HasPrefix(literal.Value, "`-- name: ") {
				text := strings.Trim(literal.Value, "`")
				texts[strings.Fields(text)[2]] = text
			}
			return true
		})
	}
	return texts
}

// writtenQueries returns the names of the queries that we wrote.
func writtenQueries(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../../db/queries/*.sql")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(`(?m)^-- name: (\w+)`).FindAllSubmatch(text, -1) {
			names = append(names, string(found[1]))
		}
	}
	slices.Sort(names)
	return names
}

func TestEveryQueryFindsItsRowsByAnIndex(t *testing.T) {
	t.Parallel()
	conn := mustWhole(t)
	queries := generatedQueries(t)
	require.Equal(t, writtenQueries(t), slices.Sorted(maps.Keys(queries)))
	require.NotEmpty(t, queries)
	queries["everyTenant"] = everyTenant // which is written in following.go
	meant := map[string]bool{}
	for name, text := range queries {
		arguments := 0
		for _, number := range regexp.MustCompile(`\?(\d+)`).FindAllStringSubmatch(text, -1) {
			n, err := strconv.Atoi(number[1])
			require.NoError(t, err)
			arguments = max(arguments, n)
		}
		rows, err := conn.Query("EXPLAIN QUERY PLAN "+text, make([]any, arguments)...)
		require.NoError(t, err, name)
		for rows.Next() {
			var id, parent, unused int
			var detail string
			require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
			if expected, ok := slow[name]; ok && strings.HasPrefix(detail, expected) {
				meant[name] = true
				continue
			}
			require.NotContains(t, detail, "SCAN", name)
			require.NotContains(t, detail, "TEMP B-TREE", name)
			require.NotContains(t, detail, "AUTOMATIC", name)
		}
		require.NoError(t, rows.Close())
	}
	for name := range slow {
		require.True(t, meant[name], "%s is not slow any more", name)
	}
}

func TestQueriesHoldNoClockAndNoChance(t *testing.T) {
	t.Parallel()
	queries := generatedQueries(t)
	require.NotEmpty(t, queries)
	for name, text := range queries {
		require.NotRegexp(t, `(?i)\b(now|random|current_timestamp|current_date|strftime|datetime|julianday|unixepoch)\b`, text, name)
	}
}

// TestTheRegistryShowsFewNames bounds what a reader of this room has to know: its types,
// functions, constants and variables, and these with the methods, but for those of fmt and
// errors. Lower the second bound when it falls.
func TestTheRegistryShowsFewNames(t *testing.T) {
	t.Parallel()
	names, methods := shownNames(t)
	require.LessOrEqual(t, len(names), 142, "%v", names)
	require.LessOrEqual(t, len(names)+len(methods), 268, "%v", methods)
	require.Greater(t, len(names), 50, "are these all?")
}

func shownNames(t *testing.T) (names, methods []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range tree.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv == nil {
					names = append(names, decl.Name.Name)
				} else if of := strings.TrimPrefix(types.ExprString(decl.Recv.List[0].Type), "*"); ast.IsExported(of) {
					methods = append(methods, decl.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						names = append(names, spec.Name.Name)
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							names = append(names, name.Name)
						}
					}
				}
			}
		}
	}
	hidden := func(name string) bool { return !ast.IsExported(name) }
	usual := func(name string) bool {
		return hidden(name) || slices.Contains([]string{"Error", "Unwrap", "String", "Format"}, name)
	}
	return slices.DeleteFunc(names, hidden), slices.DeleteFunc(methods, usual)
}
