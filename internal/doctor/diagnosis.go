package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/project"
)

// Result says how bad a diagnosis is.
type Result string

// A finding is an error if commands refuse because of it or if somebody else can read secrets. It
// is a warning if something may go wrong or may surprise the user.
const (
	OK      Result = "ok"
	Info    Result = "info"
	Warning Result = "warning"
	Error   Result = "error"
	Fixed   Result = "fixed"
	Skipped Result = "skipped"
)

// Diagnosis is one thing that a check found.
type Diagnosis struct {
	Result  Result
	Check   string
	Message string
	// Remedy is what the user can do, usually a command; "" if there is nothing to do.
	Remedy string
	// Next are the commands of sp that Remedy, or Message without one, names.
	Next []string

	mend   func(context.Context) error // what Fix does; nil where nothing is safe
	mended string                      // what is said of it once it is mended
}

// Mendable reports whether Fix would repair it.
func (f Diagnosis) Mendable() bool { return f.mend != nil }

func diagnose(r Result, format string, args ...any) Diagnosis {
	return Diagnosis{Result: r, Message: fmt.Sprintf(format, args...), Next: commandsIn(args)}
}

func fine(format string, args ...any) Diagnosis { return diagnose(OK, format, args...) }

func inform(format string, args ...any) Diagnosis { return diagnose(Info, format, args...) }

func warn(format string, args ...any) Diagnosis { return diagnose(Warning, format, args...) }

func wrong(format string, args ...any) Diagnosis { return diagnose(Error, format, args...) }

func skip(format string, args ...any) Diagnosis { return diagnose(Skipped, format, args...) }

// next is a command of sp that helps.
type next string

// to is the command of these words, with its arguments and flags.
func to(words string, args ...string) next {
	for _, arg := range args {
		words += " " + project.Quoted(arg)
	}
	return next(words)
}

// decides tells of a command that destroys something, or answers a question before it is asked: people
// read the sentence around it, and a program is never told to run it.
func (n next) decides() bool {
	return slices.ContainsFunc(strings.Fields(string(n)), func(word string) bool {
		return slices.Contains([]string{"delete", "remove", "purge", "--force", "-y"}, word)
	})
}

// commandsIn are the commands among what a text names that a program may run.
func commandsIn(args []any) (commands []string) {
	for _, arg := range args {
		if command, ok := arg.(next); ok && !command.decides() {
			commands = append(commands, string(command))
		}
	}
	return commands
}

// remedy adds what the user can do.
func (f Diagnosis) remedy(format string, args ...any) Diagnosis {
	f.Remedy, f.Next = fmt.Sprintf(format, args...), commandsIn(args)
	return f
}

// mendable adds what Fix does, and what it says then.
func (f Diagnosis) mendable(mend func(context.Context) error, format string, args ...any) Diagnosis {
	f.mend, f.mended = mend, fmt.Sprintf(format, args...)
	return f
}

// unmended is a diagnosis that Fix could not mend. That is an error even of a warning:
// who asked for it must not take it for done.
func (c *Checkup) unmended(f Diagnosis, err error) Diagnosis {
	message, _ := c.Explain(err)
	f.Result, f.mend = Error, nil
	f.Message += "; it could not be mended: " + message
	return f
}

// trouble is the diagnosis of a check that could not be made.
func (c *Checkup) trouble(err error) Diagnosis {
	message, hints := c.Explain(err)
	d := Diagnosis{Result: Error, Message: message}
	for hint := range strings.SplitSeq(hints, "\n") {
		if d.Remedy == "" && !strings.HasPrefix(hint, "sp doctor") { // that is where we are
			d.Remedy = hint
		}
	}
	return d
}

// troubled returns what a check found or, if it could not be made, only why.
func (c *Checkup) troubled(findings []Diagnosis, err error) []Diagnosis {
	if err != nil {
		return []Diagnosis{c.trouble(err)}
	}
	return findings
}

// orFine returns the findings or, without any, that all is well.
func orFine(findings []Diagnosis, format string, args ...any) []Diagnosis {
	if len(findings) == 0 {
		return []Diagnosis{fine(format, args...)}
	}
	return findings
}

// maxFindings bounds how much one check has to say of one kind.
const maxFindings = 20

// bounded gathers findings of one kind, of which there may be as many as tenants.
type bounded struct {
	findings []Diagnosis
	more     int
}

func (b *bounded) add(f Diagnosis) {
	if len(b.findings) >= maxFindings && f.mend == nil { // what can be mended is, all of it
		b.more++
		return
	}
	b.findings = append(b.findings, f)
}

// all returns what was gathered and how many more there are.
func (b *bounded) all() []Diagnosis {
	if b.more == 0 {
		return b.findings
	}
	return append(b.findings, diagnose(b.findings[0].Result, "and %d more of the same kind", b.more))
}

// some names the first of several things.
func some(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

// counted is a number of things, in the right number of words.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
