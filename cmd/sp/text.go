package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
)

// printable makes a text that anybody may have written harmless: what could move
// the cursor, end the line or turn the writing direction shows as an escape.
func printable(text string) string {
	if !strings.ContainsFunc(text, isHarmful) && !strings.Contains(text, "\uFFFD") {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	var b strings.Builder
	for _, r := range text {
		if isHarmful(r) {
			writeEscape(&b, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isHarmful tells whether a terminal does something else with r than show it.
func isHarmful(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

// writeEscape writes r as JSON would: \u and four hexadecimal digits, twice for a
// rune past U+FFFF.
func writeEscape(b *strings.Builder, r rune) {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		return
	}
	fmt.Fprintf(b, `\u%04x`, r)
}

// printableLines does the same for a text of several lines of our own.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}
