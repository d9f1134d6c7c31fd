package cli

import (
	"slices"
	"strings"
	"time"
)

// check compares what was given with the arguments and flags that the command takes.
func (c *Context) check() error {
	given, args := c.own(), c.command.Args
	if c.command.mustHaveRest() && len(c.Rest()) == 0 {
		return c.missingRest(given)
	}
	if err := c.refuseEmpty(given); err != nil {
		return err
	}
	required := 0
	for _, arg := range args {
		if !arg.Optional {
			required++
		}
	}
	if len(given) < required {
		return Hint(Usage("%s: %s is missing", c.Command, args[len(given)].Name), "%s", c.synopsis())
	}
	if many := len(args) > 0 && args[len(args)-1].Repeated; len(given) > len(args) && !many {
		hint := c.synopsis()
		if c.command.Rest != "" {
			hint = c.otherProgram() + "\n" + hint
		}
		if named := slices.ContainsFunc(c.command.Flags, func(f Flag) bool { return f.Name == "name" }); named && len(args) == 0 && len(given) == 1 {
			hint = c.full() + " --name " + Harmless(given[0]) + "\n" + hint
		}
		return Hint(Usage("%s: too many arguments", c.Command), "%s", hint)
	}
	for i, word := range given {
		if err := args[min(i, len(args)-1)].Kind.check(c.about(args[min(i, len(args)-1)].Name), word); err != nil {
			return err
		}
	}
	for _, flag := range c.command.Flags {
		if flag.Value != "" && c.IsSet(flag.Name) {
			if text, ok := c.parsed.Value(flag.Name).(string); ok {
				if err := flag.Kind.check(c.about("--"+flag.Name), text); err != nil {
					return err
				}
			}
		}
	}
	if c.JSON && c.command.NoJSON != "" {
		return Usage("%s: %s", c.Command, c.command.NoJSON)
	}
	return nil
}

// check refuses a word that is not of the kind; what is how errors name it.
func (k Kind) check(what, word string) error {
	if k.Choices != nil && !slices.Contains(k.Choices, word) {
		return Usage("%s must be %s", what, oneOf(k.Choices))
	}
	if k.Check != nil {
		return k.Check(word)
	}
	return nil
}

// oneOf lists choices: local or cloud.
func oneOf(choices []string) string {
	last := len(choices) - 1
	if last < 1 {
		return strings.Join(choices, "")
	}
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}

// refuseEmpty refuses what is given and empty.
func (c *Context) refuseEmpty(given []string) error {
	for i, word := range given {
		if args := c.command.Args; word == "" && i < len(args) {
			return Usage("%s", c.about(args[i].Name+" is empty"))
		}
	}
	for _, flags := range [][]Flag{c.command.Flags, c.program.Flags} {
		for _, flag := range flags {
			if !c.IsSet(flag.Name) {
				continue
			}
			switch value := c.parsed.Value(flag.Name).(type) {
			case string:
				if value == "--" {
					return Usage("%s", c.about("flag --"+flag.Name+" needs a value"))
				}
				if value == "" && !flag.Empty {
					return Usage("%s", c.about("--"+flag.Name+" is empty"))
				}
			case time.Duration:
				if value < 0 {
					return Usage("%s", c.about("--"+flag.Name+" is before now"))
				}
			}
		}
	}
	return nil
}

// own are the arguments without those of another program, which may be anything.
func (c *Context) own() []string {
	if c.command.Rest == "" {
		return c.Args()
	}
	return c.Before()
}

// Before returns the arguments before --.
func (c *Context) Before() []string {
	given := c.Args()
	return given[:max(0, len(given)-len(c.Rest()))]
}

// Rest returns the arguments after --, which belong to another program.
func (c *Context) Rest() []string {
	at := slices.Index(c.args, "--")
	if at < 0 {
		return nil
	}
	return c.args[at+1:]
}

// about puts the command's name before a text; the program itself has none.
func (c *Context) about(what string) string {
	if c.Command == "" {
		return what
	}
	return c.Command + ": " + what
}

// synopsis is how a command is used.
func (c *Context) synopsis() string {
	return strings.TrimSpace("usage: " + c.program.Name + " " + c.Command + " " + c.command.usage())
}

// usage returns a command's arguments as help shows them.
func (c *Command) usage() string { return strings.Join(append(c.words(), c.rest()...), " ") }

// forms returns what may follow the command's name on a command line, with a space before it.
func (c *Command) forms() string {
	words := c.words()
	if len(c.Flags) > 0 {
		words = append(words, "[flags]")
	}
	text := ""
	for _, word := range append(words, c.rest()...) {
		text += " " + word
	}
	return text
}

// words are a command's own arguments.
func (c *Command) words() (words []string) {
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
	return words
}

// rest is what may stand behind them, for another program.
func (c *Command) rest() []string {
	if c.Rest == "" {
		return nil
	}
	return []string{c.Rest}
}

// mustHaveRest tells whether something has to stand after --.
func (c *Command) mustHaveRest() bool { return strings.HasPrefix(c.Rest, "--") }
