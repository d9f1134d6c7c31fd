// Command spd is the control plane: it makes cloud tenants on PostgreSQL servers, for those who ask over
// its API. main hands the outside world to the program, whose commands are in internal/cli/control; what
// answers requests is internal/server.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/control"
	"github.com/sp-registry/sp/internal/cli/work"
)

func main() {
	os.Exit(start())
}

// start prepares the process before anything touches a file, and runs.
func start() int {
	self := cli.Guard()
	if err := db.Harden(); err != nil {
		fmt.Fprintln(os.Stderr, "spd:", err)
		return 1
	}
	return program().Run(context.Background(), os.Args, cli.World{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: self.LookupEnv(os.LookupEnv), Environ: os.Environ,
		WorkingDirectory: os.Getwd, Now: time.Now, Random: rand.Reader, Terminal: term.IsTerminal, UntilSignal: cli.UntilSignal,
		Git: func() string { return "" }, Start: self.Start, Replace: self.Replace,
	})
}

// program is spd: a list of nouns, in the order of its help.
func program() *cli.Program {
	return &cli.Program{
		Name:    "spd",
		Usage:   "the control plane: makes databases for everybody who logs in with sp",
		Help:    usage,
		Flags:   []cli.Flag{control.Dir()},
		Faults:  control.Faults,
		Default: "serve",
		Instead: control.Instead,
		Nouns: []cli.Noun{
			{Name: "serve", Build: control.Serve},
			{Name: "region", Build: control.Region},
			{Name: "user", Build: control.User},
			{Name: "tenant", Build: control.Tenant},
			{Name: "grant", Build: control.Grant},
			{Name: "token", Build: control.Token},
			{Name: "audit", Build: control.Audit},
			{Name: "version", Build: work.Version},
			{Name: "help", Build: cli.Help},
		},
	}
}

const usage = `Usage:
  spd [--dir DIRECTORY] [--dev]    serve, until Ctrl-C
  spd [--dir DIRECTORY] COMMAND    decide about regions, users and their tokens

To try it, on this machine's PostgreSQL:
  spd --dev

For a team:
  spd region add iad --server-stdin < admin-url.txt
  spd user add anna    # prints a join code, with which anna logs in
  spd
`
