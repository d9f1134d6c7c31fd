// Package cli is the frame of a command line. A command is a value, and so is its answer. The frame
// parses and checks arguments, asks questions, prints answers and decides the exit code. It knows
// nothing about tenants.
package cli

import (
	"context"
	"io"
	"iter"
)

// Program is a tree of commands.
type Program struct {
	Name  string
	Usage string // in a line
	Help  string // what stands under that in the program's help, before the commands
	Foot  string // what stands in its end
	Flags []Flag // of every command
	Nouns []Noun
	// Default is the noun that is meant where the arguments name none; "" is none.
	Default string
	// Faults returns the exit code, code word and hint of each kind of error. It is called only
	// after an error.
	Faults func() []Fault
	// Instead, unless nil, says what helps who typed words that are no command, such as "tenant switch".
	Instead func(words string) Advice
}

// Noun is a top-level command. It is built only when needed, because building all of them takes as
// long as the rest of a short command.
type Noun struct {
	Name   string
	Build  func() *Command
	Hidden bool // from the program's help, which has to fit a screen
	// Optional marks a group whose commands also exist at the top level, so that its name may be
	// left out.
	Optional bool
	// Own are the commands of an optional group that mean something else without its name.
	Own []string
}

// OfProgram is why a command that becomes another program has no --json.
const OfProgram = "there is no --json: the output is that of the program that it runs"

// Command is something that a user can run, or a group of commands.
type Command struct {
	Name        string
	Usage       string // in a line
	Description string // lines of at most 80 columns
	Args        []Arg
	Flags       []Flag
	Commands    []*Command // of a group, which has no Run
	// Rest accepts any arguments after --, which belong to another program, and says what they are. Unless
	// it is in brackets, as in "[-- ARGUMENT...]", there has to be one.
	Rest string
	// NoJSON, unless empty, refuses --json and says why, for a command whose answer is none of its own.
	NoJSON string
	// loose accepts any flags and ignores them.
	loose bool
	// Run does the work and returns the answer, possibly together with an error. It prints nothing.
	Run func(context.Context, *Context) (Answer, error)
}

// IsGroup reports whether the command only contains other commands.
func (c *Command) IsGroup() bool { return c.Run == nil }

// Arg is a positional argument.
type Arg struct {
	Name     string // as help shows it: ID
	Kind     Kind
	Optional bool
	Repeated bool // takes all that follow
}

// Kind says what an argument or a flag's value means and how to check it. The zero Kind is any
// text.
type Kind struct {
	Name string
	// Choices are the only words allowed; nil allows any.
	Choices []string
	// Check refuses a word before the command runs; nil accepts every word.
	Check func(string) error
}

// Row is a line of an answer.
type Row struct {
	Cells []string
	// Value is the row in JSON, as an element of Answer.List.
	Value any
	// Marked rows stand out at a terminal.
	Marked bool
	// Kept are texts in the last cell that are not broken where a line ends.
	Kept []string
}

// Answer is what a command found or did. With --json, the frame prints Value or the list of the
// rows' values; otherwise it prints Text or the rows.
type Answer struct {
	Value any
	// List is the name of the JSON member that lists the rows' values. An Answer with a List has no
	// Value.
	List string
	// Title is printed above the rows at a terminal, and Heads above their columns.
	Title string
	Heads []string
	Rows  iter.Seq2[Row, error]
	// Wrap continues the last column on the next line if the terminal is too narrow. Otherwise
	// cells are cut.
	Wrap bool
	// Whole are the heads of columns whose cells are never cut, since people copy them.
	Whole []string
	// Tails are the heads of columns whose cells are cut in the middle, since they differ at their ends.
	Tails []string
	// Foot is printed below the rows at a terminal. It may have several lines.
	Foot Advice
	// Text is printed unchanged and includes its line ends.
	Text string
	// Write, unless nil, prints an answer that is too long to keep in memory.
	Write func(io.Writer) error
	// Empty is printed at a terminal in place of heads if there are no rows. It says what to do next.
	Empty string
}

// Line returns an answer of one line.
func Line(value any, text string) Answer {
	return Answer{Value: value, Text: Printable(text) + "\n"}
}

// Rows returns a sequence of the given rows.
func Rows(rows ...[]string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, cells := range rows {
			if !yield(Row{Cells: cells}, nil) {
				return
			}
		}
	}
}

// Each turns a sequence of values into a sequence of rows.
func Each[T any](values iter.Seq2[T, error], row func(T) Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for v, err := range values {
			var r Row
			if err == nil {
				r = row(v)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}
