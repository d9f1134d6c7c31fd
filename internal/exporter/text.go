package exporter

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxValue is the longest single value that is read: 16 MiB keeps memory bounded
// whatever the text.
const maxValue = 16 << 20

// What is wrong in more than one place.
const (
	tooLong   = "a value of more than 16 MiB"
	notValue  = "not a JSON value"
	notPaired = "an escape of half a surrogate pair"
)

// string passes a string, at whose quote s stands, and returns what it means,
// valid until the next string or number.
func (s *scanner) string() ([]byte, error) {
	start := s.place()
	s.pos++
	s.text = s.text[:0]
	for len(s.text) <= maxValue {
		var err error
		switch c := s.peek(); {
		case c == '"':
			s.pos++
			return s.text, nil
		case c == '\\':
			err = s.escape()
		case c < 0x20:
			err = s.fail("a control character in a string is not escaped")
		case c < utf8.RuneSelf:
			s.plain()
		default:
			err = s.rune()
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, s.failAt(start, tooLong)
}

// plain takes what stands in the window of ASCII that needs no escape.
func (s *scanner) plain() {
	rest := s.window[s.pos:]
	n := 0
	for n < len(rest) && rest[n] < utf8.RuneSelf && !mustEscape[rest[n]] {
		n++
	}
	s.text = append(s.text, rest[:n]...)
	s.pos += n
}

// rune takes one character that is not ASCII.
func (s *scanner) rune() error {
	for !utf8.FullRune(s.window[s.pos:]) {
		if !s.fill() {
			s.pos = len(s.window)
			return s.ended()
		}
	}
	r, size := utf8.DecodeRune(s.window[s.pos:])
	if r == utf8.RuneError && size == 1 {
		return s.fail("not UTF-8")
	}
	s.text = append(s.text, s.window[s.pos:s.pos+size]...)
	s.pos += size
	return nil
}

// unescaped pairs the letters of the short escapes with what they mean.
var unescaped = []byte("\"\"\\\\//b\bf\fn\nr\rt\t")

// escape takes an escape, at whose backslash s stands.
func (s *scanner) escape() error {
	start := s.place()
	s.pos++
	c := s.peek()
	if c == 'u' {
		s.pos++
		return s.unicodeEscape(start)
	}
	for i := 0; i < len(unescaped); i += 2 {
		if unescaped[i] == c {
			s.pos++
			s.text = append(s.text, unescaped[i+1])
			return nil
		}
	}
	return s.fail("not an escape that JSON knows")
}

// unicodeEscape takes what follows \u: four digits or, for a character beyond the
// sixteen bits of one, a pair of surrogates with another \u between them.
func (s *scanner) unicodeEscape(start Place) error {
	r, err := s.hex4()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) {
		for _, c := range []byte(`\u`) {
			if s.peek() != c {
				return s.failFrom(start, notPaired)
			}
			s.pos++
		}
		low, err := s.hex4()
		if err != nil {
			return err
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return s.failAt(start, notPaired)
		}
	}
	s.text = utf8.AppendRune(s.text, r)
	return nil
}

func (s *scanner) hex4() (rune, error) {
	var r rune
	for range 4 {
		digit := strings.IndexByte("0123456789abcdefABCDEF", s.peek())
		if digit < 0 {
			return 0, s.fail(`an escape \u without four hex digits`)
		}
		if digit > 0xf {
			digit -= 6
		}
		r = r<<4 | rune(digit)
		s.pos++
	}
	return r, nil
}
