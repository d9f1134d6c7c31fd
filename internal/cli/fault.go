package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Errors of the command line itself.
var (
	ErrUsage       = errors.New("wrong usage")
	ErrConfirm     = errors.New("not confirmed")
	ErrUnsupported = errors.New("not part of sp")
	ErrFile        = errors.New("file refused")
	errUnprinted   = errors.New("the answer could not be written")
)

// Fault says how a kind of error ends a run: exit code, code word and hint.
type Fault struct {
	Err  error
	Exit int
	Code string // for programs
	Hint Advice
	// Made means that the change was made and something after it failed.
	Made bool
	// Told means that the answer already says so, and no error is printed.
	Told bool
	// Bare leaves the text of Err out of the message.
	Bare bool
}

// own are the faults of the frame.
func own() []Fault {
	return []Fault{
		{Err: ErrUsage, Exit: 2, Code: "usage", Bare: true},
		{Err: ErrConfirm, Exit: 2, Code: "confirmation_required", Hint: Advise("-y answers yes")},
		{Err: errCancelled, Exit: 2, Code: "confirmation_required"},
		{Err: ErrNothingCame, Exit: 2, Code: "invalid"},
		{Err: ErrTooLong, Exit: 2, Code: "invalid"},
		{Err: ErrUnsupported, Exit: 9, Code: "unsupported"},
		{Err: ErrFile, Exit: 6, Code: "store", Bare: true},
		{Err: errUnprinted, Exit: 6, Code: "store"},
		{Err: unix.ENOSPC, Exit: 6, Code: "store", Hint: Advise("free some space")},
		{Err: unix.EDQUOT, Exit: 6, Code: "store", Hint: Advise("free some space")},
		{Err: unix.EACCES, Exit: 6, Code: "store", Hint: Advise("give yourself the use of that file (chmod u+rw), or ask whose it is")},
		{Err: unix.EFBIG, Exit: 6, Code: "store", Hint: Advise("raise the limit of file sizes (ulimit -f)")},
	}
}

// Next is a command line that a hint suggests. It is a value, so that one place quotes it and a
// test can look up each command in the tree.
type Next struct{ words, args []string }

// To returns the command line of a command, such as "sp tenant show", with its arguments and flags.
func To(words string, args ...string) Next { return Next{strings.Fields(words), args} }

// String returns the command line, quoted for a shell. A secret that was typed where an argument belongs is
// not repeated.
func (n Next) String() string {
	line := slices.Clone(n.words)
	for _, arg := range n.args {
		line = append(line, Harmless(arg))
	}
	return strings.Join(line, " ")
}

// Quoted quotes a word so that a shell takes it literally.
func Quoted(word string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,-"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// decides tells whether the command destroys something, or answers a question before it is asked.
// People read the sentence around it and decide; a program is never told to run it.
func (n Next) decides() bool {
	return destroys(n.words[len(n.words)-1]) || slices.Contains(n.args, "--force") || slices.Contains(n.args, "-y")
}

// destroys tells whether a command of that name takes something away for good.
func destroys(name string) bool { return slices.Contains([]string{"delete", "remove", "purge"}, name) }

// Advice is what helps, in one line or several, and the commands that it names.
type Advice struct {
	text     string
	commands []Next
}

// Advise is advice. An argument that is a Next is also told to programs.
func Advise(format string, args ...any) Advice {
	a := Advice{text: fmt.Sprintf(format, args...)}
	for _, arg := range args {
		if next, ok := arg.(Next); ok {
			a.commands = append(a.commands, next)
		}
	}
	return a
}

// Empty tells whether nothing helps.
func (a Advice) Empty() bool { return a.text == "" }

// String is the advice as people get it.
func (a Advice) String() string { return a.text }

// kept are the texts that are not broken where a line ends: people copy them.
func (a Advice) kept() []string {
	kept := make([]string, len(a.commands))
	for i, next := range a.commands {
		kept[i] = next.String()
	}
	return kept
}

// Prefixed is advice with something before each line.
func (a Advice) Prefixed(prefix string) Advice {
	return Advice{prefix + strings.ReplaceAll(a.text, "\n", "\n"+prefix), a.commands}
}

// And is advice with more of it, in a line of its own.
func (a Advice) And(more Advice) Advice {
	if a.text == "" {
		return more
	}
	return Advice{a.text + "\n" + more.text, append(slices.Clone(a.commands), more.commands...)}
}

// steps are the commands that a program may run.
func (a Advice) steps() []string {
	steps := []string{}
	for _, next := range a.commands {
		if !next.decides() {
			steps = append(steps, next.String())
		}
	}
	return steps
}

// advised is an error with advice that its kind alone could not give.
type advised struct {
	error
	advice Advice
}

// Unwrap returns the error itself.
func (a *advised) Unwrap() error { return a.error }

// Hint adds to an error what helps.
func Hint(err error, format string, args ...any) error { return HintAt(err, Advise(format, args...)) }

// HintAt adds advice to an error.
func HintAt(err error, advice Advice) error { return &advised{err, advice} }

// KeepHint is another error with the advice of the first, unless it has its own.
func KeepHint(from, to error) error {
	var told, kept *advised
	if errors.As(from, &told) && !errors.As(to, &kept) {
		return HintAt(to, told.advice)
	}
	return to
}

// HasHint reports whether an error has a hint of its own.
func HasHint(err error) bool { return errors.As(err, new(*advised)) }

// Failure returns how an error would end the run.
func (c *Context) Failure(err error) Failure { return c.program.FailureOf(err) }

// Usage returns an error about a wrong command line.
func Usage(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrUsage)...)
}

