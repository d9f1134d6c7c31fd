package cloud

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
)

// browserOf returns how to open a browser on this machine; nil where its user would not see it, or there
// is none.
func browserOf(t *task.Task) cloud.Browser {
	if has(t, "SSH_CONNECTION") {
		if has(t, "BROWSER") {
			t.Note("over SSH a browser would open at the other end; BROWSER is not used")
		}
		return nil
	}
	program := openerOf(t)
	if program == "" {
		return nil
	}
	return func(ctx context.Context, url string) error { return openWith(ctx, t, program, url) }
}

func has(t *task.Task, name string) bool {
	value := t.Env(name)
	return value != nil && *value != ""
}

// openerOf returns the program that opens a URL: the first of BROWSER that is there, which may do without
// a display, else the system's.
func openerOf(t *task.Task) string {
	var names []string
	if has(t, "BROWSER") {
		names = strings.Split(*t.Env("BROWSER"), ":")
	}
	switch {
	case runtime.GOOS == "darwin":
		names = append(names, "open")
	case runtime.GOOS != "linux" || has(t, "DISPLAY") || has(t, "WAYLAND_DISPLAY"):
		names = append(names, "xdg-open")
	}
	for _, name := range names {
		if program := lookUp(t, name); program != "" {
			return program
		}
	}
	return ""
}

// lookUp returns the path of a program that is named with its path or without.
func lookUp(t *task.Task, name string) string {
	switch {
	case filepath.IsAbs(name) && cli.IsProgram(name):
		return name
	case filepath.Base(name) == name:
		return t.LookPath(name)
	}
	return ""
}

// openPatience is how long an opener may take to fail. One that is at work after that is the browser.
const openPatience = 3 * time.Second

func openWith(ctx context.Context, t *task.Task, program, url string) error {
	cmd := exec.Command(program, url) //nolint:gosec,noctx // the user's own program, which outlives the login
	cmd.Env = t.Environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for sp
	if err := t.Start(cmd); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	timer := time.NewTimer(openPatience)
	defer timer.Stop()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(program), err)
		}
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
