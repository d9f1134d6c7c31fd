// Package live runs the whole programs on PostgreSQL servers that are really there. It has
// tests only: its scripts are the manual of what sp does with databases, and its sweeps kill
// sp at its system calls. SP_TEST_POSTGRES tells with which server, as internal/pgtest says;
// without it they are skipped. A server refuses to run as root, so for root all of it runs
// as nobody.
package live

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/postgres"
)

// Of the environment: whether there is a server, and the directory that the tests were
// given, with the program and what scripts find in PATH.
const (
	liveVariable = "SP_TEST_POSTGRES"
	homeVariable = "SP_LIVE_HOME"
	dataVariable = "SP_LIVE_DATA"
)

func TestMain(m *testing.M) {
	unix.Umask(0o022) // what most people have; sp has to be stricter by itself
	switch {
	case os.Getenv(liveVariable) == "": // each test says that it is skipped
		os.Exit(m.Run())
	case os.Getenv(homeVariable) != "":
		os.Exit(runHere(m))
	}
	os.Exit(prepareAndRun(m))
}

// prepareAndRun builds the programs where everybody gets to it, and runs the tests there.
func prepareAndRun(m *testing.M) (exit int) {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, "live:", err)
		return 1
	}
	home, err := os.MkdirTemp("/tmp", "sp-live-")
	if err != nil {
		return fail(err)
	}
	defer func() { _ = os.RemoveAll(home) }()
	data, err := os.MkdirTemp(cmp.Or(harness.QuickPlace(4<<30), "/tmp"), "sp-live-data-")
	if err != nil {
		return fail(err)
	}
	defer func() { _ = os.RemoveAll(data) }()
	if err := furnish(home, data); err != nil {
		return fail(err)
	}
	environment := map[string]string{homeVariable: home, dataVariable: data, "TMPDIR": data, "HOME": data}
	if os.Getenv(schemathesisVariable) != "" { // Python may be where only root gets to
		for name, value := range environment {
			if err := os.Setenv(name, value); err != nil {
				return fail(err)
			}
		}
		return runHere(m)
	}
	var variables []string
	for name, value := range environment {
		variables = append(variables, name+"="+value)
	}
	exit, err = harness.Again(home, variables...)
	if err != nil {
		return fail(err)
	}
	return exit
}

// furnish puts the programs, the tests and the scripts into the directory home.
func furnish(home, data string) error {
	if err := errors.Join(os.Chmod(home, 0o755), os.Chmod(data, 0o755)); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(data, harness.Nobody, harness.Nobody); err != nil {
			return err
		}
	}
	bin := filepath.Join(home, "bin")
	if err := errors.Join(harness.Build(filepath.Join(bin, "sp")), harness.BuildPlane(filepath.Join(bin, "spd"))); err != nil {
		return err
	}
	for _, copied := range [][2]string{
		{"testdata", "testdata"},
		{"../docs/openapi.yaml", "openapi.yaml"},
		{"../internal/server/testdata/contract.yaml", "contract.yaml"},
		{"../internal/postgres/testdata/docker", "docker"},
	} {
		if said, err := exec.Command("cp", "-R", copied[0], filepath.Join(home, copied[1])).CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, said)
		}
	}
	return findTools(bin)
}

// tools are all that the scripts find in PATH besides sp and spd. There is no docker among them,
// nor a PostgreSQL server's programs.
var tools = []string{"sh", "cat", "cp", "mkdir", "sed", "grep", "head", "dirname", "sleep", "tr", "chmod", "rm", "ls", "mv", "psql", "perl", "env"}

func findTools(dir string) error {
	for _, tool := range tools {
		path, err := exec.LookPath(tool)
		if err != nil {
			return err
		}
		if err := os.Symlink(path, filepath.Join(dir, tool)); err != nil {
			return err
		}
	}
	return nil
}

// programs is the directory of the server's programs, empty where there are none.
func programs() string {
	found, err := postgres.FindPrograms(os.Getenv("SP_POSTGRES_BIN"), filepath.SplitList(os.Getenv("PATH")), "")
	if err != nil {
		return ""
	}
	return found.Dir
}
