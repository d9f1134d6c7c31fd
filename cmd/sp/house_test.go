package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
)

const module = "github.com/sp-registry/sp/"

// below are the rooms that commands are made of.
var below = []string{
	"internal/archive", "internal/configuration",
	"internal/cli", "db", "internal/registry", "internal/resolver", "internal/exporter", "internal/follow", "internal/workspace",
	"internal/hosting", "internal/place", "internal/project", "internal/postgres", "internal/provision", "internal/cloud",
}

// house says, for each package, which others of this module it may import: the
// drawing of section 1 of the design. A package that is not here has no place yet.
var house = map[string][]string{
	"cmd/sp":                {"internal/doctor", "internal/cli/work", "internal/cli/session", "internal/cli/profile", "internal/cli/database", "internal/cli/history", "internal/cli", "internal/cli/task", "internal/cli/tenant", "internal/cli/cloud", "internal/cli/files", "db", "internal/registry", "internal/resolver", "internal/exporter", "internal/follow", "internal/workspace", "internal/hosting", "internal/place", "internal/project", "internal/postgres", "internal/provision", "internal/cloud", "internal/server"},
	"cmd/spd":               {"internal/cli", "internal/cli/control", "internal/cli/work", "db"},
	"internal/cli":          {},
	"internal/cli/control":  {"internal/cli", "internal/server", "internal/hosting", "internal/postgres", "internal/provision", "internal/registry", "db", "db/server"},
	"internal/cli/task":     below,
	"internal/cli/cloud":    append([]string{"internal/cli/task"}, below...),
	"internal/cli/tenant":   append([]string{"internal/cli/task"}, below...),
	"internal/cli/files":    append([]string{"internal/cli/task"}, below...),
	"internal/cli/history":  append([]string{"internal/cli/task"}, below...),
	"internal/cli/database": append([]string{"internal/cli/task"}, below...),
	"internal/cli/profile":  append([]string{"internal/cli/task"}, below...),
	"internal/cli/session":  append([]string{"internal/cli/task"}, below...),
	"internal/cli/work":     append([]string{"internal/cli/task", "internal/doctor"}, below...),
	"internal/doctor": {
		"db", "internal/registry", "internal/resolver", "internal/follow", "internal/workspace", "internal/hosting", "internal/project",
	},

	"db/queries":            {},
	"db/scan":               {},
	"db":                    {"db/migrations", "internal/place"},
	"db/server":             {},
	"internal/pgurl":        {},
	"internal/secret":       {},
	"internal/jsontext":     {},
	"internal/registry":     {"db", "db/queries", "db/scan", "internal/pgurl"},
	"internal/resolver":     {"internal/registry"},
	"internal/exporter":     {"internal/registry"},
	"internal/follow":       {"internal/registry"},
	"internal/workspace":    {"internal/registry", "internal/exporter", "internal/follow", "internal/place", "internal/project"},
	"internal/place":        {},
	"internal/project":      {"internal/place"},
	"internal/postgres":     {"internal/place"},
	"internal/provision":    {},
	"internal/hosting":      {"internal/registry", "internal/provision", "internal/postgres"},
	"internal/cloud":        {"internal/registry", "internal/place"},
	"internal/server":       {"internal/registry", "internal/hosting", "internal/provision", "internal/place", "db", "db/server", "internal/server/login", "internal/server/files", "internal/archive"},
	"internal/server/login": {"db/server"},
	"internal/server/files": {"db/server", "internal/archive"},

	// The configuration of a tenant, as it travels and as a project holds it.
	"internal/archive":       {},
	"internal/configuration": {"internal/archive", "internal/follow", "internal/place", "internal/project", "internal/registry"},

	// A server for tests; nothing but tests imports it.
	pgtest: {},

	// What tests share that run sp as a process; nor does anything but tests import this.
	forTests:  {},
	forPlanes: {},

	// What measures sp, from outside, as processes; nothing of sp imports it. The writer
	// alone is made of sp's own parts.
	"bench":              {"bench/pair", "bench/peers", "bench/scenarios"},
	"bench/gauge":        {},
	"bench/gen":          {},
	"bench/pair":         {},
	"bench/peers":        {},
	"bench/peers/empty":  {},
	"bench/peers/writer": {"db", "internal/registry"},
	"bench/scenarios":    {"bench/gen", "bench/pair", "bench/peers"},
}

