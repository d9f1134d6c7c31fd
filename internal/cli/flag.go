package cli

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v3"
)

// Flag is a named option of a command.
type Flag struct {
	Name  string
	Short string // one letter; "" for none
	Usage string
	// Value is the name of the value in help, such as ID. A flag without one is true or false.
	Value string
	Kind  Kind
	// Default is the value of a flag that is not given, as help shows it.
	Default string
	// Secret keeps the value out of messages and the history.
	Secret bool
	// Empty allows an empty value. Otherwise it is refused: a script whose variable is not set must
	// not get the result of leaving the flag out.
	Empty bool
	// Silent leaves the flag out of the history, because it only changes how the command answers.
	Silent bool

	make func(Flag) cli.Flag
}

// Bool returns a flag without a value.
func Bool(name, usage string) Flag {
	return Flag{Name: name, Usage: usage, make: func(f Flag) cli.Flag {
		return &cli.BoolFlag{Name: f.Name, Aliases: f.aliases(), Usage: f.Usage, OnlyOnce: f.Name != "yes"}
	}}
}

// String returns a flag with a text value, which help calls value.
func String(name, value, usage string) Flag {
	return Flag{Name: name, Value: value, Usage: usage, make: func(f Flag) cli.Flag {
		return &cli.StringFlag{Name: f.Name, Aliases: f.aliases(), Usage: f.Usage, OnlyOnce: true}
	}}
}

// Strings returns a flag that may be given several times.
func Strings(name, value, usage string) Flag {
	return Flag{Name: name, Value: value, Usage: usage, make: func(f Flag) cli.Flag {
		return &cli.StringSliceFlag{Name: f.Name, Aliases: f.aliases(), Usage: f.Usage}
	}}
}

// Int returns a flag with a whole number.
func Int(name, value, usage string) Flag {
	return Flag{Name: name, Value: value, Usage: usage, Kind: Kind{Name: "number"}, make: func(f Flag) cli.Flag {
		return &cli.IntFlag{Name: f.Name, Aliases: f.aliases(), Usage: f.Usage, OnlyOnce: true}
	}}
}

// Duration returns a flag with a duration such as 24h, which must not be negative.
func Duration(name string, otherwise time.Duration, usage string) Flag {
	return Flag{Name: name, Value: "DURATION", Usage: usage, Kind: Kind{Name: "duration"}, Default: shortDuration(otherwise), make: func(f Flag) cli.Flag {
		return &cli.DurationFlag{Name: f.Name, Aliases: f.aliases(), Usage: f.Usage, Value: otherwise, OnlyOnce: true}
	}}
}

// Choice returns a flag whose value is one of the given words.
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

// Yes returns the flag -y, which answers the question of a destructive command.
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
