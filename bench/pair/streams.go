package pair

import (
	"cmp"
	"os"
	"strings"
)

// streams are the files that a command reads and writes: no pipe, whose other end would
// be somebody who has to run, too.
type streams struct{ in, out, err *os.File }

func openStreams(c Command) (s streams, err error) {
	if s.in, err = os.Open(cmp.Or(c.Stdin, os.DevNull)); err != nil {
		return s, err
	}
	if s.out, err = os.OpenFile(cmp.Or(c.Stdout, os.DevNull), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err == nil {
		s.err, err = os.CreateTemp("", "sp-bench-stderr-")
	}
	if err != nil {
		s.close()
	}
	return s, err
}

func (s streams) close() {
	if s.err != nil {
		_ = os.Remove(s.err.Name())
	}
	for _, file := range []*os.File{s.in, s.out, s.err} {
		if file != nil {
			_ = file.Close() // what was written is looked at by others
		}
	}
}

// complaint is the end of what the command wrote on stderr.
func (s streams) complaint() string {
	text, err := os.ReadFile(s.err.Name())
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-400):]))
}
