package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/harness"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in testdata/script")

// TestMain makes this binary the commands of the tests: `sp`, `sp-child`, `keygen`, `may-draw` and `pty`, which runs a command on a terminal.
func TestMain(m *testing.M) {
	unix.Umask(0o022) // what most people have; sp has to be stricter by itself
	useMemory()
	testscript.Main(m, map[string]func(){
		"sp":       func() { os.Exit(start()) },
		"pty":      func() { os.Exit(runOnTerminal(os.Args[1:])) },
		"sp-child": func() { os.Exit(runChild()) },
		"keygen":   func() { os.Exit(runKeygen(os.Args[1:])) },
		// may-draw says whether sp would draw a line that nobody asked for on its stderr.
		"may-draw": func() { fmt.Println(cli.MayDraw(os.Stderr)) },
	})
}

// useMemory puts the temporary directories of the tests where syncing costs nothing,
// if there is such a place with room that can hold programs, and nobody chose
// another. It makes the suite three times as fast; power cuts are tested elsewhere.
func useMemory() {
	if place := harness.QuickPlace(1 << 30); place != "" && os.Getenv("TMPDIR") == "" {
		_ = os.Setenv("TMPDIR", place) // it can't fail for these
	}
}

// TestScripts runs the manual: every command and every refusal, from the outside.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               hermetic,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                scriptCommands(),
	})
}

func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	all := harness.ScriptCommands()
	maps.Copy(all, map[string]func(*testscript.TestScript, bool, []string){
		"crash":        crash,
		"exits":        exitsWith,
		"exported":     sameExport,
		"json":         isDocument,
		"serve-tenant": serveTenant,
		"remember":     remember,
		"unchanged":    unchanged,
		"hold":         hold,
		"release":      release,
	})
	return all
}

// hermetic gives a script an environment that owes nothing to the machine's: no
// SP_*, no SYSTEMPROMPT_*, a home of its own, git without anybody's configuration.
func hermetic(env *testscript.Env) error {
	env.Vars = harness.Environment(env.WorkDir+"/home",
		"PATH="+env.Getenv("PATH"),
		"TMPDIR="+env.Getenv("TMPDIR"),
		"WORK="+env.WorkDir,
		"SP_DATA_DIR="+env.WorkDir+"/data",
		"SP_OFFLINE=1", // no server of the machine's is asked for anything
	)
	env.Values[memoryKey{}] = &memory{seen: map[string]string{}}
	return os.MkdirAll(env.WorkDir+"/home", 0o755)
}

// runKeygen makes an identity of age and its recipient: `keygen IDENTITY RECIPIENT`.
func runKeygen(files []string) int {
	identity, err := age.GenerateX25519Identity()
	if err != nil || len(files) != 2 {
		return 1
	}
	err = os.WriteFile(files[0], []byte("# made for a test\n"+identity.String()+"\n"), 0o600)
	if errors.Join(err, os.WriteFile(files[1], []byte(identity.Recipient().String()+"\n"), 0o600)) != nil {
		return 1
	}
	return 0
}

// exitsWith runs `exits N PROGRAM ARGUMENT...`: it must end with that very code. Of sp
// it also asks what holds for every failure: stdout is empty or, with --json, one
// document with an error; stderr speaks as sp.
func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	harness.Exits(ts, neg, args)
	if args[1] != "sp" {
		return
	}
	stdout, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	before := args
	if end := slices.Index(args, "--"); end >= 0 {
		before = args[:end]
	}
	asJSON := slices.Contains(before, "--json") || slices.Contains(before, "--json=true")
	// Their tables are the answer all the same.
	answers := slices.Contains(args, "doctor") || slices.Contains(args, "check") && slices.Contains(args, "--all")
	if asJSON {
		ts.Check(checkDocument(stdout, args[0] != "0" && !answers))
	}
	if !asJSON && args[0] != "0" && args[0] != "8" && stdout != "" && !answers {
		ts.Fatalf("a failure wrote to stdout")
	}
	ts.Check(checkNotes(stderr))
}