// ground are the rooms that every other may import.
var ground = []string{"internal/secret", "internal/pgurl", "internal/jsontext"}

// programs are the packages that are started, and that alone know the outside.
var programs = []string{"cmd/sp", "cmd/spd", "bench", "bench/gauge", "bench/peers/empty", "bench/peers/writer"}

// forTests, forPlanes and pgtest are parts of tests, which are told by the environment what they are to use.
const forTests, forPlanes, pgtest = "internal/harness", "internal/harness/openapi", "internal/pgtest"

// ofTests tells a file that is a part of tests.
func (s goFile) ofTests() bool { return s.pkg == forTests || s.pkg == forPlanes || s.pkg == pgtest }

// measures tells a file of what measures sp from one of sp.
func (s goFile) measures() bool { return s.pkg == "bench" || strings.HasPrefix(s.pkg, "bench/") }

// goFile is one file of Go that is not a test.
type goFile struct {
	pkg, path string
	syntax    *ast.File
}

// sources parses all that the module is built from.
func sources(t *testing.T) []goFile {
	t.Helper()
	var found []goFile
	root := "../.."
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != root && (name == "testdata" || name == "tools" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg, err := filepath.Rel(root, filepath.Dir(path))
		found = append(found, goFile{pkg: filepath.ToSlash(pkg), path: path, syntax: syntax})
		return err
	})
	require.NoError(t, err)
	require.Greater(t, len(found), 50, "are these all?")
	return found
}

func imports(s goFile) []string {
	var paths []string
	for _, spec := range s.syntax.Imports {
		path, _ := strconv.Unquote(spec.Path.Value) // the parser made sure
		paths = append(paths, path)
	}
	return paths
}

func TestHousePackagesImportOnlyWhatTheHouseAllows(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		allowed, known := house[s.pkg]
		require.True(t, known, "package %s has no place in the house", s.pkg)
		for _, path := range imports(s) {
			require.NotEqual(t, "C", path, "%s uses cgo", s.path)
			if inside, ok := strings.CutPrefix(path, module); ok {
				require.Contains(t, slices.Concat(allowed, ground), inside, "%s imports %s", s.path, inside)
			}
		}
	}
}

// TestHouseOnlyTestsImportTestHelpers: sources has no test in it.
func TestHouseOnlyTestsImportTestHelpers(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, s := range sources(t) {
		there[s.pkg] = true
		if !s.ofTests() {
			require.NotContains(t, imports(s), module+forTests, s.path)
			require.NotContains(t, imports(s), module+pgtest, s.path)
		}
	}
	require.True(t, there[forTests] && there[forPlanes] && there[pgtest], "are these all?")
}

