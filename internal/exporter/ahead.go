package exporter

import (
	"errors"
	"hash"
	"io"
)

// ahead reads a file and hashes it, in another goroutine unless it is short, while what was
// read is looked at.
type ahead struct {
	piece piece
	full  chan piece  // pieces in their order; nil where piece is all
	empty chan []byte // room for others
}

// piece is what one reading gave, in its room.
type piece struct {
	room, text []byte
	err        error
}

const (
	// shortSize is what a file may have that is read at once; most have less.
	shortSize = 16 << 10
	// pieceSize is how much of others is read at once.
	pieceSize = 128 << 10
)

func readAhead(from io.Reader, sum hash.Hash) *ahead {
	next := func(room []byte) piece {
		n, err := io.ReadFull(from, room)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		sum.Write(room[:n]) // which never fails
		return piece{room, room[:n], err}
	}
	a := &ahead{piece: next(make([]byte, shortSize))}
	if a.piece.err != nil {
		return a
	}
	a.full, a.empty = make(chan piece, 1), make(chan []byte, 2)
	a.empty <- make([]byte, pieceSize)
	a.empty <- make([]byte, pieceSize)
	go func() {
		defer close(a.full)
		for room := range a.empty {
			p := next(room)
			a.full <- p
			if p.err != nil {
				return
			}
		}
	}()
	return a
}

// Read gives what comes next.
func (a *ahead) Read(p []byte) (int, error) {
	for len(a.piece.text) == 0 {
		if a.piece.err != nil {
			return 0, a.piece.err
		}
		if len(a.piece.room) == pieceSize { // the first is not worth it
			a.empty <- a.piece.room
		}
		a.piece = <-a.full
	}
	n := copy(p, a.piece.text)
	a.piece.text = a.piece.text[n:]
	return n, nil
}

// stop ends the reading: from then on the file is its owner's again.
func (a *ahead) stop() {
	if a.full == nil {
		return
	}
	close(a.empty)
	for range a.full { // until the other goroutine is gone
	}
}
