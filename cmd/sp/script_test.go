package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
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
		"crash":     crash,
		"exits":     exitsWith,
		"exported":  sameExport,
		"json":      isDocument,
		"remember":  remember,
		"unchanged": unchanged,
		"hold":      hold,
		"release":   release,
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
