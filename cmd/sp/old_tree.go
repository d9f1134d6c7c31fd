package main

import (
	frame "github.com/sp-registry/sp/internal/cli"
	"github.com/urfave/cli/v3"
)

// movedCommands are the commands that have moved, as the old tree lists them in its help and hands
// them to its tests, until it goes. They are run by the frame.
func movedCommands() (moved []topCommand) {
	for _, noun := range program().Nouns {
		if !noun.Hidden {
			moved = append(moved, topCommand{noun.Name, func(*app) *cli.Command { return listed(noun.Build()) }})
		}
	}
	return moved
}

func listed(c *frame.Command) *cli.Command {
	made := &cli.Command{Name: c.Name, Usage: c.Usage, Description: c.Description}
	for _, arg := range c.Args {
		word := arg.Name
		if arg.Optional {
			word = "[" + word + "]"
		}
		made.ArgsUsage += " " + word
	}
	if c.Rest {
		made.ArgsUsage += " [ARGUMENT...]"
	}
	for _, flag := range c.Flags {
		if flag.Value == "" {
			made.Flags = append(made.Flags, boolFlag(flag.Name, flag.Usage))
		} else {
			made.Flags = append(made.Flags, stringFlag(flag.Name, flag.Usage))
		}
	}
	for _, sub := range c.Commands {
		made.Commands = append(made.Commands, listed(sub))
	}
	return made
}
