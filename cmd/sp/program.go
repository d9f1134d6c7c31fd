package main

import (
	"os/exec"
	"slices"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/cloud"
	"github.com/sp-registry/sp/internal/cli/database"
	"github.com/sp-registry/sp/internal/cli/files"
	"github.com/sp-registry/sp/internal/cli/history"
	"github.com/sp-registry/sp/internal/cli/profile"
	"github.com/sp-registry/sp/internal/cli/session"
	"github.com/sp-registry/sp/internal/cli/task"
	tenants "github.com/sp-registry/sp/internal/cli/tenant"
	"github.com/sp-registry/sp/internal/cli/work"
)

// program is the part of the commands that has its own packages already.
func program() *cli.Program {
	return &cli.Program{
		Name:   "sp",
		Usage:  "which database a command talks to, and why",
		Flags:  []cli.Flag{task.Dir(), task.Profile()},
		Faults: task.Faults,
		Nouns: []cli.Noun{
			{Name: "tenant", Build: tenants.Command},
			{Name: "show", Build: tenants.Show},
			{Name: "init", Build: files.Init},
			{Name: "import", Build: files.Import},
			{Name: "export", Build: files.Export},
			{Name: "trust", Build: files.Trust},
			{Name: "backup", Build: history.Backup},
			{Name: "restore", Build: history.Restore},
			{Name: "db", Build: database.Command},
			{Name: "log", Build: history.Log},
			{Name: "undo", Build: history.Undo},
			{Name: "profile", Build: profile.Command},
			{Name: "session", Build: session.Command},
			{Name: "secrets", Build: profile.Secrets},
			{Name: "resolve", Build: work.Resolve},
			{Name: "explain", Build: work.Explain},
			{Name: "psql", Build: work.Psql},
			{Name: "status", Build: work.Status},
			{Name: "doctor", Build: work.Doctor},
			{Name: "version", Build: work.Version},
			{Name: "auth", Build: cloud.Auth, Hidden: true},
			{Name: "login", Build: cloud.Login, Hidden: true},
			{Name: "sync", Build: cloud.Sync, Hidden: true},
			{Name: "deploy", Build: cloud.Deploy, Hidden: true},
			{Name: "infra", Build: cloud.Infra, Hidden: true},
		},
	}
}

// moved tells whether the arguments name a command that has its own package, also behind help, and
// how it is written without the words cloud and admin before it.
func moved(p *cli.Program, args []string) ([]string, bool) {
	args = p.Meant(args)
	word := p.FirstWord(args)
	at := slices.Index(args, word) + 1
	if word == "help" && at < len(args) {
		word, at = args[at], at+1
	}
	if (word == "cloud" || word == "admin") && at < len(args) && p.Has(args[at]) {
		word, args = args[at], slices.Delete(slices.Clone(args), at-1, at)
	}
	return args, p.Has(word)
}

// outside is the world of those commands.
func (w world) outside() cli.World {
	return cli.World{
		Stdin: w.stdin, Stdout: w.stdout, Stderr: w.stderr, LookupEnv: w.lookupEnv, Environ: w.environ,
		WorkingDirectory: w.workingDirectory, Now: w.now, Random: w.random, Terminal: w.terminal,
		UntilSignal: w.untilSignal, Git: func() string { return w.git().Path }, Start: func(c *exec.Cmd) error {
			if start := w.git().Start; start != nil {
				return start(c)
			}
			return c.Start()
		}, Replace: w.replace,
	}
}
