package jsontext

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

// Text passes a string, at whose quote s stands, and returns what it means, valid until
// the scanner goes on.
func (s *Scanner) Text() ([]byte, error) {
	rest := s.window[s.pos+1:]
	if n := plainLength(rest); n < len(rest) && rest[n] == '"' && utf8.Valid(rest[:n]) {
		s.pos += n + 2
		return rest[:n], nil
	}
	return s.gathered()
}

// gathered is Text for a string with escapes, or that the window cuts.
func (s *Scanner) gathered() ([]byte, error) {
	start := s.Place()
	s.pos++
	s.text = s.text[:0]
	for len(s.text) <= maxValue {
		var err error
		switch c := s.Peek(); {
		case c == '"':
			s.pos++
			return s.text, nil
		case c == '\\':
			err = s.escape()
		case c < 0x20:
			err = s.Fail("a control character in a string is not escaped")
		case c < utf8.RuneSelf:
			s.plain()
		default:
			err = s.rune()
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, s.FailAt(start, tooLong)
}

// plain takes what stands in the window of ASCII that needs no escape.
func (s *Scanner) plain() {
	rest := s.window[s.pos:]
	n := 0
	for n < len(rest) && rest[n] < utf8.RuneSelf && !mustEscape[rest[n]] {
		n++
	}
	s.text = append(s.text, rest[:n]...)
	s.pos += n
}

// rune takes one character that is not ASCII.
func (s *Scanner) rune() error {
	for !utf8.FullRune(s.window[s.pos:]) {
		if !s.fill() {
			s.pos = len(s.window)
			return s.ended()
		}
	}
	r, size := utf8.DecodeRune(s.window[s.pos:])
	if r == utf8.RuneError && size == 1 {
		return s.Fail("not UTF-8")
	}
	s.text = append(s.text, s.window[s.pos:s.pos+size]...)
	s.pos += size
	return nil
}

// unescaped pairs the letters of the short escapes with what they mean.
var unescaped = []byte("\"\"\\\\//b\bf\fn\nr\rt\t")

// escape takes an escape, at whose backslash s stands.
func (s *Scanner) escape() error {
	start := s.Place()
	s.pos++
	c := s.Peek()
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
	return s.Fail("not an escape that JSON knows")
}

// unicodeEscape takes what follows \u: four digits or, for a character beyond the
// sixteen bits of one, a pair of surrogates with another \u between them.
func (s *Scanner) unicodeEscape(start Place) error {
	r, err := s.hex4()
	if err != nil {
		return err
	}
	if utf16.IsSurrogate(r) {
		for _, c := range []byte(`\u`) {
			if s.Peek() != c {
				return s.failFrom(start, notPaired)
			}
			s.pos++
		}
		low, err := s.hex4()
		if err != nil {
			return err
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return s.FailAt(start, notPaired)
		}
	}
	s.text = utf8.AppendRune(s.text, r)
	return nil
}

func (s *Scanner) hex4() (rune, error) {
	var r rune
	for range 4 {
		digit := strings.IndexByte("0123456789abcdefABCDEF", s.Peek())
		if digit < 0 {
			return 0, s.Fail(`an escape \u without four hex digits`)
		}
		if digit > 0xf {
			digit -= 6
		}
		r = r<<4 | rune(digit)
		s.pos++
	}
	return r, nil
}

// Literal passes true, false or null.
func (s *Scanner) Literal(word string) error {
	for i := range len(word) {
		if s.Peek() != word[i] {
			return s.Fail(notValue)
		}
		s.pos++
	}
	return nil
}

// number passes a number and returns it as it is spelled, valid until the next
// string or number.
func (s *Scanner) number() ([]byte, error) {
	start := s.Place()
	s.text = s.text[:0]
	s.take("-")
	if s.take("0") {
		if c := s.Peek(); '0' <= c && c <= '9' {
			return nil, s.Fail("a number with a needless zero in front")
		}
	} else if err := s.digits(start); err != nil {
		return nil, err
	}
	if s.take(".") {
		if err := s.digits(start); err != nil {
			return nil, err
		}
	}
	if s.take("eE") {
		s.take("+-")
		if err := s.digits(start); err != nil {
			return nil, err
		}
	}
	return s.text, nil
}

// take takes the next byte if it is one of some ASCII characters.
func (s *Scanner) take(chars string) bool {
	c := s.Peek()
	for i := range len(chars) {
		if chars[i] == c {
			s.text = append(s.text, c)
			s.pos++
			return true
		}
	}
	return false
}

// digits takes one digit of a number that started at start, or more.
func (s *Scanner) digits(start Place) error {
	if !s.take("0123456789") {
		return s.Fail("a number lacks a digit")
	}
	for s.take("0123456789") {
		if len(s.text) > maxValue {
			return s.FailAt(start, tooLong)
		}
	}
	return nil
}
