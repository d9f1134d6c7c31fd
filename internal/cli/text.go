package cli

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// Printable makes a text that anybody may have written safe to print. Characters that could move
// the cursor, end the line, turn the writing direction or cover other lines are escaped, and so are
// invisible ones.
func Printable(text string) string { return printable(text, false) }

// PrintableLines is Printable for a text of several lines that sp itself wrote.
func PrintableLines(text string) string { return printable(text, true) }

func printable(text string, lines bool) string {
	if isPlain(text, lines) {
		return text
	}
	var b strings.Builder
	marks := 0
	for _, r := range text {
		if !unicode.Is(unicode.M, r) {
			marks = 0
		} else {
			marks++
		}
		if isHarmful(r) && !(lines && r == '\n') || marks > maxMarks {
			writeEscape(&b, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isPlain tells of the texts that nearly all are: ASCII that shows.
func isPlain(text string, lines bool) bool {
	for i := range len(text) {
		if c := text[i]; (c < ' ' || c > '~') && !(lines && c == '\n') {
			return false
		}
	}
	return true
}

// maxMarks is how many combining marks on one letter are shown; a flood of them
// covers the lines above and below.
const maxMarks = 4

// isHarmful tells whether a terminal does something else with r than show it.
func isHarmful(r rune) bool {
	return r != ' ' && !unicode.IsPrint(r) ||
		r > unicode.MaxLatin1 && unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// writeEscape writes r as JSON would: \u and four hexadecimal digits, twice for a
// rune past U+FFFF.
func writeEscape(b *strings.Builder, r rune) {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		return
	}
	fmt.Fprintf(b, `\u%04x`, r)
}

// Ago returns how long ago something was, in one unit.
func Ago(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%dh ago", d/time.Hour)
	}
	return fmt.Sprintf("%dd ago", d/day)
}

// Counted returns a number with its noun, in the singular or plural.
func Counted(n int, thing string) string {
	switch {
	case n == 1 || strings.HasPrefix(thing, "of "):
		return fmt.Sprintf("%d %s", n, thing)
	case strings.HasSuffix(thing, "y") && !strings.HasSuffix(thing, "ay"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(thing, "y"))
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// HowLong writes a duration for people: 26 hours, 3 days.
func HowLong(d time.Duration) string {
	if d < 48*time.Hour {
		return Counted(int(d/time.Hour), "hour")
	}
	return Counted(int(d/(24*time.Hour)), "day")
}

// Some lists the first of several names.
func Some(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}
