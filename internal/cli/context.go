package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// World is everything that a run may know about the outside of the program.
type World struct {
	Stdin            *os.File
	Stdout, Stderr   *os.File
	LookupEnv        func(string) (string, bool)
	Environ          func() []string // without the secrets that were given to the program
	WorkingDirectory func() (string, error)
	Now              func() time.Time
	Sleep            func(context.Context, time.Duration) error // between two tries; nil really waits
	Patience         time.Duration                              // how long a control plane may say nothing; 0 for what is usual
	Random           io.Reader
	Terminal         func(fd int) bool
	UntilSignal      func(context.Context) (context.Context, func())
	Git              func() string         // the path of the program; nothing where there is none
	Start            func(*exec.Cmd) error // starts a child; nil for as it is
	Replace          func(program string, args, environ []string) error
}

// Context is one run of a command: the world, the arguments, and what to print at the end.
type Context struct {
	World
	// Command is the name of the command, such as tenant create.
	Command string
	// Line is the command line without secrets, for the history.
	Line string
	// JSON reports that the answer is one JSON document.
	JSON bool
	// Made reports that the command changed something, even if it also failed.
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

// WorkingDirectory returns the current directory, which somebody may have removed.
func (c *Context) WorkingDirectory() (string, error) {
	dir, err := c.World.WorkingDirectory()
	if errors.Is(err, fs.ErrNotExist) {
		err = Hint(Of(ErrFile, "the current directory is gone"), "cd to one that is there, or name one with --dir")
	}
	return dir, err
}

// AtEnd registers fn to be called when the command is done, before its answer or error is printed.
// Functions run in reverse order.
func (c *Context) AtEnd(fn func() error) { c.atEnd = append(c.atEnd, fn) }

// AtClose registers fn to be called when all rows of the answer have been read, before anything is
// printed.
func (c *Context) AtClose(fn func() error) { c.atClose = append(c.atClose, fn) }

// Env returns a variable of the environment, nil if it is not set.
func (c *Context) Env(name string) *string {
	if value, ok := c.LookupEnv(name); ok {
		return &value
	}
	return nil
}

// Program is the name of the program.
func (c *Context) Program() string { return c.program.Name }

// TakesArgs reports whether the command takes any arguments.
func (c *Context) TakesArgs() bool { return len(c.command.Args) > 0 }

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

// IsSet reports whether a flag was given.
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

// Has reports whether the command takes a flag.
func (c *Context) Has(name string) bool { return c.flag(name) != nil }

func (c *Context) flag(name string) *Flag {
	for _, flags := range [][]Flag{c.command.Flags, c.program.Flags} {
		for i := range flags {
			if flags[i].Name == name || name != "" && flags[i].Short == name {
				return &flags[i]
			}
		}
	}
	return nil
}

// declared returns a flag's name, and panics if the command has no such flag. The library would
// treat a mistyped name as a flag that was not given.
func (c *Context) declared(name string) string {
	if !c.Has(name) && name != jsonFlag {
		panic(c.Command + " has no flag --" + name)
	}
	return name
}

// Note prints a line to stderr.
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

// IsTerminal reports whether the answer goes to a terminal.
func (c *Context) IsTerminal() bool { return c.Terminal(int(c.Stdout.Fd())) }

// IsAttended reports whether somebody can answer a question, and may see it: a pipe can lead to a
// terminal, a file can't.
func (c *Context) IsAttended() bool {
	if !c.Terminal(int(c.Stdin.Fd())) {
		return false
	}
	info, err := c.Stderr.Stat()
	return c.Terminal(int(c.Stderr.Fd())) || err == nil && !info.Mode().IsRegular()
}

// CanAsk reports whether the user can be asked a question.
func (c *Context) CanAsk() bool {
	return !c.JSON && c.Terminal(int(c.Stdin.Fd())) && c.Terminal(int(c.Stderr.Fd()))
}

// Absolute makes a path absolute. Every path that a user gives goes through it. `~/` becomes the
// home, which a shell leaves alone after `=` and in a variable. Other relative paths start at the
// working directory. Links are followed before `..` is applied, as in a shell, so the path is not
// cleaned. Errors do not repeat the path: it may be a secret that was given to the wrong flag.
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

// SearchPath returns the directories of PATH.
func (c *Context) SearchPath() []string {
	if path := c.Env("PATH"); path != nil {
		return filepath.SplitList(*path)
	}
	return nil
}

// LookPath returns the path of a program, or "" if there is none.
func (c *Context) LookPath(name string) string {
	for _, dir := range c.SearchPath() {
		if path := filepath.Join(dir, name); strings.HasPrefix(path, "/") && IsProgram(path) {
			return path
		}
	}
	return ""
}
