package main

import (
	"strings"

	frame "github.com/sp-registry/sp/internal/cli"
	"github.com/urfave/cli/v3"
)

// inOldTree is a command that has its own package, as the old tree finds it and shows it. It is
// not run from there.
func inOldTree(build func() *frame.Command) func(*app) *cli.Command {
	return func(*app) *cli.Command { return shownCommand(build()) }
}

func shownCommand(c *frame.Command) *cli.Command {
	made := &cli.Command{Name: c.Name, Usage: c.Usage, Description: c.Description, ArgsUsage: argsUsage(c)}
	for _, f := range c.Flags {
		if f.Value == "" {
			made.Flags = append(made.Flags, &cli.BoolFlag{Name: f.Name, Usage: f.Usage})
		} else {
			made.Flags = append(made.Flags, &cli.StringFlag{Name: f.Name, Usage: f.Usage})
		}
	}
	for _, sub := range c.Commands {
		made.Commands = append(made.Commands, shownCommand(sub))
	}
	return made
}

func argsUsage(c *frame.Command) string {
	words := make([]string, len(c.Args))
	for i, arg := range c.Args {
		words[i] = arg.Name
		if arg.Repeated {
			words[i] += "..."
		}
		if arg.Optional {
			words[i] = "[" + words[i] + "]"
		}
	}
	if c.Rest {
		words = append(words, "[ARGUMENT...]")
	}
	return strings.Join(words, " ")
}
