package exporter

import (
	"fmt"
	"io"
)

// windowSize is how much of a text is in memory at once.
const windowSize = 64 << 10

// scanner reads a JSON text byte by byte through a window and knows its place in it.
type scanner struct {
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

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, room: make([]byte, windowSize), line: 1}
}

// place is where the next byte stands.
func (s *scanner) place() Place {
	return Place{Line: s.line, Column: s.gone + s.pos - s.lineStart + 1}
}

// peek returns the next byte without taking it; 0 at the end of the text, as for
// a NUL, which no caller accepts either: fail tells the two apart.
func (s *scanner) peek() byte {
	if s.pos == len(s.window) && !s.fill() {
		return 0
	}
	return s.window[s.pos]
}

// fill puts more of the text behind what is left of the window; false at the
// end. What is left must be less than the window, so that there is room.
func (s *scanner) fill() bool {
	left := copy(s.room, s.window[s.pos:])
	s.gone += s.pos
	s.window, s.pos = s.room[:left], 0
	for range 100 {
		if s.err != nil {
			return false
		}
		var n int
		n, s.err = s.r.Read(s.room[left:])
		if n > 0 {
			s.window = s.room[:left+n]
			return true
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// atEnd tells whether peek has found the end of the text.
func (s *scanner) atEnd() bool { return s.pos == len(s.window) && s.err != nil }

// fail refuses the next byte, which peek has returned, or the end in its place.
func (s *scanner) fail(problem string) error { return s.failFrom(s.place(), problem) }

// failFrom refuses what starts at a place and can't go on with the next byte,
// which peek has returned; when there is no next byte, the end is the problem.
func (s *scanner) failFrom(start Place, problem string) error {
	if s.atEnd() {
		return s.ended()
	}
	return s.failAt(start, problem)
}

// failAt refuses what starts at a place.
func (s *scanner) failAt(start Place, problem string) error {
	return &FormatError{Place: start, Tenant: -1, Problem: problem}
}

// ended says why there is no next byte.
func (s *scanner) ended() error {
	if s.err == io.EOF {
		return s.failAt(s.place(), "the text ends too early")
	}
	return fmt.Errorf("%s: %w", s.place(), s.err)
}

// space passes white space and returns the byte behind it, as peek does.
func (s *scanner) space() byte {
	for {
		switch c := s.peek(); c {
		case '\n':
			s.pos++
			s.line++
			s.lineStart = s.gone + s.pos
		case ' ', '\t', '\r':
			s.pos++
		default:
			return c
		}
	}
}

// open passes the bracket or brace at which a value starts.
func (s *scanner) open(bracket byte, problem string) error {
	if s.space() != bracket {
		return s.fail(problem)
	}
	s.pos++
	return nil
}

// next passes to the next element of an array or object, or past its end, where
// it returns false.
func (s *scanner) next(first bool, closing byte) (bool, error) {
	c := s.space()
	if c == closing {
		s.pos++
		return false, nil
	}
	if first {
		return true, nil
	}
	if c != ',' {
		return false, s.fail("expected a comma or the closing bracket")
	}
	s.pos++
	if s.space() == closing {
		return false, s.fail("a comma with nothing behind it")
	}
	return true, nil
}

// nextMember passes to the value of the next member of an object and returns the
// member's name, valid until the next string, with its place; or past the end of
// the object, where it returns false.
func (s *scanner) nextMember(first bool) (name []byte, at Place, more bool, err error) {
	if more, err = s.next(first, '}'); !more || err != nil {
		return nil, at, false, err
	}
	at = s.place()
	if s.peek() != '"' {
		return nil, at, false, s.fail("expected the name of a member in double quotes")
	}
	if name, err = s.string(); err != nil {
		return nil, at, false, err
	}
	if err := s.open(':', "expected a colon behind the name of a member"); err != nil {
		return nil, at, false, err
	}
	s.space()
	return name, at, true, nil
}

// finish passes the white space behind the document and demands the end of the text.
func (s *scanner) finish() error {
	s.space()
	if s.atEnd() && s.err == io.EOF {
		return nil
	}
	return s.fail("more text behind the document")
}
