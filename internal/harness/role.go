package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// Roles are what a test binary does when a test starts it again as another process.
type Roles map[string]func(args []string) error

const roleVariable = "SP_TEST_ROLE"

// Play is for TestMain: a process that was started in a role plays it, and ends.
func (r Roles) Play() {
	role, ok := r[os.Getenv(roleVariable)]
	if !ok {
		return
	}
	if err := role(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// InRole prepares this test binary as another process in a role, which ends with ctx.
func InRole(ctx context.Context, role string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	return cmd
}
