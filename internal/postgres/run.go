package postgres

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// command is a program that runs to its end. Its environment is what stands here, and
// never sp's own.
type command struct {
	program, dir string
	args, env    []string
	files        []*os.File // that it holds open, from descriptor 3 on
	as           Account
}

// run runs the program, in a process group of its own, which is killed whole when ctx
// ends, and returns what it wrote.
func (c command) run(ctx context.Context) (stdout, stderr string, err error) {
	var out, complaint bytes.Buffer
	cmd := c.prepare(ctx)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err = cmd.Run()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out.String(), complaint.String(), err
}

func (c command) prepare(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.program, c.args...)
	cmd.Dir, cmd.Env, cmd.ExtraFiles = c.dir, append([]string{}, c.env...), c.files
	cmd.SysProcAttr = c.as.attributes(syscall.SysProcAttr{Setpgid: true})
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for what left the group and keeps a pipe open
	return cmd
}

// lastLine is the last line that says something.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// pause waits, or returns why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// after returns what tells whether a time has passed since.
func after(d time.Duration) func() bool {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	context.AfterFunc(ctx, cancel)
	return func() bool { return ctx.Err() != nil }
}
