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
	has := func(name string) bool {
		value := t.Env(name)
		return value != nil && *value != ""
	}
	if has("SSH_CONNECTION") || runtime.GOOS == "linux" && !has("DISPLAY") && !has("WAYLAND_DISPLAY") {
		return nil
	}
	program := openerOf(t)
	if program == "" {
		return nil
	}
	return func(ctx context.Context, url string) error { return openWith(ctx, t, program, url) }
}

// openerOf returns the program that opens a URL: the first of BROWSER that is there, else the system's.
func openerOf(t *task.Task) string {
	names := []string{"xdg-open"}
	if runtime.GOOS == "darwin" {
		names = []string{"open"}
	}
	if browser := t.Env("BROWSER"); browser != nil {
		names = append(strings.Split(*browser, ":"), names...)
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