// kinded is an error of a kind whose text says why by itself.
type kinded struct {
	error
	kind error
}

// Unwrap returns the kind too.
func (k *kinded) Unwrap() []error { return []error{k.error, k.kind} }

// Of is an error that ends a run as others of its kind do, and says why in its own words alone.
func Of(kind error, format string, args ...any) error {
	return &kinded{fmt.Errorf(format, args...), kind}
}

// candidates is an error with the names that the user may have meant.
type candidates struct {
	error
	names []string
}

func (c *candidates) Unwrap() error { return c.error }

// WithCandidates adds to an error what may have been meant, each as a word that can be given in its place.
func WithCandidates(err error, names ...string) error { return &candidates{err, names} }

// Failure is an error as it is printed.
type Failure struct {
	Code       string   `json:"code"`
	Message    string   `json:"message"`
	Hint       *string  `json:"hint"`
	NextSteps  []string `json:"next_steps"`
	Candidates []string `json:"candidates"`
	Exit       int      `json:"-"`
	Advice     Advice   `json:"-"` // what Hint and NextSteps are made of
	fault      Fault
}

// FailureOf returns how an error ends a run.
func (p *Program) FailureOf(err error) Failure {
	f := Failure{Code: "internal", Exit: 1, Message: err.Error(), Candidates: []string{}}
	var s *SignalError
	if errors.As(err, &s) {
		f.Code, f.Exit = "interrupted", 128+int(s.Signal)
	}
	for _, row := range p.faults() {
		if f.Exit == 1 && errors.Is(err, row.Err) {
			f.Code, f.Exit, f.fault = row.Code, row.Exit, row
			f.Advice = row.Hint
			if row.Bare {
				f.Message = strings.TrimSuffix(f.Message, ": "+row.Err.Error())
			}
		}
	}
	var errno unix.Errno
	if f.Exit == 1 && errors.As(err, &errno) { // the system says no: trouble with a file, not a bug
		f.Code, f.Exit = "store", 6
	}
	var a *advised
	if errors.As(err, &a) {
		f.Advice = a.advice
	}
	if f.Advice.text != "" {
		f.Hint = &f.Advice.text
	}
	f.NextSteps = f.Advice.steps()
	var c *candidates
	if errors.As(err, &c) {
		f.Candidates = append(f.Candidates, c.names...)
	}
	return f
}

func (p *Program) faults() []Fault {
	if p.Faults == nil {
		return own()
	}
	return append(p.Faults(), own()...)
}

// IsMade reports whether the change was made in spite of an error.
func (p *Program) IsMade(err error) bool { return err == nil || p.FailureOf(err).fault.Made }
