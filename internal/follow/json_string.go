package follow

import (
	"encoding/json"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// endOfString says how many bytes the JSON string at the start of text takes, its
// quotes included.
func endOfString[T string | []byte](text T) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// hasHalfPair tells whether a quoted string holds an escape of half a surrogate pair,
// which Go would read as U+FFFD without a word.
func hasHalfPair(quoted []byte) bool {
	for i := 0; i < len(quoted); i++ {
		if quoted[i] != '\\' {
			continue
		}
		i++
		high, ok := hexEscape(quoted[i:])
		if !ok || !utf16.IsSurrogate(high) {
			continue
		}
		i += 5
		if quoted[i] != '\\' {
			return true
		}
		low, ok := hexEscape(quoted[i+1:])
		if !ok || utf16.DecodeRune(high, low) == utf8.RuneError {
			return true
		}
		i += 5
	}
	return false
}

// hexEscape returns the number behind the u of an escape.
func hexEscape(text []byte) (r rune, ok bool) {
	if text[0] != 'u' {
		return 0, false
	}
	for _, c := range text[1:5] {
		r = r<<4 | rune(strings.IndexByte("0123456789abcdef", c|0x20)&0xf)
	}
	return r, true
}

// unquote returns what a string says that is known to be one.
func unquote(quoted string) string {
	if !strings.Contains(quoted, `\`) {
		return quoted[1 : len(quoted)-1]
	}
	var text string
	_ = json.Unmarshal([]byte(quoted), &text)
	return text
}

// textOf returns what a value says if it is a string.
func textOf(value string) (string, bool) {
	if !strings.HasPrefix(value, `"`) {
		return "", false
	}
	return unquote(value), true
}

func quoted(text string) string { return string(appendString(nil, text)) }

// appendString appends a JSON string as serde_json escapes it: not <, > and &, not
// 0x7f, not U+2028, all of which encoding/json has its own mind about.
func appendString(text []byte, s string) []byte {
	const short, hex = "\"\"\\\\\bb\ff\nn\rr\tt", "0123456789abcdef"
	text = append(text, '"')
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			text = append(text, c)
			continue
		}
		text = append(text, '\\')
		if letter := strings.IndexByte(short, c); letter >= 0 {
			text = append(text, short[letter+1])
			continue
		}
		text = append(text, 'u', '0', '0', hex[c>>4], hex[c&0xf])
	}
	return append(text, '"')
}
