package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

const helpWord = "help"

// Help returns the command help.
func Help() *Command {
	return &Command{
		Name: helpWord, Usage: "show the help of a command, as COMMAND --help does",
		Args: []Arg{{Name: "COMMAND", Optional: true, Repeated: true}},
		Run: func(_ context.Context, c *Context) (Answer, error) {
			command, words, err := c.program.find(c.Args())
			if err != nil {
				return Answer{}, err
			}
			if len(words) < len(c.Args()) {
				return Answer{}, Hint(Usage("%s has no commands under it", strings.Join(words, " ")), "%s %s --help", c.program.Name, strings.Join(words, " "))
			}
			return c.program.helpOf(command, words...), nil
		},
	}
}

// help answers --help and -h, wherever they stand before --, with the help of the command that the
// words name.
func (c *Context) help() (answer Answer, asked bool, err error) {
	if !c.program.holds(c.args, "--help", "-h") {
		return Answer{}, false, nil
	}
	command, words, err := c.program.find(beforeDashes(c.args[1:]))
	if err != nil {
		return Answer{}, true, err
	}
	return c.program.helpOf(command, words...), true, nil
}

// find returns the command that words name. Flags are passed over, and so is what a command takes.
func (p *Program) find(args []string) (command *Command, words []string, err error) {
	command = &Command{Name: p.Name, Usage: p.Usage, Commands: p.branch(append([]string{p.Name}, args...))}
	for i := 0; i < len(args) && len(command.Commands) > 0; i++ {
		if strings.HasPrefix(args[i], "-") {
			if flag, whole := p.globalIn(args[i]); flag != nil && flag.Value != "" && !whole {
				i++
			}
			continue
		}
		at := slices.IndexFunc(command.Commands, func(sub *Command) bool { return sub.Name == args[i] })
		if at < 0 && !command.IsGroup() {
			break // it is what the command takes
		}
		if at < 0 {
			return command, words, p.unknown(command, words, args[i])
		}
		command, words = command.Commands[at], append(words, args[i])
	}
	return command, words, nil
}

// helpOf is the help of a command; without words it is the program's.
func (p *Program) helpOf(command *Command, words ...string) Answer {
	text := p.commandHelp(command, words)
	if len(words) == 0 {
		text = p.programHelp()
	}
	return Answer{Value: p.Describe(command, words...), Text: text}
}

// programHelp fits a screen.
func (p *Program) programHelp() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s - %s\n\n%s\nCommands (COMMAND --help says more):\n", p.Name, p.Usage, p.Help)
	for _, noun := range p.Nouns {
		if !noun.Hidden {
			fmt.Fprintf(&b, "  %-9s %s\n", noun.Name, noun.Build().Usage)
		}
	}
	if p.Default != "" {
		fmt.Fprintf(&b, "\nFlags of %s alone and of %[1]s %s, which do the same:\n", p.Name, p.Default)
		writeFlags(&b, p.noun(p.Default).Build().Flags)
	}
	b.WriteString("\nFlags of every command:\n")
	writeFlags(&b, p.globals())
	b.WriteString(p.Foot)
	return b.String()
}

func (p *Program) commandHelp(command *Command, words []string) string {
	var b strings.Builder
	full := p.Name + " " + strings.Join(words, " ")
	fmt.Fprintf(&b, "%s\n\nUsage:\n  %s", strings.Join(Wrap(full+" - "+command.Usage, helpColumns), "\n  "), full)
	if command.IsGroup() {
		b.WriteString(" COMMAND")
	}
	b.WriteString(command.forms() + "\n")
	if command.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", command.Description)
	}
	if len(command.Commands) > 0 {
		b.WriteString("\nCommands:\n")
		var rows [][2]string
		for _, sub := range command.Commands {
			rows = append(rows, [2]string{sub.Name, sub.Usage})
		}
		writePairs(&b, rows)
	}
	if len(command.Flags) > 0 {
		b.WriteString("\nFlags:\n")
		writeFlags(&b, command.Flags)
	}
	return b.String()
}

// helpColumns is how wide help may be.
const helpColumns = 80

// writeFlags writes flags and what they do.
func writeFlags(b *strings.Builder, flags []Flag) {
	var rows [][2]string
	for _, f := range flags {
		about := f.Usage
		if f.Default != "" {
			about += " (default " + f.Default + ")"
		}
		rows = append(rows, [2]string{f.form(), about})
	}
	writePairs(b, rows)
}

