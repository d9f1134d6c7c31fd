// Command sp keeps the registry of tenants, profiles and sessions.
//
// To follow a command from the shell to its answer, read this file from the top:
// main hands the outside world to run, run finds the command that the arguments
// name (tree.go), the command's file does the work on the registry (app.go opens
// it), and run prints the answer or the error and says the exit code (exits.go).
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/sp-registry/sp/db"
	spcli "github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/urfave/cli/v3"
	"golang.org/x/term"
)

func main() {
	os.Exit(start())
}

// start prepares the process before anything touches a file, and runs.
func start() int {
	self := guard()
	cli.SubcommandHelpTemplate = commandHelp // the library takes it from nowhere else
	if err := db.Harden(); err != nil {
		fmt.Fprintln(os.Stderr, "sp:", err)
		return 1
	}
	w := world{
		stdin:            os.Stdin,
		stdout:           os.Stdout,
		stderr:           os.Stderr,
		lookupEnv:        self.before(os.LookupEnv),
		workingDirectory: os.Getwd,
		now:              time.Now,
		random:           rand.Reader,
		terminal:         term.IsTerminal,
		git:              func() project.Git { return findGit(self.start) },
		untilSignal:      spcli.UntilSignal,
		environ:          os.Environ,
		replace:          self.replace,
	}
	if err := checkLimits(); err != nil {
		return (&app{world: w, json: asksForJSON(os.Args)}).fail(err)
	}
	return run(context.Background(), os.Args, w)
}

// world is all that a run may know of what is outside the program.
type world struct {
	stdin            *os.File
	stdout, stderr   *os.File
	lookupEnv        func(string) (string, bool)
	workingDirectory func() (string, error)
	now              func() time.Time
	random           io.Reader
	terminal         func(fd int) bool
	git              func() project.Git
	untilSignal      func(context.Context) (context.Context, func())
	environ          func() []string // without the secrets that were given to sp
	replace          func(program string, args, environ []string) error
}

// run does what the arguments ask and returns the exit code.
func run(ctx context.Context, args []string, w world) int {
	if args, ok := moved(program(), args); ok {
		return program().Run(ctx, args, w.outside())
	}
	a := &app{world: w, args: args}
	defer a.out.close()
	ctx = provision.WithBeforeLogin(ctx, a.beforeLogin)
	return a.finish(a.root(args).Run(ctx, args))
}

// finish prints the answer or, if there is an error, what went wrong.
func (a *app) finish(err error) int {
	a.tellDone()
	a.tellMadeDir()
	a.clearProgress()
	if err == nil && a.json && !a.documented {
		err = a.wrapHelp()
	}
	if err == nil || isIncomplete(err) && !a.json || isAnswered(err) {
		if printed := a.out.copyTo(a.stdout); printed != nil && err == nil {
			err = a.unprinted(printed)
		}
	}
	if err == nil {
		return 0
	}
	return a.fail(err)
}

// wrapHelp makes a document of the help, the one answer that the library prints.
func (a *app) wrapHelp() error {
	var help strings.Builder
	if err := a.out.copyTo(&help); err != nil {
		return err
	}
	a.out.memory = nil
	return a.document(map[string]string{"help": help.String()})
}
