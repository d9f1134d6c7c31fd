package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

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
		answer = fmt.Sprint(harness.Member(document, args[1]))
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
	rows, err := pgtest.Try(secret.New(args[0]), args[1:]...)
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
