package jsontext

import (
	"encoding/binary"
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

// AppendString appends s as a JSON string, escaped as serde_json escapes it. It
// takes s to be UTF-8.
func AppendString[T string | []byte](text []byte, s T) []byte {
	text = append(text, '"')
	start := len(text)
	text = append(text, s...)
	if start+plainLength(text[start:]) < len(text) {
		text = appendEscaped(text[:start], s)
	}
	return append(text, '"')
}

// Quote returns a text as a JSON string.
func Quote(s string) string { return string(AppendString(nil, s)) }

// plainLength says how many bytes there are before the first that a JSON string must
// escape. It looks at eight bytes at a time, which is a tenth of what an export takes.
func plainLength(s []byte) int {
	n := 0
	for len(s)-n >= 8 && !mustEscapeAny(binary.LittleEndian.Uint64(s[n:])) {
		n += 8
	}
	for n < len(s) && !mustEscape[s[n]] {
		n++
	}
	return n
}

// mustEscapeAny tells whether one of eight bytes is below 0x20, a quote or a backslash.
// Taking n from a byte below n borrows from its high bit, which a byte from 0x80 on has
// by itself, and hence does not count.
func mustEscapeAny(bytes uint64) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	quote, backslash := bytes^each*'"', bytes^each*'\\'
	controls := (bytes - each*0x20) &^ bytes
	return (controls|(quote-each)&^quote|(backslash-each)&^backslash)&high != 0
}

func appendEscaped[T string | []byte](text []byte, s T) []byte {
	copied := 0
	for i := range len(s) {
		if !mustEscape[s[i]] {
			continue
		}
		text = append(text, s[copied:i]...)
		text = appendEscape(text, s[i])
		copied = i + 1
	}
	return append(text, s[copied:]...)
}

func appendEscape(text []byte, c byte) []byte {
	const short = "\"\"\\\\\bb\ff\nn\rr\tt"
	if letter := strings.IndexByte(short, c); letter >= 0 {
		return append(text, '\\', short[letter+1])
	}
	return append(text, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}

// AppendLine begins a line of the layout at depth.
func AppendLine(text []byte, depth int) []byte {
	text = append(text, '\n')
	for range depth {
		text = append(text, "  "...)
	}
	return text
}

// AppendIndented appends compact text laid out as it stands at depth: two spaces a
// level, each member and element on a line of its own, `{}` and `[]` on one, and no
// newline at the end.
func AppendIndented(text []byte, compact string, depth int) []byte {
	for i := 0; i < len(compact); i++ {
		switch c := compact[i]; c {
		case '"':
			length := lengthOfString(compact[i:])
			text = append(text, compact[i:i+length]...)
			i += length - 1
		case ':':
			text = append(text, ": "...)
		case ',':
			text = AppendLine(append(text, c), depth)
		case '{', '[':
			if next := compact[i+1]; next == '}' || next == ']' {
				text = append(text, c, next)
				i++
				continue
			}
			depth++
			text = AppendLine(append(text, c), depth)
		case '}', ']':
			depth--
			text = append(AppendLine(text, depth), c)
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
