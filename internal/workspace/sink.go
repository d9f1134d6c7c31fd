package workspace

import (
	"crypto/sha256"
	"hash"
	"os"
)

// sink is where a rendering goes: into a file, hashed as it is written, and on to the
// disk while the rest is being rendered.
type sink struct {
	file           *os.File
	sum            hash.Hash
	written, begun int64 // begun is how much the disk was asked for
}

// ahead is how much is written before the disk is asked to begin.
const ahead = 4 << 20

func newSink(file *os.File) *sink { return &sink{file: file, sum: sha256.New()} }

// Write writes text to the file.
func (s *sink) Write(text []byte) (int, error) {
	n, err := s.file.Write(text)
	s.sum.Write(text[:n]) // which never fails
	s.written += int64(n)
	if s.written-s.begun >= ahead {
		startWriting(s.file, s.begun, s.written-s.begun)
		s.begun = s.written
	}
	return n, err
}

func (s *sink) hash() string { return hexOf(s.sum.Sum(nil)) }
