//go:build !linux

package postgres

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// isServer tells whether a process is the server of the data, by the command that
// started it.
func isServer(ctx context.Context, pid int, data string) (bool, error) {
	if !isAlive(pid) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ps := exec.CommandContext(ctx, "/bin/ps", "-ww", "-p", strconv.Itoa(pid), "-o", "command=")
	ps.Env = []string{"LC_ALL=C"}
	said, err := ps.Output()
	if _, gone := err.(*exec.ExitError); gone && ctx.Err() == nil {
		return false, nil // since it was looked at
	}
	if err != nil {
		return false, fmt.Errorf("ps: %w", err)
	}
	return strings.Contains(string(said), " -D "+data+" "), nil
}

// left are the processes of a server that was killed, which can't be told here: their titles name no data.
func left(context.Context, string) ([]int, error) { return nil, nil }

// isFrozen tells whether a process was stopped by a signal, which is not looked at here.
func isFrozen(int) bool { return false }
