package main

import (
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/cloud"
	"github.com/sp-registry/sp/internal/cli/database"
	"github.com/sp-registry/sp/internal/cli/files"
	"github.com/sp-registry/sp/internal/cli/history"
	"github.com/sp-registry/sp/internal/cli/profile"
	"github.com/sp-registry/sp/internal/cli/session"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cli/tenant"
	"github.com/sp-registry/sp/internal/cli/work"
)

// program is sp: a list of nouns, in the order of its help.
func program() *cli.Program {
	return &cli.Program{
		Name:    "sp",
		Usage:   "which database a command talks to, and why",
		Help:    example,
		Foot:    exitCodes,
		Flags:   []cli.Flag{task.Dir(), task.Profile()},
		Faults:  task.Faults,
		Instead: instead,
		Nouns: []cli.Noun{
			{Name: "init", Build: files.Init},
			{Name: "import", Build: files.Import},
			{Name: "export", Build: files.Export},
			{Name: "backup", Build: history.Backup},
			{Name: "restore", Build: history.Restore},
			{Name: "tenant", Build: tenant.Command},
			{Name: "profile", Build: profile.Command},
			{Name: "session", Build: session.Command},
			{Name: "secrets", Build: profile.Secrets},
			{Name: "db", Build: database.Command},
			{Name: "resolve", Build: work.Resolve},
			{Name: "explain", Build: work.Explain},
			{Name: "psql", Build: work.Psql},
			{Name: "exec", Build: work.Exec},
			{Name: "env", Build: work.Env},
			{Name: "status", Build: work.Status},
			{Name: "doctor", Build: work.Doctor},
			{Name: "trust", Build: files.Trust},
			{Name: "log", Build: history.Log},
			{Name: "show", Build: tenant.Show, Hidden: true},
			{Name: "undo", Build: history.Undo},
			{Name: "version", Build: work.Version, Hidden: true},
			{Name: "help", Build: cli.Help, Hidden: true},
			{Name: "auth", Build: cloud.Auth, Hidden: true},
			{Name: "login", Build: cloud.Login},
			{Name: "logout", Build: cloud.Logout},
			{Name: "whoami", Build: cloud.Whoami, Hidden: true},
			{Name: "sync", Build: cloud.Sync},
			{Name: "deploy", Build: cloud.Deploy, Hidden: true},
			{Name: "infra", Build: cloud.Infra, Hidden: true},
			{Name: "cloud", Build: cloudWords, Optional: true, Own: []string{"status"}},
			{Name: "admin", Build: adminWords, Hidden: true, Optional: true},
		},
	}
}

// instead tells people who know other programs what their words are here.
func instead(words string) cli.Advice {
	const format = "did you mean %s?"
	switch words {
	case "delete", "remove", "rm":
		return cli.Advise(format, cli.To("sp tenant delete"))
	case "select", "use", "tenant switch", "tenant use":
		return cli.Advise(format, cli.To("sp tenant select"))
	case "switch", "profile switch", "profile use", "profile select":
		return cli.Advise(format, cli.To("sp session switch"))
	case "db start":
		return cli.Advise(format, cli.To("sp db up"))
	case "db stop":
		return cli.Advise(format, cli.To("sp db down"))
	case "start", "migrate", "run":
		return cli.Advise("%s runs a command of the application with its database and secrets", cli.To("sp exec", "--", "COMMAND"))
	}
	return cli.Advice{}
}

// cloudWords are the commands that the documents write behind the word cloud.
func cloudWords() *cli.Command {
	return &cli.Command{Name: "cloud", Usage: "ask for its status; before another command the word changes nothing", Commands: []*cli.Command{
		tenant.Command(), profile.Command(), profile.Secrets(), cloud.Auth(), cloud.Login(), cloud.Logout(), cloud.Whoami(), cloud.Status(), cloud.Sync(), cloud.Deploy(),
	}}
}

// adminWords are those that they write behind the word admin.
func adminWords() *cli.Command {
	return &cli.Command{Name: "admin", Usage: "the same session commands, as the documentation writes them", Commands: []*cli.Command{
		session.Command(),
	}}
}

const example = `  sp tenant create --name my-shop   make a tenant with a database
  sp exec -- npm start              run a command with that database
`

const exitCodes = `
Exit codes: 0 done, 1 bug, 2 usage, 3 not found, 4 exists or conflict,
5 nothing to resolve, 6 store, 7 busy, 8 incomplete, 9 unavailable or refused.
`
