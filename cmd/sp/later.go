package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/urfave/cli/v3"
)

// The commands of the documents that need the cloud or the application: each says so,
// nothing pretends.

// later is a command that takes any arguments and flags and does not exist yet.
func (a *app) later(name, usage, why string) *cli.Command {
	return &cli.Command{
		Name:            name,
		Usage:           usage + " (not offered yet)",
		ArgsUsage:       "[ARGUMENT...]",
		SkipFlagParsing: true,
		Action: func(_ context.Context, cmd *cli.Command) error {
			a.json = a.json || asksForJSON(a.args) // its flags are not read
			if slices.ContainsFunc(cmd.Args().Slice(), asksForHelp) {
				return cli.ShowSubcommandHelp(cmd)
			}
			return fmt.Errorf("%s: %w: %s", commandWords(cmd), errUnsupported, why)
		},
	}
}

func asksForHelp(word string) bool { return word == "--help" || word == "-h" }

const (
	needsCloud       = "this sp does not talk to SystemPrompt Cloud"
	needsApplication = "this belongs to the application, not to its registry"
)

// laterCloudCommands stand under cloud, and at the top too.
func laterCloudCommands() []topCommand {
	return []topCommand{
		{"auth", func(a *app) *cli.Command {
			return group("auth", "the account at SystemPrompt Cloud", a.later("login", "log in", needsCloud))
		}},
		{"login", func(a *app) *cli.Command { return a.later("login", "log in to SystemPrompt Cloud", needsCloud) }},
		{"sync", func(a *app) *cli.Command {
			return group("sync", "files to and from the cloud", a.later("push", "send files", needsCloud), a.later("pull", "fetch files", needsCloud))
		}},
		{"deploy", func(a *app) *cli.Command { return a.later("deploy", "deploy the application", needsApplication) }},
	}
}

// laterCommands stand at the top.
func laterCommands() []topCommand {
	return append(laterCloudCommands(),
		topCommand{"infra", func(a *app) *cli.Command {
			return group("infra", "the application's own infrastructure",
				group("db", "its database", a.later("migrate", "run its migrations", needsApplication)))
		}})
}
