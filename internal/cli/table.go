package cli

import (
	"io"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// table is a table at a terminal: no line is wider than that is.
type table struct {
	to     io.Writer
	wide   int
	widths []int
	bold   bool
	wrap   bool     // the last column
	whole  []string // heads of columns that are never cut
	tails  []bool   // of each column, whether its cells are cut in the middle
	err    error
}

// begin writes what stands over the rows, and the first of them.
func (c *Context) begin(a Answer, rows []Row) *table {
	t := &table{to: &c.out, wide: c.Columns(), bold: c.Colour(), wrap: a.Wrap, whole: a.Whole}
	for _, head := range a.Heads {
		t.tails = append(t.tails, slices.Contains(a.Tails, head))
	}
	for _, row := range rows {
		t.measure(row.Cells)
	}
	held := slices.Clone(t.widths)
	t.measure(a.Heads)
	if t.total() > t.wide {
		t.leaveOut(held)
	}
	t.narrow(a.Heads)
	if a.Title != "" {
		t.title(Printable(a.Title))
	}
	if a.Heads != nil {
		t.row(Row{Cells: a.Heads})
	}
	for _, row := range rows {
		t.row(row)
	}
	return t
}

func (t *table) measure(cells []string) {
	for i, cell := range cells {
		if i == len(t.widths) {
			t.widths = append(t.widths, 0)
		}
		t.widths[i] = max(t.widths[i], Width(cell))
	}
}

// title stands over the rows.
func (t *table) title(text string) {
	if t.wrap {
		t.prose(text, true, nil)
		return
	}
	t.line(text, true)
}

// prose writes a text, in as many lines as it takes.
func (t *table) prose(text string, strong bool, kept []string) {
	if Width(text) <= t.wide {
		t.line(text, strong)
		return
	}
	for i, line := range wrapKeeping(text, t.wide-2, kept) {
		t.write(strings.Repeat("  ", min(i, 1))+line, strong)
	}
}

// total is how wide the table is.
func (t *table) total() (total int) {
	for _, w := range t.widths {
		if w > 0 {
			total += w + 2
		}
	}
	return total
}

// leaveOut leaves out the columns that hold nothing but a head, given how wide what they hold is.
func (t *table) leaveOut(held []int) {
	for i, w := range held {
		if w == 0 {
			t.widths[i] = 0
		}
	}
}

// narrow takes from the widest columns what is too much for the terminal; from the last one, if that
// may go on in the next line. Some columns stay whole, and so do those without a head, which hold marks.
func (t *table) narrow(heads []string) {
	const least, leastOfLast = 4, 24
	if last := len(t.widths) - 1; t.wrap && last >= 0 {
		room := t.wide - 2
		for _, w := range t.widths[:last] {
			if w > 0 {
				room -= w + 2
			}
		}
		if t.widths[last] > room && room >= leastOfLast {
			t.widths[last] = room
			return
		}
	}
	for t.total() > t.wide {
		widest := -1
		for i, w := range t.widths {
			if !t.staysWhole(heads, i) && (widest < 0 || w > t.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 || t.widths[widest] <= least {
			return
		}
		t.widths[widest]--
	}
}

func (t *table) staysWhole(heads []string, column int) bool {
	return column < len(heads) && (heads[column] == "" || slices.Contains(t.whole, heads[column]))
}

// row writes a row; marked ones are told by their mark as well as in bold.
func (t *table) row(r Row) {
	var line strings.Builder
	for i, cell := range r.Cells {
		if t.widths[i] == 0 {
			continue
		}
		if t.wrap && i == len(t.widths)-1 {
			t.wrapped(line.String()+"  ", cell, r)
			return
		}
		if i < len(t.tails) && t.tails[i] {
			cell = cutMiddle(cell, t.widths[i])
		}
		cell = Cut(cell, t.widths[i])
		line.WriteString("  " + cell + strings.Repeat(" ", t.widths[i]-Width(cell)))
	}
	t.line(strings.TrimRight(line.String(), " "), r.Marked)
}

// wrapped writes the end of a row, in as many lines as it takes. A word that is too long for one is
// cut, but not a path, a URL or a command: it may be there to be copied.
func (t *table) wrapped(before, cell string, r Row) {
	for _, line := range wrapKeeping(cell, t.widths[len(t.widths)-1], r.Kept) {
		holds := func(text string) bool { return strings.Contains(line, text) }
		if !holds("/") && !slices.ContainsFunc(r.Kept, holds) {
			line = Cut(line, t.widths[len(t.widths)-1])
		}
		t.write(strings.TrimRight(before+line, " "), r.Marked)
		before = strings.Repeat(" ", Width(before))
	}
}

func (t *table) line(text string, strong bool) { t.write(Cut(text, t.wide), strong) }

func (t *table) write(text string, strong bool) {
	if strong && t.bold {
		text = "\x1b[1m" + text + "\x1b[0m"
	}
	if _, err := io.WriteString(t.to, text+"\n"); err != nil {
		t.err = err
	}
}

// Colour reports whether the answer may be coloured: the terminal supports it, and NO_COLOR is not
// set.
func (c *Context) Colour() bool {
	off, kind := c.Env("NO_COLOR"), c.Env("TERM")
	return c.IsTerminal() && (off == nil || *off == "") && kind != nil && *kind != "" && *kind != "dumb"
}

// Width returns how many columns a printable text takes at a terminal. East Asian wide letters take
// two, and combining marks none.
func Width(text string) (columns int) {
	for _, r := range text {
		columns += widthOf(r)
	}
	return columns
}

// Cut shortens a text to the given number of columns and marks that with an ellipsis.
func Cut(text string, columns int) string {
	if len(text) <= columns || Width(text) <= columns {
		return text
	}
	taken := 0
	for i, r := range text {
		if taken += widthOf(r); taken > columns-1 {
			return text[:i] + "…"
		}
	}
	return text
}

// cutMiddle is Cut for a text that differs from others at its end, most of which it keeps.
func cutMiddle(text string, columns int) string {
	if Width(text) <= columns {
		return text
	}
	tail, kept := "", 0
	for _, r := range slices.Backward([]rune(text)) {
		if kept += widthOf(r); kept > columns/2 {
			break
		}
		tail = string(r) + tail
	}
	return Cut(text, columns-Width(tail)) + tail
}

func widthOf(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.Is(unicode.M, r):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
