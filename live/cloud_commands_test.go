package live

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sp-registry/sp/internal/harness"
)

// typed runs a program at a terminal, answers with a line, or with several between which is \n, and wants
// its exit code: `typed N LINE PROGRAM [ARGUMENT...]`. What the screen shows is the answer.
func typed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: typed N line program [argument...]")
	}
	shows(ts, args[0], <-atTerminal(ts, strings.ReplaceAll(args[1], `\n`, "\n")+"\n\x04", args[2:]))
}

// signIn runs a login at a terminal, and does in the browser that it opens what a person does: `sign-in
// JOIN-CODE PROGRAM [ARGUMENT...]`.
func signIn(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sign-in join-code program [argument...]")
	}
	opened := filepath.Join(ts.Getenv("WORK"), "opened")
	ended := atTerminal(ts, "", args[1:],
		"BROWSER="+filepath.Join(os.Getenv(homeVariable), "testdata", "opener"), "OPENED="+opened, "SP_CLOUD_URL="+ts.Getenv("SP_CLOUD_URL"))
	for {
		select {
		case o := <-ended:
			ts.Fatalf("it ended before a browser opened: %s", o.screen)
		case <-time.After(10 * time.Millisecond):
		}
		to, err := os.ReadFile(opened)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		ts.Check(errors.Join(err, os.Remove(opened)))
		b := newBrowser(scripted{ts})
		done := b.press(b.open(strings.TrimSpace(string(to))), "action", "sign-in", "code", args[0])
		if !strings.Contains(done.text, "Go back to the terminal") {
			ts.Fatalf("the browser shows %s: %s", done.url, done.text)
		}
		shows(ts, "0", <-ended)
		return
	}
}

// scripted lets a script fail where a test would.
type scripted struct{ *testscript.TestScript }

func (s scripted) Errorf(format string, args ...any) { s.Fatalf(format, args...) }
func (s scripted) FailNow()                          { s.Fatalf("stopped") }

// seen is what a program showed at a terminal.
type seen struct {
	screen string
	exit   int
	err    error
}

// atTerminal runs a program of the tests at a terminal at which something is typed.
func atTerminal(ts *testscript.TestScript, line string, words []string, environment ...string) <-chan seen {
	cmd := exec.Command(filepath.Join(filepath.Dir(sp()), words[0]), words[1:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(append(plainEnvironment(ts.Getenv("WORK")), "TERM=xterm"), environment...)
	ended := make(chan seen, 1)
	go func() {
		var s seen
		s.screen, s.exit, s.err = harness.OnTerminal(cmd, strings.NewReader(line))
		ended <- s
	}()
	return ended
}

// shows makes a screen the answer of a command, and wants an exit code.
func shows(ts *testscript.TestScript, exit string, s seen) {
	ts.Check(s.err)
	_, err := fmt.Fprint(ts.Stdout(), strings.ReplaceAll(s.screen, "\r\n", "\n"))
	ts.Check(err)
	if strconv.Itoa(s.exit) != exit {
		ts.Fatalf("exit %d, want %s: %s", s.exit, exit, s.screen)
	}
}

// failLast has the next try at a tenant's database be the last one: `fail-last NAME`. It waits for the
// first, which has to fail.
func failLast(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fail-last name")
	}
	file := filepath.Join(ts.Getenv("SPD_DIR"), "serve.db")
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		ids, err := askedOf(filepath.Join(ts.Getenv("SPD_DIR"), "sp.db"), `SELECT id FROM tenants WHERE name = '`+args[0]+`'`)
		ts.Check(err)
		if len(ids) == 0 {
			continue
		}
		where := ` WHERE tenant_id = '` + ids[0] + `'`
		failed, err := askedOf(file, `SELECT tenant_id FROM troubles`+where)
		ts.Check(err)
		if len(failed) > 0 {
			ts.Check(harness.ChangeSQLite(file, `UPDATE troubles SET failures = 9, next_at = 0`+where))
			return
		}
	}
	ts.Fatalf("nothing failed for tenant %s in a minute", args[0])
}