// writePairs writes words and what they mean; what does not fit in the line goes on in the next.
func writePairs(b *strings.Builder, rows [][2]string) {
	widest := 0
	for _, row := range rows {
		widest = max(widest, len(row[0]))
	}
	widest = min(widest, 28)
	for _, row := range rows {
		word := row[0]
		for _, line := range Wrap(row[1], helpColumns-widest-4) {
			if len(word) > widest {
				fmt.Fprintf(b, "  %s\n", word)
				word = ""
			}
			fmt.Fprintf(b, "  %-*s  %s\n", widest, word, line)
			word = ""
		}
	}
}

// form is a flag as it is typed: -y, --yes.
func (f Flag) form() string {
	form := "--" + f.Name
	if f.Value != "" {
		form += " " + f.Value
	}
	if f.Short != "" {
		form = "-" + f.Short + ", " + form
	}
	return form
}

// Wrap breaks a text at spaces into lines of at most the given number of columns.
func Wrap(text string, columns int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && Width(line)+1+Width(word) > columns {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

// wrapKeeping is Wrap that does not break within some texts.
func wrapKeeping(text string, columns int, kept []string) []string {
	const joint = "\x00"                                                    // which no printable text holds
	slices.SortFunc(kept, func(a, b string) int { return len(b) - len(a) }) // one may begin another
	for _, keep := range kept {
		text = strings.ReplaceAll(text, keep, strings.ReplaceAll(keep, " ", joint))
	}
	lines := Wrap(text, columns)
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, joint, " ")
	}
	return lines
}

// Description is a command in JSON, with all commands below it.
type Description struct {
	Command  string          `json:"command"`
	Usage    string          `json:"usage"`
	About    *string         `json:"description"`
	Args     []DescribedArg  `json:"arguments"`
	Flags    []DescribedFlag `json:"flags"`
	Commands []Description   `json:"commands"`
	// Exits are those of the whole program, and only in its own description.
	Exits []DescribedExit `json:"exits"`
}

// DescribedArg is an argument in JSON.
type DescribedArg struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	Choices  []string `json:"choices"`
	Optional bool     `json:"optional"`
	Repeated bool     `json:"repeated"`
}

// DescribedFlag is a flag in JSON.
type DescribedFlag struct {
	Name    string   `json:"name"`
	Short   *string  `json:"short"`
	Value   *string  `json:"value"`
	Kind    string   `json:"kind"`
	Choices []string `json:"choices"`
	Default *string  `json:"default"`
	Usage   string   `json:"usage"`
}

// DescribedExit is an exit code with its code word.
type DescribedExit struct {
	Exit int    `json:"exit"`
	Code string `json:"code"`
}

// Describe returns the description of a command and of all commands below it.
func (p *Program) Describe(command *Command, words ...string) Description {
	d := Description{
		Command: strings.Join(words, " "), Usage: command.Usage, About: nonEmpty(command.Description),
		Args: []DescribedArg{}, Flags: []DescribedFlag{}, Commands: []Description{}, Exits: []DescribedExit{},
	}
	for _, arg := range command.Args {
		d.Args = append(d.Args, DescribedArg{arg.Name, arg.Kind.name(), orNone(arg.Kind.Choices), arg.Optional, arg.Repeated})
	}
	flags := command.Flags
	if len(words) == 0 {
		flags = p.globals()
		d.Exits = p.exits()
	}
	for _, f := range flags {
		kind := f.Kind.name()
		if f.Value == "" {
			kind = "truth"
		}
		d.Flags = append(d.Flags, DescribedFlag{f.Name, nonEmpty(f.Short), nonEmpty(f.Value), kind, orNone(f.Kind.Choices), nonEmpty(f.Default), f.Usage})
	}
	for _, sub := range command.Commands {
		d.Commands = append(d.Commands, p.Describe(sub, append(slices.Clone(words), sub.Name)...))
	}
	return d
}

func (p *Program) exits() []DescribedExit {
	all := []DescribedExit{{0, "done"}, {1, "internal"}}
	for _, fault := range p.faults() {
		if exit := (DescribedExit{fault.Exit, fault.Code}); !slices.Contains(all, exit) {
			all = append(all, exit)
		}
	}
	slices.SortStableFunc(all, func(a, b DescribedExit) int { return a.Exit - b.Exit })
	return all
}

func (k Kind) name() string {
	switch {
	case k.Choices != nil:
		return "choice"
	case k.Name == "":
		return "text"
	}
	return k.Name
}

func nonEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func orNone(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}
