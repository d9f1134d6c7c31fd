package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// line answers one line, made harmless.
func (a *app) line(text string) error {
	_, err := io.WriteString(&a.out, printable(text)+"\n")
	return err
}

// document answers one JSON document.
func (a *app) document(v any) error {
	a.documented = true
	text, err := marshal(v, "")
	if err != nil {
		return err
	}
	_, err = io.WriteString(&a.out, text+"\n")
	return err
}

// documentList answers one JSON document with a list in it, a value at a time, so
// that a long one needs no memory.
func documentList[T any](a *app, name string, values iter.Seq2[T, error]) error {
	a.documented = true
	fmt.Fprintf(&a.out, "{\n  %q: [", name)
	separator := "\n    "
	for v, err := range values {
		if err != nil {
			return err
		}
		text, err := marshal(v, "    ")
		if err != nil {
			return err
		}
		if _, err := io.WriteString(&a.out, separator+text); err != nil {
			return err
		}
		separator = ",\n    "
	}
	end := "\n  ]\n}\n"
	if separator == "\n    " {
		end = "]\n}\n"
	}
	_, err := io.WriteString(&a.out, end)
	return err
}

// marshal writes a value as JSON. Whatever a terminal could take for a command is
// escaped, which JSON allows and every reader undoes.
func marshal(v any, indent string) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent(indent, "  ")
	if err := encoder.Encode(v); err != nil {
		return "", err
	}
	return printableLines(strings.TrimSuffix(text.String(), "\n")), nil
}

// table answers rows of columns: aligned under a heading on a terminal, else one
// line a row with tabs between the columns.
func (a *app) table(heading string, rows iter.Seq2[[]string, error]) error {
	if a.terminal(int(a.stdout.Fd())) {
		return a.alignedTable(heading, rows)
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		for i := range row {
			row[i] = printable(row[i])
		}
		if _, err := io.WriteString(&a.out, strings.TrimRight(strings.Join(row, "\t"), "\t")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) alignedTable(heading string, rows iter.Seq2[[]string, error]) error {
	var all [][]string
	var widths []int
	for row, err := range rows {
		if err != nil {
			return err
		}
		for i := range row {
			row[i] = printable(row[i])
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
		all = append(all, row)
	}
	fmt.Fprintf(&a.out, "%s\n%s\n", printable(heading), strings.Repeat("━", 53))
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			if widths[i] > 0 {
				line.WriteString("  " + cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
			}
		}
		if _, err := io.WriteString(&a.out, strings.TrimRight(line.String(), " ")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// rowsOf makes a sequence of rows that are at hand.
func rowsOf(rows ...[]string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// each makes something else of every value of a sequence.
func each[T, R any](values iter.Seq2[T, error], to func(T) R) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for v, err := range values {
			var r R
			if err == nil {
				r = to(v)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// shortID cuts a long id for a terminal, as the tables of the documents do.
func (a *app) shortID(id string) string {
	if a.terminal(int(a.stdout.Fd())) && len(id) > 20 && utf8.ValidString(id[:13]) {
		return id[:13] + "..."
	}
	return id
}

// note says something beside the answer.
func (a *app) note(format string, args ...any) {
	a.tellMadeDir()
	a.clearProgress()
	fmt.Fprintln(a.stderr, "sp: "+printable(fmt.Sprintf(format, args...)))
}
