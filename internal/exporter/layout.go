package exporter

import (
	"strings"
)

const hexDigits = "0123456789abcdef"

// mustEscape tells which bytes a JSON string holds only as an escape. serde_json
// escapes no others: not <, > and &, not 0x7f, not U+2028.
var mustEscape = func() (must [256]bool) {
	for c := range 0x20 {
		must[c] = true
	}
	must['"'], must['\\'] = true, true
	return must
}()

// appendString appends s as a JSON string, escaped as serde_json escapes it. It
// takes s to be UTF-8.
func appendString[T string | []byte](text []byte, s T) []byte {
	text = append(text, '"')
	copied := 0
	for i := range len(s) {
		if !mustEscape[s[i]] {
			continue
		}
		text = append(text, s[copied:i]...)
		text = appendEscape(text, s[i])
		copied = i + 1
	}
	text = append(text, s[copied:]...)
	return append(text, '"')
}

func appendEscape(text []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(text, '\\', c)
	case '\b':
		return append(text, `\b`...)
	case '\f':
		return append(text, `\f`...)
	case '\n':
		return append(text, `\n`...)
	case '\r':
		return append(text, `\r`...)
	case '\t':
		return append(text, `\t`...)
	}
	return append(text, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

// appendLine begins a line of the layout at depth.
func appendLine(text []byte, depth int) []byte {
	text = append(text, '\n')
	for range depth {
		text = append(text, "  "...)
	}
	return text
}

// appendIndented appends compact JSON text, a value or some members, laid out as
// it stands at depth: each member and element on a line of its own, `{}` and
// `[]` on one.
func appendIndented(text []byte, compact string, depth int) []byte {
	for i := 0; i < len(compact); i++ {
		switch c := compact[i]; c {
		case '"':
			length := lengthOfString(compact[i:])
			text = append(text, compact[i:i+length]...)
			i += length - 1
		case ':':
			text = append(text, ": "...)
		case ',':
			text = appendLine(append(text, c), depth)
		case '{', '[':
			if strings.HasPrefix(compact[i+1:], "}") || strings.HasPrefix(compact[i+1:], "]") {
				text = append(text, compact[i:i+2]...)
				i++
				continue
			}
			depth++
			text = appendLine(append(text, c), depth)
		case '}', ']':
			depth--
			text = append(appendLine(text, depth), c)
		default:
			text = append(text, c)
		}
	}
	return text
}

// lengthOfString says how many bytes the JSON string at the start of compact
// takes, its quotes included.
func lengthOfString(compact string) int {
	for i := 1; i < len(compact); i++ {
		switch compact[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(compact)
}
