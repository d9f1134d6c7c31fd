package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// World is all that a run may know of what is outside the program.
type World struct {
	Stdin            *os.File
	Stdout, Stderr   *os.File
	LookupEnv        func(string) (string, bool)
	Environ          func() []string // without the secrets that were given to the program
	WorkingDirectory func() (string, error)
	Now              func() time.Time
	Random           io.Reader
	Terminal         func(fd int) bool
	UntilSignal      func(context.Context) (context.Context, func())
	Git              func() string         // the path of the program; nothing where there is none
	Start            func(*exec.Cmd) error // starts a child; nil for as it is
	Replace          func(program string, args, environ []string) error
}

// Context is one run of a command: the world, what was given, and what is to be said in the end.
type Context struct {
	World
	// Command is what was asked for, as its words: tenant create.
	Command string
	// Line is the command line without secrets, for the history.
	Line string
	// JSON tells that the answer is one JSON document.
	JSON bool
	// Made tells that the command made a change, also beside an error.
	Made bool

	program  *Program
	command  *Command
	parsed   *cli.Command
	args     []string // as they were given, from the program's name on
	atEnd    []func() error
	atClose  []func() error
	out      spool
	progress progress
}

// AtEnd has fn called when the command is done, before its answer or its error is told. The last
// comes first.
func (c *Context) AtEnd(fn func() error) { c.atEnd = append(c.atEnd, fn) }

// AtClose has fn called when the answer's rows have been taken, before anything is printed.
func (c *Context) AtClose(fn func() error) { c.atClose = append(c.atClose, fn) }

// Env returns a variable of the environment, nil if it is not set.
func (c *Context) Env(name string) *string {
	if value, ok := c.LookupEnv(name); ok {
		return &value
	}
	return nil
}

// Arg returns the n-th word, nil if there are fewer.
func (c *Context) Arg(n int) *string {
	if c.parsed.Args().Len() <= n {
		return nil
	}
	value := c.parsed.Args().Get(n)
	return &value
}

// Args returns all words.
func (c *Context) Args() []string { return c.parsed.Args().Slice() }

// IsSet tells whether a flag was given.
func (c *Context) IsSet(name string) bool { return c.parsed.IsSet(c.declared(name)) }

// Bool, String, Strings, Int and Duration return the value of a flag, or its default.
func (c *Context) Bool(name string) bool              { return c.parsed.Bool(c.declared(name)) }
func (c *Context) String(name string) string          { return c.parsed.String(c.declared(name)) }
func (c *Context) Strings(name string) []string       { return c.parsed.StringSlice(c.declared(name)) }
func (c *Context) Int(name string) int                { return c.parsed.Int(c.declared(name)) }
func (c *Context) Duration(name string) time.Duration { return c.parsed.Duration(c.declared(name)) }

// Optional returns the value of a flag, nil if it was not given.
func (c *Context) Optional(name string) *string {
	if !c.IsSet(name) {
		return nil
	}
	value := c.String(name)
	return &value
}

// Has tells whether the command takes a flag.
func (c *Context) Has(name string) bool { return c.flag(name) != nil }

func (c *Context) flag(name string) *Flag {
	for _, flags := range [][]Flag{c.command.Flags, c.program.Flags} {
		for i := range flags {
			if flags[i].Name == name {
				return &flags[i]
			}
		}
	}
	return nil
}

// declared is a flag's name, which the library would take for not given if it were mistyped.
func (c *Context) declared(name string) string {
	if !c.Has(name) && name != jsonFlag {
		panic(c.Command + " has no flag --" + name)
	}
	return name
}

// Note says something beside the answer.
func (c *Context) Note(format string, args ...any) {
	advice := Advise(format, args...)
	c.say(advice.text, advice.kept())
}

// say writes a line beside the answer; at a terminal, in as many lines as it takes.
func (c *Context) say(text string, kept []string) {
	c.clearProgress()
	start, text := c.program.Name+": ", Printable(text)
	if !c.Terminal(int(c.Stderr.Fd())) {
		fmt.Fprintln(c.Stderr, start+text)
		return
	}
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	for _, line := range wrapKeeping(text, columnsOf(c.Stderr)-len(start)-len(indent), kept) {
		fmt.Fprintln(c.Stderr, start+indent+line)
		start = strings.Repeat(" ", len(start))
	}
}

// IsTerminal tells whether the answer goes to people.
func (c *Context) IsTerminal() bool { return c.Terminal(int(c.Stdout.Fd())) }

// CanAsk tells whether there is somebody to ask.
func (c *Context) CanAsk() bool {
	return !c.JSON && c.Terminal(int(c.Stdin.Fd())) && c.Terminal(int(c.Stderr.Fd()))
}

// Absolute is what every path goes through that a user gives. It puts the home before what
// follows `~/`, which a shell leaves as it is behind `=` and in a variable, and the working
// directory before another relative path, as the shell sees it: links are followed before
// `..` is taken, so nothing is cleaned here. The path is not repeated: it may be a secret at
// the wrong flag.
func (c *Context) Absolute(path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	if inside, ok := strings.CutPrefix(path, "~/"); ok {
		home := c.Env("HOME")
		if home == nil || !filepath.IsAbs(*home) {
			return "", Hint(Usage("a path starts with ~/, and HOME is not set to an absolute path"), "name the whole path")
		}
		return *home + "/" + inside, nil
	}
	if strings.HasPrefix(path, "~") {
		return "", Hint(Usage("a path starts with ~, and only ~/ is known, your home"), "./~ starts the name of a file that is really called that")
	}
	cwd, err := c.WorkingDirectory()
	if err != nil {
		return "", err
	}
	if cwd, err = filepath.EvalSymlinks(cwd); err != nil {
		return "", err
	}
	return cwd + "/" + path, nil
}

// SearchPath are the directories in which programs are looked for.
func (c *Context) SearchPath() []string {
	if path := c.Env("PATH"); path != nil {
		return filepath.SplitList(*path)
	}
	return nil
}

// LookPath finds a program, nothing where there is none.
func (c *Context) LookPath(name string) string {
	for _, dir := range c.SearchPath() {
		if path := filepath.Join(dir, name); strings.HasPrefix(path, "/") && IsProgram(path) {
			return path
		}
	}
	return ""
}
