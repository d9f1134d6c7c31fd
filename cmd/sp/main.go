// Command sp keeps the registry of tenants, profiles and sessions.
//
// To follow a command from the shell to its answer, begin here: main hands the outside world to
// the program, whose nouns are listed in program.go. The frame (internal/cli) finds the command
// that the arguments name and checks them; the command's file (internal/cli/NOUN/VERB.go) works on
// the project through a task (internal/cli/task) and returns an answer, which the frame prints.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"golang.org/x/term"
)

func main() {
	os.Exit(start())
}

// start prepares the process before anything touches a file, and runs.
func start() int {
	self := cli.Guard()
	if err := db.Harden(); err != nil {
		fmt.Fprintln(os.Stderr, "sp:", err)
		return 1
	}
	w := cli.World{
		Stdin:            os.Stdin,
		Stdout:           os.Stdout,
		Stderr:           os.Stderr,
		LookupEnv:        self.LookupEnv(os.LookupEnv),
		Environ:          os.Environ,
		WorkingDirectory: os.Getwd,
		Now:              time.Now,
		Random:           rand.Reader,
		Terminal:         term.IsTerminal,
		UntilSignal:      cli.UntilSignal,
		Git:              findGit,
		Start:            self.Start,
		Replace:          self.Replace,
	}
	if err := cli.CheckLimits(); err != nil {
		return program().Fail(os.Args, w, err)
	}
	return program().Run(context.Background(), os.Args, w)
}

// findGit finds the program that knows what would be shared; nothing where there is none.
func findGit() string {
	path, err := exec.LookPath("git")
	if err != nil {
		return ""
	}
	return path
}
