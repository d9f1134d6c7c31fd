package cli

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/urfave/cli/v3"
)

// missingCommand is what a group does: it has nothing to do itself.
func (c *Context) missingCommand() (Answer, error) {
	if c.parsed.Args().Present() {
		return Answer{}, c.program.unknown(c.command, strings.Fields(c.Command), c.parsed.Args().First())
	}
	if c.Command == "" {
		return c.program.helpOf(c.command), nil
	}
	return Answer{}, Hint(Usage("%s: which command?", c.Command), "%s --help lists them", c.full())
}

// unknown is the error of who asked a group for a command that it has not.
func (p *Program) unknown(group *Command, words []string, word string) error {
	if !isFlagName(word) {
		word = "***"
	}
	asked := strings.Join(append(slices.Clone(words), word), " ")
	err := Usage("unknown command %s", asked)
	if p.Instead != nil {
		if advice := p.Instead(asked); !advice.Empty() {
			return HintAt(err, advice)
		}
	}
	commands := group.Commands
	if len(words) == 0 {
		commands = p.listed()
	}
	near := meant(word, commands)
	if len(words) == 0 && near != nil {
		near = append(below(word, commands, nil), near...)
	} else if len(words) == 0 {
		near = below(word, commands, synonyms[word])
	}
	full := strings.Join(append([]string{p.Name}, words...), " ")
	if near != nil {
		return Hint(err, "did you mean %s %s?", full, strings.Join(near, " or "+full+" "))
	}
	return Hint(err, "%s --help lists the commands", full)
}

// listed are the commands at the top that the program's help lists.
func (p *Program) listed() (listed []*Command) {
	for _, noun := range p.Nouns {
		if !noun.Hidden {
			listed = append(listed, noun.Build())
		}
	}
	return listed
}

// below is the first command of a group that has this very name, or another one of it.
func below(word string, groups []*Command, synonyms []string) []string {
	for _, group := range groups {
		for _, command := range group.Commands {
			if !command.loose && (command.Name == word || slices.Contains(synonyms, command.Name)) {
				return []string{group.Name + " " + command.Name}
			}
		}
	}
	return nil
}

func (c *Context) full() string { return strings.TrimSpace(c.program.Name + " " + c.Command) }

// otherProgram is for who gave a command what its program takes.
func (c *Context) otherProgram() string {
	if c.command.mustHaveRest() {
		return "the command comes after --: " + c.full() + " " + c.command.Rest
	}
	return c.command.Name + "'s own arguments come after --: " + c.full() + " " + strings.Trim(c.command.Rest, "[]")
}

// missingRest refuses a command line without what is to be run. Words may have been meant for that.
func (c *Context) missingRest(given []string) error {
	err := Usage("%s: there is no command after --", c.Command)
	if len(given) == 0 || slices.Contains(c.args, "--") {
		return Hint(err, "%s", c.synopsis())
	}
	words := make([]string, len(given))
	for i, word := range given {
		words[i] = Harmless(word)
	}
	return Hint(err, "did you mean %s -- %s?\n%s", c.full(), strings.Join(words, " "), c.synopsis())
}

// synonyms are what other programs call a command.
var synonyms = map[string][]string{
	"ls": {"list"}, "rm": {"delete", "remove"}, "remove": {"delete"}, "del": {"delete"}, "add": {"create", "set"}, "new": {"create"},
	"use": {"select", "switch"}, "rename": {"edit"}, "update": {"edit"}, "get": {"show"}, "describe": {"show"}, "info": {"show"},
}

// meant are the commands that a word means, perhaps: the nearest, or all that begin so. None of them always
// fails, or destroys something by a mistyped name.
func meant(word string, commands []*Command) []string {
	var names []string
	for _, command := range commands {
		if slices.Contains(synonyms[word], command.Name) {
			return []string{command.Name}
		}
		if !command.loose && !destroys(command.Name) && command.Name != word {
			names = append(names, command.Name)
		}
	}
	near := Near(word, names)
	begun := slices.DeleteFunc(slices.Clone(near), func(name string) bool { return !strings.HasPrefix(name, word) })
	switch {
	case len(begun) > 1:
		return begun
	case len(near) > 0:
		return near[:1]
	}
	return nil
}

