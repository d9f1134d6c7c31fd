package main

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in testdata/script")

// TestMain makes this binary the commands of the scripts: `sp`, and `pty`, which
// runs a command on a terminal.
func TestMain(m *testing.M) {
	unix.Umask(0o022) // what most people have; sp has to be stricter by itself
	testscript.Main(m, map[string]func(){
		"sp":  func() { os.Exit(start()) },
		"pty": func() { os.Exit(runOnTerminal(os.Args[1:])) },
	})
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exitsWith,
			"exported":  sameExport,
			"json":      isDocument,
			"mode":      hasMode,
			"remember":  remember,
			"unchanged": unchanged,
			"hold":      hold,
			"release":   release,
			"sql":       runSQL,
		},
	})
}

// hermetic gives a script an environment that owes nothing to the machine's: no
// SP_*, no SYSTEMPROMPT_*, a home of its own, git without anybody's configuration.
func hermetic(env *testscript.Env) error {
	path, tmp := env.Getenv("PATH"), env.Getenv("TMPDIR")
	env.Vars = []string{
		"PATH=" + path,
		"TMPDIR=" + tmp,
		"WORK=" + env.WorkDir,
		"HOME=" + env.WorkDir + "/home",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_CONFIG_NOSYSTEM=1",
		"LC_ALL=C",
		"TZ=UTC",
	}
	env.Values[memoryKey{}] = &memory{seen: map[string]string{}}
	return os.MkdirAll(env.WorkDir+"/home", 0o755)
}
