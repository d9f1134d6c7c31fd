// Package cli is the frame of a command line: a command is a value, its answer is a value,
// and the frame parses, checks, asks, prints and says the exit code. What a command is about
// it does not know.
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
	// Faults says how errors end a run. It is asked only where one does.
	Faults func() []Fault
}

// Noun is a command of the top. It is built when it is wanted: building all of them takes as
// long as the rest of a short command.
type Noun struct {
	Name   string
	Build  func() *Command
	Hidden bool // from the program's help, which has to fit a screen
	// Optional tells of a group whose commands stand at the top, too: its name may be left out.
	Optional bool
}

// Command is what a user can ask for, or a group of such.
type Command struct {
	Name        string
	Usage       string // in a line
	Description string // lines of at most 80 columns
	Args        []Arg
	Flags       []Flag
	Commands    []*Command // of a group, which has no Run
	// Rest takes what stands behind --, as it is.
	Rest bool
	// NoJSON is for a command whose output is another program's.
	NoJSON bool
	// loose takes any flags, which mean nothing.
	loose bool
	// Run does the work. What it prints is its answer; it may be there beside an error.
	Run func(context.Context, *Context) (Answer, error)
}

// IsGroup tells of a command that only holds others.
func (c *Command) IsGroup() bool { return c.Run == nil }

// Arg is a word that a command takes by its place.
type Arg struct {
	Name     string // as help shows it: ID
	Kind     Kind
	Optional bool
	Repeated bool // takes all that follow
}

// Kind says what a word means: how to check it and, to programs, what it names. The zero Kind
// is any text.
type Kind struct {
	Name string
	// Choices are all words that there are; nil for any.
	Choices []string
	// Check refuses a word before anything happens; nil for none.
	Check func(string) error
}

// Row is a line of an answer.
type Row struct {
	Cells []string
	// Value is the row in JSON, in the list of an Answer.
	Value any
	// Marked rows stand out at a terminal.
	Marked bool
	// Kept are texts in the last cell that are not broken where a line ends.
	Kept []string
}

// Answer is what a command found or did. With --json its Value is printed, or the list of the
// rows' values; else its Text, or its rows.
type Answer struct {
	Value any
	// List names the list of the rows' values in the document; with it there is no Value.
	List string
	// Title stands over the rows at a terminal, and Heads over their columns.
	Title string
	Heads []string
	Rows  iter.Seq2[Row, error]
	// Wrap has the last column go on in the next line at a terminal that is too narrow for it; else
	// cells are cut.
	Wrap bool
	// Foot stands under the rows at a terminal. It may have several lines.
	Foot Advice
	// Text is printed as it is, and holds its line ends.
	Text string
	// Write, unless nil, prints what is too long to hold, as it is.
	Write func(io.Writer) error
	// Empty says at a terminal what to do where there are no rows.
	Empty string
}

// Line is an answer of one line.
func Line(value any, text string) Answer {
	return Answer{Value: value, Text: Printable(text) + "\n"}
}

// Rows are rows that are at hand.
func Rows(rows ...[]string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, cells := range rows {
			if !yield(Row{Cells: cells}, nil) {
				return
			}
		}
	}
}

// Each makes rows of the values of a sequence.
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
