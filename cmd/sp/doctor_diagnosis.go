package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// result says how bad a diagnosis is.
type result string

// A result is wrong when commands refuse because of it, or when somebody else can
// have the secrets; a warning is what may go wrong, or what stands otherwise than
// one would think.
const (
	resultOK      result = "ok"
	resultInfo    result = "info"
	resultWarning result = "warning"
	resultError   result = "error"
	resultFixed   result = "fixed"
	resultSkipped result = "skipped"
)

// diagnosis is one row of doctor's table.
type diagnosis struct {
	Result  result `json:"result"`
	Check   string `json:"check"`
	Message string `json:"message"`
	// Remedy is what the user can do, mostly a command.
	Remedy string `json:"remedy,omitempty"`

	mend   func(context.Context) error // what --fix does; nil where nothing is safe
	mended string                      // what is said of it once it is mended
}

func diagnose(r result, format string, args ...any) diagnosis {
	return diagnosis{Result: r, Message: fmt.Sprintf(format, args...)}
}

func fine(format string, args ...any) diagnosis { return diagnose(resultOK, format, args...) }

func inform(format string, args ...any) diagnosis { return diagnose(resultInfo, format, args...) }

func warn(format string, args ...any) diagnosis { return diagnose(resultWarning, format, args...) }

func wrong(format string, args ...any) diagnosis { return diagnose(resultError, format, args...) }

func skip(format string, args ...any) diagnosis { return diagnose(resultSkipped, format, args...) }

// remedy adds what the user can do.
func (f diagnosis) remedy(format string, args ...any) diagnosis {
	f.Remedy = fmt.Sprintf(format, args...)
	return f
}

// mendable adds what --fix does, and what it says then.
func (f diagnosis) mendable(mend func(context.Context) error, format string, args ...any) diagnosis {
	f.mend, f.mended = mend, fmt.Sprintf(format, args...)
	return f
}

// unmended is a diagnosis that --fix could not mend. That is an error even of a warning:
// who asked for it must not take it for done.
func (f diagnosis) unmended(err error) diagnosis {
	f.Result, f.mend = resultError, nil
	f.Message += "; it could not be mended: " + failureOf(err).Message
	return f
}

func (f diagnosis) row() []string {
	message := f.Message
	if f.Remedy != "" {
		message += " (" + f.Remedy + ")"
	}
	return []string{string(f.Result), f.Check, message}
}

// trouble is the diagnosis of a check that could not be made.
func trouble(err error) diagnosis {
	f := failureOf(err)
	d := diagnosis{Result: resultError, Message: f.Message}
	for hint := range strings.SplitSeq(f.Hint, "\n") {
		if d.Remedy == "" && !strings.HasPrefix(hint, "sp doctor") { // that is where we are
			d.Remedy = hint
		}
	}
	return d
}

// troubled returns what a check found or, if it could not be made, only why.
func troubled(findings []diagnosis, err error) []diagnosis {
	if err != nil {
		return []diagnosis{trouble(err)}
	}
	return findings
}

// orFine returns the findings or, without any, that all is well.
func orFine(findings []diagnosis, format string, args ...any) []diagnosis {
	if len(findings) == 0 {
		return []diagnosis{fine(format, args...)}
	}
	return findings
}

// maxFindings bounds how much one check has to say of one kind.
const maxFindings = 20

// bounded gathers findings of one kind, of which there may be as many as tenants.
type bounded struct {
	findings []diagnosis
	more     int
}

func (b *bounded) add(f diagnosis) {
	if len(b.findings) >= maxFindings && f.mend == nil { // what can be mended is, all of it
		b.more++
		return
	}
	b.findings = append(b.findings, f)
}

// all returns what was gathered and how many more there are.
func (b *bounded) all() []diagnosis {
	if b.more == 0 {
		return b.findings
	}
	return append(b.findings, diagnose(b.findings[0].Result, "and %d more of the same kind", b.more))
}

// answerFindings answers the table and ends with errUnwell if something is wrong.
func (a *app) answerFindings(findings []diagnosis) error {
	var rows [][]string
	wrong, mendable := 0, false
	for _, f := range findings {
		rows = append(rows, f.row())
		mendable = mendable || f.mend != nil
		if f.Result == resultError {
			wrong++
		}
	}
	var unwell error
	if wrong > 0 {
		unwell = fmt.Errorf("%w: %s", errUnwell, counted(wrong, "error"))
	}
	if wrong > 0 && mendable {
		unwell = withHint(unwell, "sp doctor --fix mends what is safe to mend")
	}
	if !a.json {
		return errors.Join(a.table("Doctor", rowsOf(rows...)), unwell)
	}
	document := struct {
		Checks []diagnosis `json:"checks"`
		Error  *failure    `json:"error,omitempty"`
	}{Checks: findings}
	if unwell != nil {
		f := failureOf(unwell)
		document.Error = &f
	}
	return errors.Join(a.document(document), unwell)
}
