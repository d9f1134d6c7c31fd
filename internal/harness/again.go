package harness

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Again runs this test binary again, out of a directory with what it needs, and for root as
// nobody, for a PostgreSQL server refuses to run as root. It returns the exit code.
func Again(dir string, environment ...string) (exit int, err error) {
	binary := filepath.Join(dir, "tests")
	if err := exec.Command("cp", os.Args[0], binary).Run(); err != nil { // it lies where only root gets to
		return 1, err
	}
	tests := exec.Command(binary)
	for _, arg := range os.Args[1:] {
		if !strings.HasPrefix(arg, "-test.testlogfile=") { // which root has made
			tests.Args = append(tests.Args, arg)
		}
	}
	tests.Dir, tests.Stdout, tests.Stderr = dir, os.Stdout, os.Stderr
	tests.Env = append(os.Environ(), environment...)
	if os.Geteuid() == 0 {
		AsNobody(tests)
	}
	err = tests.Run()
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		return ended.ExitCode(), nil
	}
	return 0, err
}
