package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"
)

// The commands of the documents that need the cloud, a database server of our own
// making, or the application: each says so, nothing pretends.

// later is a command that takes any arguments and flags and does not exist yet.
func later(name, usage, why string) *cli.Command {
	return &cli.Command{
		Name:            name,
		Usage:           usage + " (not offered yet)",
		ArgsUsage:       "[ARGUMENT...]",
		SkipFlagParsing: true,
		Action: func(_ context.Context, cmd *cli.Command) error {
			if len(cmd.Args().Slice()) == 1 && cmd.Args().First() == "--help" {
				return cli.ShowSubcommandHelp(cmd)
			}
			return fmt.Errorf("%s: %w: %s", commandWords(cmd), errUnsupported, why)
		},
	}
}

const (
	needsCloud       = "this sp does not talk to SystemPrompt Cloud"
	needsServer      = "this sp does not run PostgreSQL servers"
	needsApplication = "this belongs to the application, not to its registry"
)

// laterTenantCommands stand under tenant.
func laterTenantCommands() []*cli.Command {
	return []*cli.Command{
		later("rotate-credentials", "new database credentials", needsCloud),
		later("rotate-sync-token", "a new sync token", needsCloud),
		later("cancel", "cancel a cloud tenant's subscription", needsCloud),
	}
}

// laterCloudCommands stand under cloud only.
func (a *app) laterCloudCommands() []*cli.Command {
	return []*cli.Command{
		group("auth", "the account at SystemPrompt Cloud", later("login", "log in", needsCloud)),
		later("login", "log in", needsCloud),
		group("sync", "files to and from the cloud", later("push", "send files", needsCloud), later("pull", "fetch files", needsCloud)),
		later("deploy", "deploy the application", needsApplication),
	}
}

// laterCommands stand at the top.
func (a *app) laterCommands() []*cli.Command {
	return []*cli.Command{
		later("login", "log in to SystemPrompt Cloud", needsCloud),
		group("db", "the PostgreSQL server for local tenants",
			later("up", "start it", needsServer), later("down", "stop it", needsServer), later("status", "tell how it is", needsServer)),
		group("infra", "the application's own infrastructure",
			group("db", "its database", later("migrate", "run its migrations", needsApplication))),
	}
}
