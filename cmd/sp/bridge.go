package main

import (
	"context"
	"errors"
	"strings"

	moving "github.com/sp-registry/sp/internal/cli"
	"github.com/urfave/cli/v3"
)

// bridged is a command that has a package of its own, as the old tree lists it. It is never run from
// there: moved sees to that.
func bridged(build func() *moving.Command) func(*app) *cli.Command {
	return func(*app) *cli.Command { return bridge(build()) }
}

func bridge(c *moving.Command) *cli.Command {
	made := &cli.Command{Name: c.Name, Usage: c.Usage, Description: c.Description}
	if !c.IsGroup() {
		made.Action = func(context.Context, *cli.Command) error { return errors.New("this command has moved") }
	}
	var words []string
	for _, arg := range c.Args {
		word := arg.Name
		if arg.Repeated {
			word += "..."
		}
		if arg.Optional {
			word = "[" + word + "]"
		}
		words = append(words, word)
	}
	made.ArgsUsage = strings.Join(words, " ")
	for _, f := range c.Flags {
		if f.Value == "" {
			made.Flags = append(made.Flags, boolFlag(f.Name, f.Usage))
		} else {
			made.Flags = append(made.Flags, stringFlag(f.Name, "`"+f.Value+"`: "+f.Usage))
		}
	}
	for _, sub := range c.Commands {
		made.Commands = append(made.Commands, bridge(sub))
	}
	return made
}
