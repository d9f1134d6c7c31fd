package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// Run runs the command that the arguments name (the program's name comes first) and returns the
// exit code.
func (p *Program) Run(ctx context.Context, args []string, w World) int {
	args = p.Meant(args)
	c := &Context{World: w, program: p, args: args, JSON: asksForJSON(args)}
	defer c.out.close()
	answer, err := c.run(ctx)
	return c.finish(answer, err)
}

// Fail reports an error that happened before a command ran, and returns the exit code.
func (p *Program) Fail(args []string, w World, err error) int {
	return (&Context{World: w, program: p, args: args, JSON: asksForJSON(args)}).fail(err)
}

// Parse parses and checks arguments (the program's name comes first) without running the command.
func (p *Program) Parse(ctx context.Context, args []string, w World) (*Context, error) {
	c := &Context{World: w, program: p, args: args, JSON: asksForJSON(args)}
	return c, c.parse(ctx)
}

// Do runs the parsed command and returns its answer without printing it.
func (c *Context) Do(ctx context.Context) (Answer, error) {
	if c.command.Run == nil {
		return c.missingCommand()
	}
	return c.command.Run(ctx, c)
}

func (c *Context) run(ctx context.Context) (Answer, error) {
	if help, asked, err := c.help(); asked {
		return help, err
	}
	if err := c.parse(ctx); err != nil {
		return Answer{}, err
	}
	return c.Do(ctx)
}

// finish prints the answer or the error, and returns the exit code.
func (c *Context) finish(a Answer, err error) int {
	printed := error(nil)
	if answered := err == nil || c.answers(err); answered {
		printed = c.print(a)
	}
	for _, fn := range slices.Backward(c.atClose) {
		printed = errors.Join(printed, fn())
	}
	for _, fn := range slices.Backward(c.atEnd) {
		printed = errors.Join(printed, fn())
	}
	if err == nil && printed != nil && c.Made {
		printed = c.unprinted(printed)
	}
	if err == nil && printed != nil {
		return c.fail(printed)
	}
	c.clearProgress()
	if err == nil || c.answers(err) {
		if unwritten := c.out.copyTo(c.Stdout); unwritten != nil && err == nil {
			err = c.unprinted(unwritten)
		}
	}
	if err == nil {
		return 0
	}
	return c.fail(err)
}

// answers reports whether an answer is printed in spite of an error: the change was made all the
// same, or the answer itself says what is wrong.
func (c *Context) answers(err error) bool {
	fault := c.program.FailureOf(err).fault
	return fault.Told || fault.Made && !c.JSON
}

// unprinted returns the error for an answer that can't be written. After a change, it must still
// say that the change was made.
func (c *Context) unprinted(err error) error {
	if c.Made {
		for _, fault := range c.program.faults() {
			if fault.Made {
				return Hint(fmt.Errorf("%w: the answer could not be written: %w", fault.Err, err), "do not repeat the command; look first")
			}
		}
	}
	return fmt.Errorf("%w: %w", errUnprinted, err)
}

// fail reports an error and returns the exit code.
func (c *Context) fail(err error) int {
	f := c.program.FailureOf(err)
	if c.JSON && f.fault.Told {
		return f.Exit
	}
	if c.JSON {
		text, _ := Marshal(map[string]Failure{"error": f}, 0) // strings always marshal
		_, _ = io.WriteString(c.Stdout, text+"\n")            // nothing is left to report to
		return f.Exit
	}
	c.Note("%s", f.Message)
	for line := range strings.SplitSeq(f.Advice.text, "\n") {
		if line != "" {
			c.say("hint: "+line, f.Advice.kept())
		}
	}
	return f.Exit
}

// parse finds the command that the arguments name, and reads and checks its arguments and flags.
func (c *Context) parse(ctx context.Context) error {
	found := false
	root := c.program.toLibrary(c, c.program.branch(c.args), func(command *Command, parsed *cli.Command) error {
		found, c.command, c.parsed = true, command, parsed
		c.Command = strings.Join(c.program.words(parsed), " ")
		c.JSON = parsed.Bool(jsonFlag) || command.loose && c.JSON // its flags are not read
		if command.IsGroup() {
			return nil
		}
		c.Line = c.line()
		return c.check()
	})
	if err := root.Run(ctx, c.args); err != nil {
		return err
	}
	if !found { // the library printed something of its own, which it has no reason to
		return Usage("that can't be read")
	}
	return nil
}

// words are what the user types to get a command, without the program's name.
func (p *Program) words(parsed *cli.Command) []string {
	return strings.Fields(strings.TrimPrefix(parsed.FullName(), p.Name))
}

// branch builds the noun that the arguments name, or all nouns if they name none.
func (p *Program) branch(args []string) []*Command {
	if at := p.firstWord(args); at > 0 {
		if noun := p.noun(args[at]); noun != nil {
			return []*Command{noun.Build()}
		}
	}
	return p.Tree()
}

// Tree builds all nouns.
func (p *Program) Tree() []*Command {
	all := make([]*Command, len(p.Nouns))
	for i, noun := range p.Nouns {
		all[i] = noun.Build()
	}
	return all
}

