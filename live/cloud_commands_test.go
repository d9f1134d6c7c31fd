package live

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sp-registry/sp/internal/harness"
)

// typed runs a program at a terminal, answers with a line, and wants its exit code: `typed N LINE
// PROGRAM [ARGUMENT...]`. What the screen shows is the answer.
func typed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: typed N line program [argument...]")
	}
	cmd := exec.Command(filepath.Join(filepath.Dir(sp()), args[2]), args[3:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(plainEnvironment(ts.Getenv("WORK")), "TERM=xterm")
	screen, exit, err := harness.OnTerminal(cmd, strings.NewReader(args[1]+"\n"))
	ts.Check(err)
	_, err = fmt.Fprint(ts.Stdout(), strings.ReplaceAll(screen, "\r\n", "\n"))
	ts.Check(err)
	if strconv.Itoa(exit) != args[0] {
		ts.Fatalf("exit %d, want %s: %s", exit, args[0], screen)
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