// TestHouseThirdPartyStaysWhereItBelongs holds who may import what is not ours.
func TestHouseThirdPartyStaysWhereItBelongs(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{
		"database/sql":                                     {"db", "db/queries", "db/server", "internal/registry"},
		"modernc.org/sqlite":                               {"db", "db/server"},
		"modernc.org/sqlite/lib":                           {"db/scan", "db"}, // which takes the names of SQLite's codes from it
		"modernc.org/libc":                                 {"db/scan"},
		"github.com/pressly/goose/v3":                      {"db", "db/server"},
		"github.com/pressly/goose/v3/database":             {"db"},
		"filippo.io/age":                                   {"internal/cli/history"},
		"filippo.io/age/armor":                             {"internal/cli/history"},
		"github.com/urfave/cli/v3":                         {"cmd/sp", "internal/cli"},
		"golang.org/x/term":                                {"cmd/sp", "cmd/spd", "internal/cli"},
		"golang.org/x/text/width":                          {"internal/cli"},
		"golang.org/x/text/cases":                          {"internal/archive"}, // pgx links it and the next, too
		"golang.org/x/text/unicode/norm":                   {"internal/archive"},
		"golang.org/x/oauth2":                              {"internal/cloud"},
		"golang.org/x/sys/unix":                            {"bench/peers", "cmd/sp", "internal/cloud", "db/server", "internal/server", "internal/cli", "internal/cli/files", "internal/cli/history", "internal/cli/task", "internal/cli/work", "internal/doctor", "db", "internal/place", "internal/project", "internal/workspace"},
		"github.com/danielgtaylor/huma/v2":                 {"internal/server"},
		"github.com/danielgtaylor/huma/v2/adapters/humago": {"internal/server"},
		"github.com/danielgtaylor/huma/v2/sse":             {"internal/server"},
		"go.yaml.in/yaml/v3":                               {"internal/follow"},
		"github.com/go-jose/go-jose/v4":                    {"internal/server/login"},
		"github.com/zitadel/oidc/v3/pkg/crypto":            {"internal/server/login"},
		"github.com/zitadel/oidc/v3/pkg/oidc":              {"internal/server/login"},
		"github.com/zitadel/oidc/v3/pkg/op":                {"internal/server/login"},
		"github.com/jackc/pgx/v5/pgconn":                   {"internal/provision", pgtest},
		"github.com/jackc/pgx/v5/pgproto3":                 {"internal/provision"},
		"golang.org/x/net/http/httpproxy":                  {"internal/cli"},
	}
	ofTests := []string{"database/sql", "modernc.org/sqlite", "golang.org/x/sys/unix", "github.com/rogpeppe/go-internal/testscript", "github.com/stretchr/testify/require"}
	ofTests = append(ofTests, "github.com/getkin/kin-openapi/openapi3", "github.com/getkin/kin-openapi/openapi3filter", "github.com/getkin/kin-openapi/routers", "github.com/getkin/kin-openapi/routers/gorillamux")
	for _, s := range sources(t) {
		for _, path := range imports(s) {
			ours := strings.HasPrefix(path, module) || (s.pkg == forTests || s.pkg == forPlanes) && slices.Contains(ofTests, path)
			standard := !strings.Contains(strings.Split(path, "/")[0], ".")
			if _, listed := allowed[path]; !ours && (listed || !standard) {
				require.Contains(t, allowed[path], s.pkg, "%s imports %s", s.path, path)
			}
		}
	}
}

// outside is what only cmd/sp may use of the standard library: the environment, the
// streams, the clock and the end of the process.
var outside = map[string][]string{
	"os":   {"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Exit", "Stdin", "Stdout", "Stderr", "Args", "Getwd", "UserHomeDir"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanln", "Scanf"},
	"log":  nil, // nothing of it
	"time": {"Now", "Since", "Until"},
}

// waits are the files of db that measure how long they wait for other processes, on
// the monotonic clock; nothing that is kept is dated by it. Those of bench measure what
// goes on in several processes at once.
var waits = []string{"../../bench/scenarios/scenarios.go", "../../bench/scenarios/writers.go", "../../db/read.go", "../../db/examine.go", "../../db/lock.go", "../../db/write.go", "../../db/create.go", "../../db/migrate.go", "../../db/backup.go", "../../db/replace.go", "../../db/restore.go"}

func TestHouseOnlyTheCommandLineKnowsTheOutside(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if slices.Contains(programs, s.pkg) || s.ofTests() || s.path == "../../internal/cli/process.go" {
			continue
		}
		ast.Inspect(s.syntax, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := selector.X.(*ast.Ident)
			if !ok {
				return true
			}
			names, listed := outside[pkg.Name]
			switch {
			case pkg.Name == "time" && slices.Contains(waits, s.path):
			case listed && (names == nil || slices.Contains(names, selector.Sel.Name)):
				t.Errorf("%s uses %s.%s", s.path, pkg.Name, selector.Sel.Name)
			}
			return true
		})
	}
}

