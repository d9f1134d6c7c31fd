package main

import (
	"context"
	"strings"

	"github.com/sp-registry/sp/internal/cli/database"
	"github.com/sp-registry/sp/internal/cli/files"
	"github.com/sp-registry/sp/internal/cli/history"
	"github.com/sp-registry/sp/internal/cli/profile"
	"github.com/sp-registry/sp/internal/cli/session"
	tenants "github.com/sp-registry/sp/internal/cli/tenant"
	"github.com/sp-registry/sp/internal/cli/work"
	"github.com/urfave/cli/v3"
)

// topCommand is a command of the top. It is built when it is wanted: building and setting
// up all of them takes as long as the rest of a resolve.
type topCommand struct {
	name  string
	build func(*app) *cli.Command
}

// topCommands are the commands that the help shows, one file a noun.
func topCommands() []topCommand {
	return []topCommand{
		{"init", inOldTree(files.Init)},
		{"import", inOldTree(files.Import)},
		{"export", inOldTree(files.Export)},
		{"backup", inOldTree(history.Backup)},
		{"restore", inOldTree(history.Restore)},
		{"tenant", inOldTree(tenants.Command)},
		{"profile", inOldTree(profile.Command)},
		{"session", inOldTree(session.Command)},
		{"secrets", inOldTree(profile.Secrets)},
		{"db", inOldTree(database.Command)},
		{"resolve", inOldTree(work.Resolve)},
		{"explain", inOldTree(work.Explain)},
		{"psql", inOldTree(work.Psql)},
		{"status", inOldTree(work.Status)},
		{"doctor", inOldTree(work.Doctor)},
		{"trust", inOldTree(files.Trust)},
		{"log", inOldTree(history.Log)},
		{"show", inOldTree(tenants.Show)},
		{"undo", inOldTree(history.Undo)},
		{"version", inOldTree(work.Version)},
		{"help", (*app).helpCommand},
	}
}

// hiddenCommands are left out of the help of the program, which has to fit a screen:
// what is not offered yet, and the same commands under the words of the documents.
func hiddenCommands() []topCommand {
	return append(laterCommands(),
		topCommand{"cloud", (*app).cloudCommands},
		topCommand{"admin", func(a *app) *cli.Command {
			return group("admin", "the same session commands, as the documents write them", shownCommand(session.Command()))
		}})
}

// root returns the tree of commands: all of it for help and for what is no command, else
// only the branch that the arguments name.
func (a *app) root(args []string) *cli.Command {
	root := &cli.Command{
		Name:                          "sp",
		Usage:                         "which database a command talks to, and why",
		CustomRootCommandHelpTemplate: rootHelp,
		Writer:                        &a.out,
		ErrWriter:                     a.stderr,
		HideHelpCommand:               true,
		HideVersion:                   true,
		ExitErrHandler:                func(context.Context, *cli.Command, error) {}, // it would exit by itself
		ArgValidator:                  a.checkArguments,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Usage: "the .systemprompt directory (SP_DIR; else upwards from here)", Destination: &a.dir, OnlyOnce: true},
			&cli.BoolFlag{Name: "json", Usage: "answer with one JSON document", Destination: &a.json, OnlyOnce: true},
		},
		Commands: a.branch(firstWord(args)),
	}
	_ = root.Walk(func(cmd *cli.Command) error { // it returns what this returns
		a.complete(cmd)
		return nil
	})
	return root
}

// branch builds the command of that name; all, if there is none.
func (a *app) branch(name string) []*cli.Command {
	for _, commands := range []func() []topCommand{topCommands, hiddenCommands} {
		for _, e := range commands() {
			if e.name == name {
				return []*cli.Command{e.build(a)}
			}
		}
	}
	return append(a.build(topCommands()), hide(a.build(hiddenCommands()))...)
}

func (a *app) build(entries []topCommand) []*cli.Command {
	commands := make([]*cli.Command, len(entries))
	for i, e := range entries {
		commands[i] = e.build(a)
	}
	return commands
}

func hide(commands []*cli.Command) []*cli.Command {
	for _, command := range commands {
		command.Hidden = true
	}
	return commands
}

// firstWord is the word that names the command; none where that is not plain, behind
// a flag that only the library can read.
func firstWord(args []string) string {
	for i := 1; i < len(args); i++ {
		switch word := args[i]; {
		case word == "--dir":
			i++
		case word == "--json", strings.HasPrefix(word, "--dir="):
		case strings.HasPrefix(word, "-"):
			return ""
		default:
			return word
		}
	}
	return ""
}

// cloudCommands is the word `cloud`, under which the documents write most commands.
func (a *app) cloudCommands() *cli.Command {
	cloud := group("cloud", "the same tenant, profile and secrets commands, likewise",
		shownCommand(tenants.Command()), shownCommand(profile.Command()), shownCommand(profile.Secrets()))
	cloud.Commands = append(cloud.Commands, a.build(laterCloudCommands())...)
	return cloud
}

func group(name, usage string, commands ...*cli.Command) *cli.Command {
	return &cli.Command{Name: name, Usage: usage, Commands: commands}
}

// complete sets what the library would not pass down, and what it would do otherwise:
// print help on stdout after a usage error, and accept unknown words.
func (a *app) complete(cmd *cli.Command) {
	cmd.OnUsageError = a.usageError
	if cmd.CustomHelpTemplate == "" {
		cmd.CustomHelpTemplate = commandHelp
	}
	if cmd.Action == nil {
		cmd.Action = a.missingCommand
	}
}
