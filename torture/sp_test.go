// Package torture holds sp to its guarantees where it hurts: crashes, faults, races,
// power cuts, strangers on the same machine. It has tests only, which run the real
// program as processes; docs/guarantees.md says which promise each one settles.
//
// `go test ./...` skips them. `make guarantees` runs the small size of each and
// forbids skipping, `make torture` the long one.
package torture

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	size   = flag.String("size", "", "how much to run: small or long; nothing without it")
	strict = flag.Bool("strict", false, "fail where a tool is missing instead of skipping")
)

// spPath is the program under test, built once by TestMain.
var spPath string

func TestMain(m *testing.M) {
	if os.Getenv(runnerVariable) != "" {
		os.Exit(runMeasured(os.Args[1:]))
	}
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	if *size == "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "sp-torture-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	spPath = filepath.Join(dir, "sp")
	if out, err := buildSP(spPath); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// buildSP builds the program as it is released, with extra arguments such as -overlay.
func buildSP(to string, extra ...string) ([]byte, error) {
	args := append([]string{"build", "-trimpath"}, extra...)
	cmd := exec.Command("go", append(args, "-o", to, "github.com/sp-registry/sp/cmd/sp")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return cmd.CombinedOutput()
}

// sized returns how much of something to do, or skips the test when nothing is asked.
func sized(t *testing.T, small, long int) int {
	t.Helper()
	switch *size {
	case "small":
		return small
	case "long":
		return long
	}
	t.Skip("make guarantees runs it")
	return 0
}

// need returns the path of a tool; without it the test is skipped, or fails with -strict.
func need(t *testing.T, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		missing(t, "no "+tool+" on this machine")
	}
	return path
}

// missing skips for a reason that the machine gives, or fails with -strict.
func missing(t *testing.T, why string) {
	t.Helper()
	if *strict {
		t.Fatal(why)
	}
	t.Skip(why)
}

// place is a directory to run sp in, with an environment of its own.
type place struct {
	t   *testing.T
	sp  string // the program; that of TestMain unless a variant is tried
	dir string
	env []string
}

func newPlace(t *testing.T) place {
	t.Helper()
	return place{t: t, sp: spPath, dir: t.TempDir()}.hermetic()
}

// hermetic gives the place an environment that owes nothing to the machine's.
func (p place) hermetic() place {
	p.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "TMPDIR=" + p.dir, "LC_ALL=C", "TZ=UTC", "SP_OFFLINE=1",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
	}
	return p
}

// store is the path of a file in .systemprompt.
func (p place) store(name string) string { return filepath.Join(p.dir, ".systemprompt", name) }

// command prepares `sp ARGUMENT...`; stdin is empty.
func (p place) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.sp, args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	return cmd
}

// outcome is what a process left behind; exit is -1 for one that a signal ended.
type outcome struct {
	exit           int
	stdout, stderr string
}

func runToEnd(cmd *exec.Cmd) (outcome, error) {
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		err = nil
	}
	return outcome{exit: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}, err
}

func (p place) run(args ...string) outcome {
	p.t.Helper()
	o, err := runToEnd(p.command(args...))
	require.NoError(p.t, err)
	return o
}

// must is run for what has to work; it returns what was answered.
func (p place) must(args ...string) string {
	p.t.Helper()
	o := p.run(args...)
	require.Zero(p.t, o.exit, "sp %s: %s%s", strings.Join(args, " "), o.stdout, o.stderr)
	return o.stdout
}
