package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sp-registry/sp/internal/jsontext"
	"golang.org/x/term"
)

// print writes an answer to the spool, which keeps it until the command is done.
func (c *Context) print(a Answer) error {
	switch {
	case c.JSON && a.List != "":
		return c.printList(a)
	case c.JSON:
		text, err := Marshal(a.Value, 0)
		if err != nil {
			return err
		}
		_, err = io.WriteString(&c.out, text+"\n")
		return err
	case a.Write != nil:
		return a.Write(&c.out)
	case a.Rows == nil:
		_, err := io.WriteString(&c.out, a.Text)
		return err
	case c.IsTerminal():
		return c.printTable(a)
	}
	for row, err := range a.Rows {
		if err != nil {
			return err
		}
		for i := range row.Cells {
			row.Cells[i] = Printable(row.Cells[i])
		}
		if _, err := io.WriteString(&c.out, strings.TrimRight(strings.Join(row.Cells, "\t"), "\t")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// printList writes a document with a list in it, a value at a time, so that a long one needs no
// memory.
func (c *Context) printList(a Answer) error {
	fmt.Fprintf(&c.out, "{\n  %q: [", a.List)
	separator := "\n    "
	for row, err := range a.Rows {
		if err != nil {
			return err
		}
		text, err := Marshal(row.Value, 2)
		if err != nil {
			return err
		}
		for _, part := range []string{separator, text} {
			if _, err := c.out.WriteString(part); err != nil {
				return err
			}
		}
		separator = ",\n    "
	}
	end := "\n  ]\n}\n"
	if separator == "\n    " {
		end = "]\n}\n"
	}
	_, err := io.WriteString(&c.out, end)
	return err
}

// Marshal writes a value as JSON that stands at depth. Anything that a terminal could take for a
// command is escaped, which every JSON reader undoes.
func Marshal(v any, depth int) (string, error) {
	text, err := Compact(v)
	return PrintableLines(string(jsontext.AppendIndented(make([]byte, 0, 2*len(text)), text, depth))), err
}

// Compact writes a value as JSON without spaces, for a part of what Marshal writes.
func Compact(v any) (string, error) {
	if own, ok := v.(json.Marshaler); ok { // the encoder would read once more what that wrote
		text, err := own.MarshalJSON()
		return string(text), err
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return strings.TrimSuffix(text.String(), "\n"), err
}

// Columns is how wide the terminal is to which the answer goes.
func (c *Context) Columns() int { return columnsOf(c.Stdout) }

// columnsOf is how wide a terminal is, 80 where it does not say.
func columnsOf(terminal *os.File) int {
	if wide, _, err := term.GetSize(int(terminal.Fd())); err == nil && wide > 0 {
		return wide
	}
	return 80
}

// maxMeasured rows decide how wide the columns are; longer tables flow on with these widths.
const maxMeasured = 1000

// printTable writes rows under heads, aligned, and no wider than the terminal.
func (c *Context) printTable(a Answer) error {
	var measured []Row
	var t *table
	for row, err := range a.Rows {
		if err != nil {
			return err
		}
		for i := range row.Cells {
			row.Cells[i] = Printable(row.Cells[i])
		}
		if t == nil {
			row.Value = nil // it may be large, and only JSON shows it
			if measured = append(measured, row); len(measured) < maxMeasured {
				continue
			}
			t = c.begin(a, measured)
			continue
		}
		t.row(row)
	}
	switch {
	case t == nil && len(measured) == 0 && a.Empty != "":
		_, err := io.WriteString(&c.out, PrintableLines(a.Empty)+"\n")
		return err
	case t == nil && len(measured) == 0: // heads over nothing look as though rows went missing
		a.Heads = nil
		t = c.begin(a, nil)
	case t == nil:
		t = c.begin(a, measured)
	}
	if !a.Foot.Empty() {
		for line := range strings.SplitSeq(a.Foot.text, "\n") {
			t.prose(Printable(line), false, a.Foot.kept())
		}
	}
	return t.err
}