// isNear tells whether a suggestion is more than the least bad one: the library
// always has one.
func isNear(word, suggestion string) bool {
	return word != "" && suggestion != "" && word[0] == suggestion[0] && max(len(word), len(suggestion)) < 2*min(len(word), len(suggestion))
}

// isFlagName tells what may be repeated of a mistyped flag or command; anything else
// might be a value, and so a secret.
func isFlagName(word string) bool {
	return word != "" && len(word) <= 31 && word[0] != '-' && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz-") == ""
}

// usageError words the library's complaint anew, because it quotes values.
func (c *Context) usageError(command *Command) cli.OnUsageErrorFunc {
	return func(_ context.Context, parsed *cli.Command, err error, _ bool) error {
		c.command, c.Command = command, strings.Join(c.program.words(parsed), " ")
		return c.misused(err.Error())
	}
}

func (c *Context) misused(text string) error {
	help := c.full() + " --help"
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		name = strings.TrimLeft(name, "-")
		if err := c.unknownBefore(name); err != nil {
			return err
		}
		if !isFlagName(name) {
			return Hint(Usage("%s", c.about("unknown flag")), "%s", help)
		}
		dashes := strings.Repeat("-", min(len(name), 2))
		err := Usage("%s", c.about("unknown flag "+dashes+name))
		if c.command.Rest != "" {
			return Hint(err, "%s", c.otherProgram())
		}
		if near := cli.SuggestFlag(libraryFlags(append(slices.Clone(c.command.Flags), c.program.globals()...)), name, true); isNear(name, strings.TrimLeft(near, "-")) {
			return Hint(err, "did you mean %s?", near)
		}
		return Hint(err, "%s", help)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: "); ok {
		return Hint(Usage("%s", c.about("flag "+name+" needs a value")), "%s", help)
	}
	if found := invalidValue().FindStringSubmatch(text); found != nil {
		why, dashes := c.wrongValue(found[1]), strings.Repeat("-", min(len(found[1]), 2))
		if strings.HasSuffix(text, "can't duplicate this flag") {
			why = "given more than once"
		}
		return Hint(Usage("%s", c.about("flag "+dashes+found[1]+": "+why)), "%s", help)
	}
	return Hint(Usage("%s", c.about("the flags can't be read")), "%s", help)
}

// unknownBefore is the error of a command that a group has not, if it stands before a flag: the flag may be
// one of the command that was meant.
func (c *Context) unknownBefore(flag string) error {
	at := slices.IndexFunc(c.args, func(arg string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		return strings.HasPrefix(arg, "-") && name == flag
	})
	if at < 1 || !c.command.IsGroup() {
		return nil
	}
	_, _, err := c.program.find(c.args[1:at])
	return err
}

// wrongValue says what the value of a flag has to be that the library could not read.
func (c *Context) wrongValue(name string) string {
	if flag := c.flag(name); flag != nil {
		switch flag.Kind.Name {
		case "duration":
			return "not a duration such as 90s, 30m or 24h; a day is 24h"
		case "number":
			return "not a whole number"
		}
	}
	return "the value can't be used"
}

// invalidValue finds the flag's name in the library's words; the greedy start skips
// whatever the quoted value holds.
var invalidValue = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)^invalid value .* for flag -{1,2}([a-z-]+): `)
})

// asksForJSON tells whether the arguments hold --json, where they can't be read so far.
func asksForJSON(args []string) bool {
	return slices.ContainsFunc(beforeDashes(args), func(arg string) bool {
		name, value, given := strings.Cut(strings.TrimPrefix(arg, "-"), "=") // one dash or two, as the library has it
		yes, _ := strconv.ParseBool(value)
		return strings.HasPrefix(arg, "-") && strings.TrimPrefix(name, "-") == jsonFlag && (!given || yes)
	})
}
