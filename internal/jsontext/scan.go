package jsontext

import (
	"fmt"
	"io"
)

// windowSize is how much of a text is in memory at once.
const windowSize = 64 << 10

// Scanner reads a JSON text byte by byte through a window and knows its place in it.
type Scanner struct {
	r      io.Reader
	room   []byte // what window is a part of
	window []byte
	pos    int   // of the next byte in window
	gone   int   // bytes of the text before window
	err    error // why r gives no more

	line      int
	lineStart int // offset in the text

	text []byte // of the last string or number
}

// NewScanner returns a scanner of what r gives.
func NewScanner(r io.Reader) *Scanner {
	return &Scanner{r: r, room: make([]byte, windowSize), line: 1}
}

// scanText returns a scanner of a text in memory.
func scanText(text []byte) *Scanner { return &Scanner{window: text, err: io.EOF, line: 1} }

// Place is where the next byte stands.
func (s *Scanner) Place() Place {
	return Place{Line: s.line, Column: s.gone + s.pos - s.lineStart + 1}
}

// Peek returns the next byte without taking it; 0 at the end of the text, as for
// a NUL, which no caller accepts either: Fail tells the two apart.
func (s *Scanner) Peek() byte {
	if s.pos == len(s.window) && !s.fill() {
		return 0
	}
	return s.window[s.pos]
}

// fill puts more of the text behind what is left of the window; false at the
// end. What is left must be less than the window, so that there is room.
func (s *Scanner) fill() bool {
	if s.err != nil {
		return false
	}
	left := copy(s.room, s.window[s.pos:])
	s.gone += s.pos
	s.window, s.pos = s.room[:left], 0
	for range 100 {
		var n int
		n, s.err = s.r.Read(s.room[left:])
		if n > 0 {
			s.window = s.room[:left+n]
			return true
		}
		if s.err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// atEnd tells whether Peek has found the end of the text.
func (s *Scanner) atEnd() bool { return s.pos == len(s.window) && s.err != nil }

// Fail refuses the next byte, which Peek has returned, or the end in its place.
func (s *Scanner) Fail(problem string) error { return s.failFrom(s.Place(), problem) }

// failFrom refuses what starts at a place and can't go on with the next byte,
// which Peek has returned; when there is no next byte, the end is the problem.
func (s *Scanner) failFrom(start Place, problem string) error {
	if s.atEnd() {
		return s.ended()
	}
	return s.FailAt(start, problem)
}

// FailAt refuses what starts at a place.
func (s *Scanner) FailAt(start Place, problem string) error {
	return &FormatError{Place: start, Problem: problem}
}

// ended says why there is no next byte.
func (s *Scanner) ended() error {
	if s.err == io.EOF {
		return s.FailAt(s.Place(), "the text ends too early")
	}
	return fmt.Errorf("%s: %w", s.Place(), s.err)
}

// space passes white space and returns the byte behind it, as Peek does.
func (s *Scanner) space() byte {
	for s.pos < len(s.window) || s.fill() {
		switch c := s.window[s.pos]; c {
		case '\n':
			s.line++
			s.lineStart = s.gone + s.pos + 1
		case ' ', '\t', '\r':
		default:
			return c
		}
		s.pos++
	}
	return 0
}

// Open passes the bracket or brace at which a value starts.
func (s *Scanner) Open(bracket byte, problem string) error {
	if s.space() != bracket {
		return s.Fail(problem)
	}
	s.pos++
	return nil
}

// Next passes to the next element of an array or object, or past its end, where
// it returns false.
func (s *Scanner) Next(first bool, closing byte) (bool, error) {
	c := s.space()
	if c == closing {
		s.pos++
		return false, nil
	}
	if first {
		return true, nil
	}
	if c != ',' {
		return false, s.Fail("expected a comma or the closing bracket")
	}
	s.pos++
	if s.space() == closing {
		return false, s.Fail("a comma with nothing behind it")
	}
	return true, nil
}

// NextMember passes to the value of the next member of an object and returns the
// member's name, valid until the next string, with its place; or past the end of
// the object, where it returns false.
func (s *Scanner) NextMember(first bool) (name []byte, at Place, more bool, err error) {
	if more, err = s.Next(first, '}'); !more || err != nil {
		return nil, at, false, err
	}
	at = s.Place()
	if s.Peek() != '"' {
		return nil, at, false, s.Fail("expected the name of a member in double quotes")
	}
	if name, err = s.Text(); err != nil {
		return nil, at, false, err
	}
	s.text = append(s.text[:0], name...) // the window moves on
	name = s.text
	if err := s.Open(':', "expected a colon behind the name of a member"); err != nil {
		return nil, at, false, err
	}
	s.space()
	return name, at, true, nil
}

// Finish passes the white space behind the document and demands the end of the text.
func (s *Scanner) Finish() error {
	s.space()
	if s.atEnd() && s.err == io.EOF {
		return nil
	}
	return s.Fail("more text behind the document")
}
