package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

// version is the one that CHANGELOG.md has at its top.
const version = "0.1.0"

func (a *app) versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Action: func(context.Context, *cli.Command) error {
			if a.json {
				return a.document(map[string]string{"version": version})
			}
			return a.line("sp " + version)
		},
	}
}