// TestHouseTheProcessEndsInOnePlace also for cmd/sp: one os.Exit, and the world's parts
// are taken only where it is made.
func TestHouseTheProcessEndsInOnePlace(t *testing.T) {
	t.Parallel()
	uses := map[string][]string{}
	for _, s := range sources(t) {
		if s.measures() || s.ofTests() {
			continue
		}
		ast.Inspect(s.syntax, func(node ast.Node) bool {
			if selector, ok := node.(*ast.SelectorExpr); ok {
				if pkg, ok := selector.X.(*ast.Ident); ok {
					name := pkg.Name + "." + selector.Sel.Name
					uses[name] = append(uses[name], filepath.Base(s.path))
				}
			}
			return true
		})
	}
	for _, name := range []string{"os.Exit", "os.LookupEnv", "os.Getwd", "os.Stdin", "os.Stdout", "term.IsTerminal"} {
		require.Equal(t, []string{"main.go", "main.go"}, uses[name], name) // of sp and of spd
	}
	require.Empty(t, uses["os.Getenv"])
	require.Equal(t, []string{"main.go", "main.go", "process.go"}, uses["os.Environ"], "children need their own part of it; the secrets are taken out of it")
}

// TestHouseTheBenchExitsInItsMain, because deferred functions clean up after a run.
func TestHouseTheBenchExitsInItsMain(t *testing.T) {
	t.Parallel()
	found := 0
	for _, s := range sources(t) {
		if !s.measures() {
			continue
		}
		found++
		ast.Inspect(s.syntax, func(node ast.Node) bool {
			if selector, ok := node.(*ast.SelectorExpr); ok && selector.Sel.Name == "Exit" {
				if pkg, ok := selector.X.(*ast.Ident); ok && (pkg.Name == "os" || pkg.Name == "syscall") {
					require.Equal(t, "main.go", filepath.Base(s.path), s.path)
				}
			}
			return true
		})
	}
	require.Greater(t, found, 10, "are these all?")
}

func TestHousePackagesAreNouns(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		require.NotContains(t, []string{"model", "models", "store", "service", "util", "utils", "errors", "config", "common", "helper", "types"},
			filepath.Base(s.pkg), "package %s", s.pkg)
		require.NotContains(t, []string{"model", "store", "service", "util", "errors", "config"}, s.syntax.Name.Name, s.path)
	}
}

// notLinked are what a start of sp would pay for, used or not: what serves a control plane, templates
// of pages, the C library, and what makes tables for longer than a whole command takes.
var notLinked = []string{
	"github.com/danielgtaylor/", "github.com/zitadel/", "github.com/getkin/", "github.com/bytedance/", "github.com/go-jose/", "html/template",
	"log/syslog", "runtime/cgo", "net/http/pprof", "expvar",
}

// TestHouseOnlyAClientIsLinked keeps the start small: of what the control plane needs, sp has the client.
func TestHouseOnlyAClientIsLinked(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", ".")
	list.Env = append(list.Environ(), "CGO_ENABLED=0", "GOPROXY=off")
	out, err := list.Output()
	require.NoError(t, err)
	deps := strings.Fields(string(out))
	require.True(t, slices.Contains(deps, module+"db"))
	require.True(t, slices.Contains(deps, "net/http"))
	for _, dep := range deps {
		require.False(t, slices.ContainsFunc(notLinked, func(not string) bool { return strings.HasPrefix(dep, not) }), dep)
	}
}

