package pair

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Command is a process to measure.
type Command struct {
	Label   string
	Program string // its path
	Args    []string
	Dir     string
	// Stdin and Stdout are files; empty is /dev/null.
	Stdin, Stdout string
	// Before makes ready what the process needs, and After clears away what it left.
	// Neither is measured.
	Before, After func() error
}

// Reading is what a process took.
type Reading struct {
	Took         time.Duration
	Exit         int
	PeakKB       int64 // but never less than the gauge's own peak
	MinorFaults  int64
	MajorFaults  int64
	User, System time.Duration
	Complaint    string // the end of what a command that failed wrote on stderr
}

// ParseReading reads the line that gauge writes.
func ParseReading(line string) (Reading, error) {
	words := strings.Fields(line)
	if len(words) != 7 {
		return Reading{}, fmt.Errorf("gauge: %d numbers in %q, not 7", len(words), line)
	}
	var n [7]int64
	for i, word := range words {
		var err error
		if n[i], err = strconv.ParseInt(word, 10, 64); err != nil || n[i] < 0 {
			return Reading{}, fmt.Errorf("gauge: %q is not a count", word)
		}
	}
	return Reading{
		Took: time.Duration(n[0]), Exit: int(n[1]), PeakKB: n[2], MinorFaults: n[3], MajorFaults: n[4],
		User: time.Duration(n[5]) * time.Microsecond, System: time.Duration(n[6]) * time.Microsecond,
	}, nil
}

// Gauge measures commands, each in a process of its own that a small helper starts.
type Gauge struct {
	Path string   // of the helper
	Env  []string // of every command, and nothing else
}

// Run runs one command to its end and measures it. A command that fails is an error,
// with what it said.
func (g Gauge) Run(c Command) (Reading, error) {
	reading, err := g.Try(c)
	if err == nil && reading.Exit != 0 {
		err = fmt.Errorf("%s: exit %d: %s", c.Label, reading.Exit, reading.Complaint)
	}
	return reading, err
}

// Try is Run for a command that may fail.
func (g Gauge) Try(c Command) (Reading, error) {
	reading, err := g.prepared(c)
	if err != nil {
		err = fmt.Errorf("%s: %w", c.Label, err)
	}
	return reading, err
}

func (g Gauge) prepared(c Command) (Reading, error) {
	if c.Before != nil {
		if err := c.Before(); err != nil {
			return Reading{}, err
		}
	}
	reading, err := g.measured(c)
	if err == nil && reading.Exit == 0 && c.After != nil {
		err = c.After()
	}
	return reading, err
}

func (g Gauge) measured(c Command) (Reading, error) {
	streams, err := openStreams(c)
	if err != nil {
		return Reading{}, err
	}
	defer streams.close()
	readEnd, writeEnd, err := os.Pipe()
	if err != nil {
		return Reading{}, err
	}
	defer readEnd.Close()
	cmd := exec.Command(g.Path, append([]string{c.Program}, c.Args...)...)
	cmd.Dir, cmd.Env = c.Dir, g.Env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = streams.in, streams.out, streams.err
	cmd.ExtraFiles = []*os.File{writeEnd} // which is 3 there
	err = cmd.Start()
	_ = writeEnd.Close() // it was only written by others
	if err != nil {
		return Reading{}, err
	}
	line, err := io.ReadAll(readEnd)
	ended := cmd.Wait()
	if err != nil || ended != nil {
		return Reading{}, fmt.Errorf("gauge: %w: %s", firstOf(ended, err), streams.complaint())
	}
	reading, err := ParseReading(string(line))
	if reading.Exit != 0 {
		reading.Complaint = streams.complaint()
	}
	return reading, err
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
