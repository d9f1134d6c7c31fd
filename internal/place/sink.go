package place

import (
	"hash"
	"os"
)

// sink is a file that is hashed as it is written, and goes on to the disk while the rest
// is being rendered. What is long is written by another goroutine, in pieces.
type sink struct {
	file           *os.File
	sum            hash.Hash
	written, begun int64 // begun is how much the disk was asked for
	failed         error // before there was another goroutine

	piece []byte      // what is gathered
	full  chan []byte // pieces for the other goroutine, and
	empty chan []byte // those that it is done with; nil as long as there is none
	done  chan error
}

const (
	// piece is how much is gathered, and how much one goroutine may be ahead of the other.
	piece = 256 << 10
	// ahead is how much is written before the disk is asked to begin.
	ahead = 4 << 20
)

// Write adds text to the file. Of a long one, an error may come with a later text, or with the end.
func (s *sink) Write(text []byte) (n int, err error) {
	if s.full == nil && s.written < ahead { // most files end before that
		s.failed = s.put(text)
		return len(text), s.failed
	}
	if s.piece = append(s.piece, text...); len(s.piece) < piece {
		return len(text), nil
	}
	if s.full == nil {
		s.start()
	}
	s.full <- s.piece
	select {
	case err := <-s.done:
		s.piece = nil
		s.done <- err // for the end
		return 0, err
	case s.piece = <-s.empty:
		return len(text), nil
	}
}

// start starts the other goroutine.
func (s *sink) start() {
	s.full, s.empty, s.done = make(chan []byte, 1), make(chan []byte, 2), make(chan error, 1)
	s.empty <- nil
	go func() {
		var err error
		for text := range s.full {
			if err == nil {
				if err = s.put(text); err != nil {
					s.done <- err
				}
			}
			s.empty <- text[:0]
		}
		if err == nil {
			s.done <- nil
		}
	}()
}

// end writes what is left, and tells what went wrong.
func (s *sink) end() error {
	switch {
	case s.full == nil && len(s.piece) == 0: // all is written
		return s.failed
	case s.full == nil:
		return s.put(s.piece)
	case len(s.piece) > 0:
		s.full <- s.piece
	}
	close(s.full)
	return <-s.done
}

// put writes text and hashes it.
func (s *sink) put(text []byte) error {
	n, err := s.file.Write(text)
	s.sum.Write(text[:n]) // which never fails
	s.written += int64(n)
	if s.written-s.begun >= ahead {
		startWriting(s.file, s.begun, s.written-s.begun)
		s.begun = s.written
	}
	return err
}
