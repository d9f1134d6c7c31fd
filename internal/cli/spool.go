package cli

import (
	"io"
	"os"
)

// spool holds an answer until the command is done: nothing is printed by a command
// that fails, and no reader of ours can keep the registry locked. What exceeds
// spoolMemory goes to a file that has no name.
type spool struct {
	memory []byte
	file   *os.File
	// dir is where that file is made; empty for the system's.
	dir string
}

const spoolMemory = 4 << 20

// Write adds to the answer.
func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && len(s.memory)+len(p) <= spoolMemory {
		s.memory = append(s.memory, p...)
		return len(p), nil
	}
	if s.file == nil {
		file, err := UnnamedFile(s.dir)
		if err != nil {
			return 0, err
		}
		s.file = file
	}
	return s.file.Write(p)
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
	if len(s.memory) > 0 {
		if _, err := w.Write(s.memory); err != nil {
			return err
		}
	}
	if s.file == nil {
		return nil
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, s.file)
	return err
}

func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close() // it has no name and no reader any more
	}
}