// TestHouseNothingIsCompiledAtStart: every command would wait for a pattern that one of them
// needs; three of them took a sixth of a millisecond.
func TestHouseNothingIsCompiledAtStart(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.ofTests() {
			continue
		}
		for _, declared := range s.syntax.Decls {
			if general, ok := declared.(*ast.GenDecl); ok {
				ast.Inspect(general, func(node ast.Node) bool {
					call, ok := node.(*ast.CallExpr)
					if ok && strings.HasPrefix(called(call), "regexp.") {
						t.Errorf("%s compiles a pattern at start: sync.OnceValue does it when it is needed", s.path)
					}
					_, later := node.(*ast.FuncLit)
					return !later
				})
			}
		}
	}
}

// called is the function of a package that a call calls, "" for any other call.
func called(call *ast.CallExpr) string {
	if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
		if pkg, ok := selector.X.(*ast.Ident); ok {
			return pkg.Name + "." + selector.Sel.Name
		}
	}
	return ""
}

// writers are the files that begin a transaction that may write, and what they open: writeDSN,
// stagedDSN and bulkDSN make every transaction of their connections an immediate one, unless it is
// begun by hand, recheckDSN lets none write; what newDSN opens nobody else knows yet, and
// nobody else has a database in memory.
var writers = map[string][]string{
	"../../db/server/server.go": {}, // dsn has each transaction of the writer an immediate one
	"../../db/write.go":         {"bornDSN", "bulkDSN", "recheckDSN", "writeDSN"},
	"../../db/replace.go":       {"stagedDSN", "writeDSN"},
	"../../db/restore.go":       {"stagedDSN"},
	"../../db/create.go":        {"newDSN"},
	"../../db/schema.go":        {":memory:"},
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

// TestEveryCommandThatAHintNamesIsThere looks up each cli.To in the tree of commands: its words are a
// command's, it gives no more than that takes, and its flags are that command's.
func TestEveryCommandThatAHintNamesIsThere(t *testing.T) {
	t.Parallel()
	tree := program().Tree()
	found := 0
	for _, s := range sources(t) {
		ast.Inspect(s.syntax, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if ok && slices.Contains([]string{"Hint", "Advise", "remedy"}, nameOf(call)) {
				requireNoCommand(t, tree, s, call)
			}
			if !ok || !isTo(call, s.pkg) {
				return true
			}
			found++
			words, known := text(call.Args[0])
			if s.pkg == "internal/cli/control" && !strings.HasPrefix(words, "sp ") { // a test of cmd/spd looks that up
				return true
			}
			require.True(t, known, "%s: the words of a command are a constant", s.path)
			command := findCommand(tree, strings.Fields(words)[1:])
			require.NotNil(t, command, "%s: %s is no command", s.path, words)
			for _, arg := range call.Args[1:] {
				word, _ := text(arg)
				if word == "--" && command.Rest != "" {
					break // what follows is another program's
				}
				require.True(t, !strings.HasPrefix(word, "-") || hasFlag(command, word), "%s: %s has no flag %s", s.path, words, word)
			}
			return true
		})
	}
	require.Positive(t, found)
}

// nameOf is what a call calls, without its package or receiver.
func nameOf(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		return fun.Sel.Name
	}
	return ""
}

var writtenCommand = regexp.MustCompile(`\bsp ([a-z]+)`)

// requireNoCommand refuses a hint that writes a command out, so that no program is told of it.
func requireNoCommand(t *testing.T, tree []*cli.Command, s goFile, call *ast.CallExpr) {
	t.Helper()
	for _, arg := range call.Args {
		written, _ := text(arg)
		for _, words := range writtenCommand.FindAllStringSubmatch(written, -1) {
			require.True(t, findCommand(tree, words[1:]) == nil, "%s: %q names a command that is no cli.To", s.path, written)
		}
	}
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
	return name == "help" || slices.ContainsFunc(flags, func(f cli.Flag) bool { return f.Name == name || f.Short == name })
}
