package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/sp-registry/sp/bench/pair"
	"github.com/sp-registry/sp/bench/scenarios"
)

// table is the figures in Markdown.
func table(figures []scenarios.Figure) string {
	var text strings.Builder
	text.WriteString("| | goal | figure [95 %] | gate | stretch | verdict | |\n|---|---|---|---|---|---|---|\n")
	for _, f := range figures {
		value, note := "–", f.Note
		if f.Missing == "" {
			value = strings.TrimSpace(interval(f.Value) + " " + f.Unit)
		} else {
			note = f.Missing
		}
		gate, stretch := bounds(f.Bound)
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s | %s |\n", f.Goal, f.Name, value, gate, stretch, f.Verdict(), cell(note))
	}
	return text.String()
}

// cell is text that may stand in a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

func bounds(b pair.Bound) (gate, stretch string) {
	sign := ""
	if b.AtLeast {
		sign = "≥ "
	}
	one := func(limit float64) string {
		if limit == 0 {
			return ""
		}
		return sign + number(limit)
	}
	if b.None {
		return "0", "0"
	}
	return one(b.Gate), one(b.Stretch)
}

// interval writes an estimate, in one number where it is exact.
func interval(e pair.Estimate) string {
	if e.Low == e.High {
		return number(e.Median)
	}
	return fmt.Sprintf("%s [%s, %s]", number(e.Median), number(e.Low), number(e.High))
}

// number has three digits, but whole numbers as they are.
func number(x float64) string {
	switch {
	case x == float64(int64(x)):
		return fmt.Sprint(int64(x))
	case x >= 100 || x <= -100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10 || x <= -10:
		return fmt.Sprintf("%.1f", x)
	case x >= 0.1 || x <= -0.1:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.2g", x)
}

// A document has its table between these two lines.
const (
	tableBegins = "<!-- table: make bench-full writes it -->\n"
	tableEnds   = "<!-- /table -->\n"
)

// updateDocument writes the table of a document anew, and nothing else of it.
func updateDocument(path, table string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return fmt.Errorf("%s: the lines that mark the table are not there", path)
	}
	return os.WriteFile(path, []byte(before+tableBegins+table+tableEnds+after), 0o644)
}