// checkDocument tells whether text is exactly one JSON document; that of a failure
// is an error with a code and a message.
func checkDocument(text string, failed bool) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	var document any
	if err := decoder.Decode(&document); err != nil {
		return fmt.Errorf("stdout is not a JSON document: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("stdout holds more than one JSON document")
	}
	if !strings.HasSuffix(text, "\n") {
		return errors.New("stdout does not end with a newline")
	}
	if failed && (harness.Member(document, "error.code") == nil || harness.Member(document, "error.message") == nil) {
		return errors.New("stdout holds no error")
	}
	return nil
}

// questions are those that were asked before in the same line; nothing else begins with a capital,
// or with the flag of a secret.
var questions = regexp.MustCompile(`^(?:(?:[A-Z][^:\n]*|(?:[a-z-]+-)?(?:url|token)|server): )+`)

// checkNotes tells whether every line beside the answer says who speaks, but for questions.
func checkNotes(stderr string) error {
	for line := range strings.Lines(strings.ReplaceAll(stderr, "\n    ", " ")) { // which goes on with the line before
		if _, after, asked := strings.Cut(line, "[y/N] "); asked {
			line = strings.TrimPrefix(after, "\n")
		}
		line = strings.TrimPrefix(questions.ReplaceAllString(line, ""), "\n")
		if line != "" && !strings.HasPrefix(line, "sp: ") {
			return fmt.Errorf("stderr: a line that does not start with sp: %q", line)
		}
	}
	return nil
}

// isDocument checks that a file or stdout is exactly one JSON document and, with
// `json FILE MEMBER VALUE`, that it says so at that dotted path.
func isDocument(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 && len(args) != 3 {
		ts.Fatalf("usage: json file [member value]")
	}
	ts.Check(checkDocument(ts.ReadFile(args[0]), false))
	if len(args) == 3 {
		harness.Document(ts, neg, args)
	}
}

// sameExport is cmp for what sp exports, which ends without the newline that every
// file of a script has: `exported FILE EXPECTED`.
func sameExport(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: exported file expected")
	}
	got, want := ts.ReadFile(args[0]), strings.TrimSuffix(ts.ReadFile(args[1]), "\n")
	if got != want {
		ts.Fatalf("%s is not what is expected but\n%s", args[0], got)
	}
}

// memory is what a script keeps between two of its lines.
type memory struct {
	seen map[string]string // what remember saw, by directory
	lock *os.File          // what hold holds
}

// memoryKey is where a script's values hold its memory.
type memoryKey struct{}

func memoryOf(ts *testscript.TestScript) *memory { return ts.Value(memoryKey{}).(*memory) }

// remember notes the names, modes and contents below a directory, or that there is
// none; unchanged checks that they are the same still.
func remember(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: remember directory")
	}
	memoryOf(ts).seen[args[0]] = harness.Snapshot(ts.MkAbs(args[0]), nil)
}

func unchanged(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] unchanged directory")
	}
	before, ok := memoryOf(ts).seen[args[0]]
	if !ok {
		ts.Fatalf("%s was not remembered", args[0])
	}
	if now := harness.Snapshot(ts.MkAbs(args[0]), nil); (now == before) == neg {
		ts.Fatalf("--- %s before\n%s--- now\n%s", args[0], before, now)
	}
}

// hold takes the lock of a registry's directory, or of a file, as another process
// would, and signs it: `hold DIR WHO`. release gives it back.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hold directory who")
	}
	path := ts.MkAbs(args[0])
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, ".lock")
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	ts.Check(err)
	ts.Defer(func() { _ = file.Close() })
	ts.Check(unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB))
	ts.Check(file.Truncate(0))
	_, err = file.WriteString(args[1] + "\n")
	ts.Check(err)
	memoryOf(ts).lock = file
}

func release(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 || memoryOf(ts).lock == nil {
		ts.Fatalf("usage: release, after hold")
	}
	file := memoryOf(ts).lock
	// By hand: a child that another script is starting has the file open, too.
	ts.Check(unix.Flock(int(file.Fd()), unix.LOCK_UN))
	ts.Check(file.Close())
}

// crash leaves a registry as a change leaves it that was killed before it committed: `crash FILE`.
func crash(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: crash file")
	}
	ts.Check(harness.Interrupt(ts.MkAbs(args[0]), "UPDATE tenants SET name = 'half done ' || id, region = hex(randomblob(1000))"))
}
