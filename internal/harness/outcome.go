package harness

import (
	"errors"
	"os/exec"
	"strings"
)

// Outcome is what a process left behind. Exit is -1 for one that a signal ended.
type Outcome struct {
	Exit           int
	Stdout, Stderr string
}

// Run runs a process to its end. How it ended is no error.
func Run(cmd *exec.Cmd) (Outcome, error) {
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		err = nil
	}
	return Outcome{Exit: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}, err
}
