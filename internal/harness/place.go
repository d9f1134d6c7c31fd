package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Place is a directory to run sp in, as a process, with an environment of its own.
type Place struct {
	T   *testing.T
	SP  string // the program
	Dir string
	Env []string

	Guest bool // sp runs as nobody
}

// Environment owes nothing to the machine's but the path of its programs and the place of
// temporary files: a home of its own, git without anybody's configuration. Of two values for
// one name, the last counts.
func Environment(home string, more ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "HOME=" + home, "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GORACE=atexit_sleep_ms=0", // else each program under the race detector waits a second at its end
	}, more...)
}

// Store is the path of a file in .systemprompt.
func (p Place) Store(name string) string { return filepath.Join(p.Dir, ".systemprompt", name) }

// Names are those of the files in .systemprompt.
func (p Place) Names() (names []string) {
	p.T.Helper()
	entries, err := os.ReadDir(p.Store(""))
	require.NoError(p.T, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// Command prepares `sp ARGUMENT...`; stdin is empty.
func (p Place) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.SP, args...)
	cmd.Dir, cmd.Env = p.Dir, p.Env
	if p.Guest {
		AsNobody(cmd)
	}
	return cmd
}

// After prepares `sp ARGUMENT...` behind a line of the shell, in the process that it becomes.
func (p Place) After(line string, args ...string) *exec.Cmd {
	cmd := p.Command(args...)
	cmd.Args = append([]string{"sh", "-c", line + ` && exec "$0" "$@"`, cmd.Path}, args...)
	cmd.Path = "/bin/sh"
	return cmd
}

// Run runs `sp ARGUMENT...`.
func (p Place) Run(args ...string) Outcome {
	p.T.Helper()
	return p.Ran(p.Command(args...))
}

// Ran runs a process that was prepared.
func (p Place) Ran(cmd *exec.Cmd) Outcome {
	p.T.Helper()
	o, err := Run(cmd)
	require.NoError(p.T, err)
	return o
}

// Must is Run for what has to work; it returns what was answered.
func (p Place) Must(args ...string) string {
	p.T.Helper()
	o := p.Run(args...)
	require.Zero(p.T, o.Exit, "sp %s: %s%s", strings.Join(args, " "), o.Stdout, o.Stderr)
	return o.Stdout
}
