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
	ErrUnsupported = errors.New("not offered yet")
	ErrFile        = errors.New("file refused")
	errUnprinted   = errors.New("the answer could not be written")
)

// Fault says how a kind of error ends a run: exit code, code word and hint.
type Fault struct {
	Err  error
	Exit int
	Code string // for programs
	Hint string
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
		{Err: ErrConfirm, Exit: 2, Code: "confirmation_required", Hint: "-y answers yes"},
		{Err: errCancelled, Exit: 2, Code: "confirmation_required"},
		{Err: ErrNothingCame, Exit: 2, Code: "invalid"},
		{Err: ErrTooLong, Exit: 2, Code: "invalid"},
		{Err: ErrUnsupported, Exit: 9, Code: "unsupported"},
		{Err: ErrFile, Exit: 6, Code: "store", Bare: true},
		{Err: errUnprinted, Exit: 6, Code: "store"},
		{Err: unix.ENOSPC, Exit: 6, Code: "store", Hint: "free some space"},
		{Err: unix.EDQUOT, Exit: 6, Code: "store", Hint: "free some space"},
		{Err: unix.EACCES, Exit: 6, Code: "store", Hint: "give yourself the use of that file (chmod u+rw), or ask whose it is"},
		{Err: unix.EFBIG, Exit: 6, Code: "store", Hint: "raise the limit of file sizes (ulimit -f)"},
	}
}

// Next is a command line that a hint suggests. It is a value, so that one place quotes it and a
// test can look up each command in the tree.
type Next struct{ words, args []string }

// To returns the command line of a command, such as "sp tenant show", with its arguments and flags.
func To(words string, args ...string) Next { return Next{strings.Fields(words), args} }

// String returns the command line, quoted for a shell.
func (n Next) String() string {
	line := slices.Clone(n.words)
	for _, arg := range n.args {
		line = append(line, Quoted(arg))
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

// advised is an error with a hint of its own, which takes precedence over the hint of its Fault.
type advised struct {
	error
	hint  string
	steps []string
}

// Unwrap returns the error itself.
func (a *advised) Unwrap() error { return a.error }

// Hint adds a hint to an error. Arguments of type Next also appear in the JSON member next_steps.
func Hint(err error, format string, args ...any) error {
	a := &advised{error: err, hint: fmt.Sprintf(format, args...)}
	for _, arg := range args {
		if next, ok := arg.(Next); ok {
			a.steps = append(a.steps, next.String())
		}
	}
	return a
}

// KeepHint returns the error to with the hint of the error from, unless to has a hint of its own.
func KeepHint(from, to error) error {
	var told, kept *advised
	if errors.As(from, &told) && !errors.As(to, &kept) {
		return &advised{error: to, hint: told.hint, steps: told.steps}
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
	fault      Fault
}

// FailureOf returns how an error ends a run.
func (p *Program) FailureOf(err error) Failure {
	f := Failure{Code: "internal", Exit: 1, Message: err.Error(), NextSteps: []string{}, Candidates: []string{}}
	var s *SignalError
	if errors.As(err, &s) {
		f.Code, f.Exit = "interrupted", 128+int(s.Signal)
	}
	for _, row := range p.faults() {
		if f.Exit == 1 && errors.Is(err, row.Err) {
			f.Code, f.Exit, f.fault = row.Code, row.Exit, row
			if row.Hint != "" {
				f.Hint = &row.Hint
			}
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
		f.Hint, f.NextSteps = &a.hint, append(f.NextSteps, a.steps...)
	}
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
