package cli

import (
	"io"
	"os"
)

// spool holds an answer until the command is done: nothing is printed by a command
// that fails, and no reader of ours can keep the registry locked. What exceeds
// spoolMemory goes to a file that has no name, in pieces.
type spool struct {
	memory []byte
	file   *os.File
	// dir is where that file is made; empty for the system's.
	dir string
}

const (
	spoolMemory = 4 << 20
	spoolPiece  = 64 << 10
)

// Write adds to the answer.
func (s *spool) Write(p []byte) (int, error) {
	s.memory = append(s.memory, p...)
	return len(p), s.settle()
}

// WriteString adds to the answer without a copy on the way.
func (s *spool) WriteString(text string) (int, error) {
	s.memory = append(s.memory, text...)
	return len(text), s.settle()
}

// settle moves to the file what is too long for memory.
func (s *spool) settle() error {
	if len(s.memory) < spoolPiece || s.file == nil && len(s.memory) <= spoolMemory {
		return nil
	}
	if s.file == nil {
		file, err := UnnamedFile(s.dir)
		if err != nil {
			return err
		}
		s.file = file
	}
	_, err := s.file.Write(s.memory)
	if s.memory = s.memory[:0]; cap(s.memory) > 4*spoolPiece {
		s.memory = nil
	}
	return err
}

// KeepIn keeps a long answer in dir, instead of the system's temporary directory, until it is
// whole.
func (c *Context) KeepIn(dir string) { c.out.dir = dir }

// UnnamedFile makes a file without a name that disappears with this process. Without a dir, it is
// in the system's temporary directory.
func UnnamedFile(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, ".sp-*.tmp")
	if err != nil {
		return nil, Hint(err, "TMPDIR names where what is long is kept until it is whole")
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// copyTo writes the whole answer to w.
func (s *spool) copyTo(w io.Writer) error {
	if s.file != nil {
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(w, s.file); err != nil {
			return err
		}
	}
	if len(s.memory) == 0 {
		return nil
	}
	_, err := w.Write(s.memory)
	return err
}

func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close() // it has no name and no reader any more
	}
}