// Meant rewrites arguments before they are parsed. --version, anywhere before --, becomes the
// command version, and an optional group's name is left out.
func (p *Program) Meant(args []string) []string {
	const version = "version"
	if p.noun(version) != nil && p.holds(args, "--"+version) {
		meant := []string{p.Name, version}
		if asksForJSON(args) {
			meant = append(meant, "--"+jsonFlag)
		}
		return meant
	}
	if p.Default != "" && p.namesNothing(args) {
		return slices.Insert(slices.Clone(args), 1, p.Default)
	}
	at := p.firstWord(args)
	if at > 0 && args[at] == helpWord {
		at++
	}
	if at > 0 && at+1 < len(args) {
		if noun := p.noun(args[at]); noun != nil && noun.Optional && p.noun(args[at+1]) != nil && !slices.Contains(noun.Own, args[at+1]) {
			return slices.Delete(slices.Clone(args), at, at+1)
		}
	}
	return args
}

// namesNothing tells whether all arguments are flags, of every command or of the one that is meant where
// none is named.
func (p *Program) namesNothing(args []string) bool {
	if p.holds(args, "--help", "-h") {
		return false
	}
	flags := append(p.globals(), p.noun(p.Default).Build().Flags...)
	for i := 1; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			return false
		}
		if takesNext(flags, args[i]) {
			i++
		}
	}
	return true
}

// holds tells whether one of these words stands before --, and not as the value of a flag.
func (p *Program) holds(args []string, words ...string) bool {
	args = beforeDashes(args)
	if !slices.ContainsFunc(args, func(arg string) bool { return slices.Contains(words, arg) }) {
		return false
	}
	command, _, _ := p.find(args[min(1, len(args)):]) // as far as it goes
	flags := append(p.globals(), command.Flags...)
	for i := 1; i < len(args); i++ {
		if slices.Contains(words, args[i]) {
			return true
		}
		if takesNext(flags, args[i]) {
			i++
		}
	}
	return false
}

// takesNext tells whether an argument is a flag whose value is the next one.
func takesNext(flags []Flag, arg string) bool {
	name, dashed := strings.CutPrefix(arg, "-")
	name = strings.TrimPrefix(name, "-")
	return dashed && slices.ContainsFunc(flags, func(f Flag) bool { return f.Value != "" && (f.Name == name || f.Short == name) })
}

// noun is the command of that name at the top, nil if there is none.
func (p *Program) noun(name string) *Noun {
	for i := range p.Nouns {
		if p.Nouns[i].Name == name {
			return &p.Nouns[i]
		}
	}
	return nil
}

func beforeDashes(args []string) []string {
	if end := slices.Index(args, "--"); end >= 0 {
		return args[:end]
	}
	return args
}

// firstWord is where the word stands that names the command of the top; 0 where that is not plain,
// behind a flag that only the library can read.
func (p *Program) firstWord(args []string) int {
	for i := 1; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			return i
		}
		flag, whole := p.globalIn(args[i])
		if flag == nil {
			return 0
		}
		if flag.Value != "" && !whole {
			i++
		}
	}
	return 0
}

// globalIn is the flag of every command that a word is, nil for another one; whole tells that its
// value is in the word.
func (p *Program) globalIn(word string) (flag *Flag, whole bool) {
	name, _, whole := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-"), "=") // one dash or two, as the library has it
	return p.global(name), whole
}

func (p *Program) global(name string) *Flag {
	for _, flag := range p.globals() {
		if flag.Name == name {
			return &flag
		}
	}
	return nil
}

// jsonFlag is the frame's own.
const jsonFlag = "json"

// globals are the flags of every command.
func (p *Program) globals() []Flag {
	return append(slices.Clone(p.Flags), Bool(jsonFlag, "answer with one JSON document"))
}

// toLibrary makes a tree of the library's commands; each calls act with itself.
func (p *Program) toLibrary(c *Context, commands []*Command, act func(*Command, *cli.Command) error) *cli.Command {
	root := &cli.Command{
		Name:            p.Name,
		Writer:          io.Discard, // the library prints nothing
		ErrWriter:       io.Discard,
		HideHelp:        true,
		HideHelpCommand: true,
		HideVersion:     true,
		ExitErrHandler:  func(context.Context, *cli.Command, error) {}, // it would exit by itself
		Flags:           libraryFlags(p.globals()),
	}
	top := &Command{Name: p.Name, Usage: p.Usage, Commands: commands}
	root.Action = func(_ context.Context, parsed *cli.Command) error { return act(top, parsed) }
	root.OnUsageError = c.usageError(top)
	for _, command := range commands {
		root.Commands = append(root.Commands, c.toLibrary(command, act))
	}
	return root
}

func (c *Context) toLibrary(command *Command, act func(*Command, *cli.Command) error) *cli.Command {
	made := &cli.Command{
		Name:            command.Name,
		Writer:          io.Discard,
		HideHelp:        true,
		HideHelpCommand: true,
		Flags:           libraryFlags(command.Flags),
		Action:          func(_ context.Context, parsed *cli.Command) error { return act(command, parsed) },
		OnUsageError:    c.usageError(command),
		SkipFlagParsing: command.loose,
	}
	for _, sub := range command.Commands {
		made.Commands = append(made.Commands, c.toLibrary(sub, act))
	}
	return made
}

func libraryFlags(flags []Flag) []cli.Flag {
	made := make([]cli.Flag, len(flags))
	for i, f := range flags {
		made[i] = f.make(f)
	}
	return made
}
