package cli

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v3"
)

// Flag is a value that a command takes by its name.
type Flag struct {
	Name  string
	Short string // one letter; "" for none
	Usage string
	// Value is how help names the value: ID. A flag without one is true or false.
	Value string
	Kind  Kind
	// Default is what holds where it is not given, as help shows it.
	Default string
	// Secret values are kept out of what is told and of the history.
	Secret bool
	// Empty values mean something; else they are refused: a script whose variable is not set
	// must not get what it would have got without the flag.
	Empty bool
	// Silent flags only say how to answer, and are left out of the history.
	Silent bool

	make func(Flag) cli.Flag
}

// Bool is a flag without a value.
func Bool(name, usage string) Flag {
	return Flag{Name: name, Usage: usage, make: func(f Flag) cli.Flag {
		return &cli.BoolFlag{Name: f.Name, Aliases: f.aliases(), Usage: f.Usage, OnlyOnce: f.Name != "yes"}
	}}
}

// String is a flag with a text, which help calls value.
func String(name, value, usage string) Flag {
	return Flag{Name: name, Value: value, Usage: usage, make: func(f Flag) cli.Flag {
		return &cli.StringFlag{Name: f.Name, Aliases: f.aliases(), Usage: f.Usage, OnlyOnce: true}
	}}
}

// Strings is a flag that may be given several times.
func Strings(name, value, usage string) Flag {
	return Flag{Name: name, Value: value, Usage: usage, make: func(f Flag) cli.Flag {
		return &cli.StringSliceFlag{Name: f.Name, Aliases: f.aliases(), Usage: f.Usage}
	}}
}

// Int is a flag with a whole number.
func Int(name, value, usage string) Flag {
	return Flag{Name: name, Value: value, Usage: usage, Kind: Kind{Name: "number"}, make: func(f Flag) cli.Flag {
		return &cli.IntFlag{Name: f.Name, Aliases: f.aliases(), Usage: f.Usage, OnlyOnce: true}
	}}
}

// Duration is a flag with a time such as 24h, which is not before now.
func Duration(name string, otherwise time.Duration, usage string) Flag {
	return Flag{Name: name, Value: "DURATION", Usage: usage, Kind: Kind{Name: "duration"}, Default: shortDuration(otherwise), make: func(f Flag) cli.Flag {
		return &cli.DurationFlag{Name: f.Name, Aliases: f.aliases(), Usage: f.Usage, Value: otherwise, OnlyOnce: true}
	}}
}

// Choice is a flag with one of some words.
func Choice(name, usage string, choices ...string) Flag {
	f := String(name, "", usage)
	f.Kind = Kind{Choices: choices}
	for i, choice := range choices {
		if i > 0 {
			f.Value += "|"
		}
		f.Value += choice
	}
	return f
}

// Yes answers the question of a destructive command.
func Yes() Flag {
	f := Bool("yes", "do it without asking")
	f.Short, f.Silent = "y", true
	return f
}

func (f Flag) aliases() []string {
	if f.Short == "" {
		return nil
	}
	return []string{f.Short}
}

// shortDuration is 24h, where Go says 24h0m0s.
func shortDuration(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
