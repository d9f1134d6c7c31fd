package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

// root returns the tree of commands. Each has a constructor, one file a noun; those
// that the documents write under `cloud` or `admin` are there a second time.
func (a *app) root() *cli.Command {
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
		Commands: []*cli.Command{
			a.initCommand(), a.importCommand(), a.exportCommand(), a.backupCommand(), a.restoreCommand(),
			a.tenantCommands(), a.profileCommands(), a.sessionCommands(),
			a.resolveCommand(), a.explainCommand(), a.statusCommand(), a.doctorCommand(),
			a.logCommand(), a.tenantShowCommand(), a.undoCommand(),
			a.versionCommand(), a.helpCommand(),
		},
	}
	root.Commands = append(root.Commands, hidden(append(a.laterCommands(),
		a.cloudCommands(), group("admin", "the same session commands, as the documents write them", a.sessionCommands()))...)...)
	_ = root.Walk(func(cmd *cli.Command) error { // it returns what this returns
		a.complete(cmd)
		return nil
	})
	return root
}

// cloudCommands is the word `cloud`, under which the documents write most commands.
func (a *app) cloudCommands() *cli.Command {
	cloud := group("cloud", "the same tenant and profile commands, likewise", a.tenantCommands(), a.profileCommands())
	cloud.Commands = append(cloud.Commands, a.laterCloudCommands()...)
	return cloud
}

// hidden takes commands out of the help of the program, which has to fit a screen.
func hidden(commands ...*cli.Command) []*cli.Command {
	for _, command := range commands {
		command.Hidden = true
	}
	return commands
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
