package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/registry"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in testdata/script")

// TestScripts runs the manual of databases, from the outside.
func TestScripts(t *testing.T) {
	t.Parallel()
	pgtest.Server(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(os.Getenv(homeVariable), "testdata", "script"),
		WorkdirRoot:         workRoot(t),
		Setup:               func(env *testscript.Env) error { return hermetic(t, env) },
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"adopted":   makeAdopted,
			"agree":     agrees,
			"ask":       ask,
			"docker":    fakeDocker,
			"exits":     exitsWith,
			"interrupt": interrupt,
			"json":      isDocument,
			"keep":      keep,
			"mode":      hasMode,
			"refuses":   isRefused,
			"same":      isSame,
			"session":   openSession,
			"ended":     sessionEnded,
			"secret":    isSecret,
		},
	})
}

// condition knows [start]: the tests started their server, and have its log and another
// that checks no passwords.
func condition(name string) (bool, error) {
	if name == "start" {
		return os.Getenv(liveVariable) == "start", nil
	}
	return false, fmt.Errorf("there is no condition %s", name)
}

func workRoot(t *testing.T) string {
	t.Helper()
	root := filepath.Join(os.Getenv(dataVariable), "work")
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// hermetic gives a script an environment that owes nothing to the machine's, but the
// programs of PostgreSQL and the URLs of the tests' server: of ADMIN, who may make
// databases and roles there and no more, of SUPER, who may do anything, and of TRUST, a
// superuser where nobody checks a password. What ADMIN has made goes at the end.
func hermetic(t *testing.T, env *testscript.Env) error {
	name := "live_" + regexp.MustCompile(`\W`).ReplaceAllString(filepath.Base(env.WorkDir), "_")
	super := pgtest.Server(t)
	admin, err := makeAdmin(super, name)
	if err != nil {
		return err
	}
	home := os.Getenv(homeVariable)
	env.Vars = append(plainEnvironment(env.WorkDir), "ADMIN="+admin.Reveal(), "SUPER="+super.Reveal(), "DOCKER="+filepath.Join(home, "docker"))
	if os.Getenv(liveVariable) == "start" {
		env.Vars = append(env.Vars, "LOG="+pgtest.Log(t), "TRUST="+pgtest.Trust(t).Reveal())
	}
	env.Values[sessionKey{}] = new(*pgconn.PgConn)
	env.Defer(func() {
		if err := errors.Join(endServers(env.WorkDir), dropAll(super, name)); err != nil {
			t.Error(err)
		}
	})
	return os.MkdirAll(filepath.Join(env.WorkDir, "home"), 0o755)
}

// plainEnvironment is that of somebody who has PostgreSQL's programs and nothing else.
func plainEnvironment(dir string) []string {
	return []string{
		"PATH=" + filepath.Join(os.Getenv(homeVariable), "bin"),
		"TMPDIR=" + os.Getenv(dataVariable),
		"WORK=" + dir,
		"HOME=" + filepath.Join(dir, "home"),
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_CONFIG_NOSYSTEM=1",
		"LC_ALL=C",
		"TZ=UTC",
		"SP_POSTGRES_BIN=" + programs(),
		"SP_LOCK_TIMEOUT=60s", // where two commands meet on a busy machine
	}
}

// exitsWith runs a program and wants its exit code: `exits N PROGRAM [ARGUMENT...]`.
func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N program [argument...]")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit %d, want %s", got, args[0])
	}
}

// isDocument wants one JSON document in a file, and a member's value: `json FILE MEMBER VALUE`.
func isDocument(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json file member value")
	}
	var document any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &document))
	got := fmt.Sprint(member(document, args[1]))
	if (got == args[2]) == neg {
		ts.Fatalf("%s is %q", args[1], got)
	}
}

// member walks a dotted path into a document; a number is an index of an array.
func member(document any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		switch v := document.(type) {
		case map[string]any:
			document = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(v) {
				return nil
			}
			document = v[i]
		default:
			return nil
		}
	}
	return document
}

// hasMode wants files of a mode: `mode 0600 FILE...`.
func hasMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mode 0600 file...")
	}
	for _, name := range args[1:] {
		info, err := os.Lstat(ts.MkAbs(name))
		ts.Check(err)
		if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
			ts.Fatalf("%s has mode %s", name, got)
		}
	}
}

// keep puts what was answered last into the environment: `keep NAME [MEMBER]`, a member
// of it where it is JSON.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: keep name [member]")
	}
	answer := strings.TrimSuffix(ts.ReadFile("stdout"), "\n")
	if len(args) == 2 {
		var document any
		ts.Check(json.Unmarshal([]byte(answer), &document))
		answer = fmt.Sprint(member(document, args[1]))
	}
	ts.Setenv(args[0], answer)
}

// fakeDocker puts a docker into PATH whose containers are servers of this machine's
// programs: internal/postgres/testdata/docker says how it is told to misbehave, in fake/.
func fakeDocker(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: docker")
	}
	ts.Check(os.MkdirAll(ts.MkAbs("fake/bin"), 0o755))
	ts.Check(os.Symlink(ts.Getenv("DOCKER"), ts.MkAbs("fake/bin/docker")))
	ts.Setenv("PATH", ts.MkAbs("fake/bin")+":"+ts.Getenv("PATH"))
	ts.Setenv("FAKE_DOCKER", ts.MkAbs("fake"))
	ts.Setenv("FAKE_DOCKER_POSTGRES", programs())
}

// isSame wants that the last answer is a text: `same TEXT`.
func isSame(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: same text")
	}
	if got := strings.TrimSuffix(ts.ReadFile("stdout"), "\n"); (got == args[0]) == neg {
		ts.Fatalf("it is %q, and the other %q", got, args[0])
	}
}

// ask runs statements on a server, each by itself, and answers with the rows of the last:
// `ask URL STATEMENT...`. With ! the last has to fail, and the answer is why.
func ask(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: ask url statement...")
	}
	rows, err := pgtest.Try(registry.NewSecret(args[0]), args[1:]...)
	if neg {
		if err == nil {
			ts.Fatalf("it does not fail: %s", rows)
		}
		rows = []string{err.Error()}
	} else {
		ts.Check(err)
	}
	var answer bytes.Buffer
	for _, row := range rows {
		fmt.Fprintln(&answer, row)
	}
	_, err = ts.Stdout().Write(answer.Bytes())
	ts.Check(err)
}

// isSecret wants a text to stand in no file of a directory but those named: `secret TEXT
// DIRECTORY [FILE...]`; and in those it has to.
func isSecret(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: secret text directory [file...]")
	}
	root := ts.MkAbs(args[1])
	wanted := map[string]bool{}
	for _, name := range args[2:] {
		wanted[filepath.Join(root, name)] = true
	}
	ts.Check(filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte(args[0])) != wanted[path] {
			return fmt.Errorf("%s: there %v, wanted %v", path, !wanted[path], wanted[path])
		}
		return nil
	}))
}

// awaitEnd waits until a process is gone.
func awaitEnd(pid int) error {
	for range 1000 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("process %d does not end", pid)
}
