package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Logging is what a server of sp's writes into its log: warnings and errors, by whom, and never the statement,
// its parameters or the rows that it was about, which may hold passwords and people's data. A tenant can't
// change any of it but for what its own sessions say.
var Logging = [][2]string{
	{"log_min_messages", "warning"},
	{"log_min_error_statement", "panic"},
	{"log_statement", "none"},
	{"log_min_duration_statement", "-1"},
	{"log_error_verbosity", "terse"},
	{"log_parameter_max_length", "0"},
	{"log_parameter_max_length_on_error", "0"},
	{"log_line_prefix", "%m [%p] %e %q%u@%d %a "},
}

// Kept are the settings that each server of sp's has, whatever its data say: what it logs, and how long a client may
// take to log in. One that says nothing keeps a connection from others, those that are for sp included.
var Kept = append(slices.Clip(Logging), [2]string{"authentication_timeout", "5s"})

// maxLog is how large a log may be when a command of sp's comes by; then its last part is kept beside it.
const maxLog = 1 << 20

func (c Cluster) logFile() string { return filepath.Join(c.Dir, "log") }

func (c Cluster) oldLogFile() string { return c.logFile() + ".old" }

// openLog opens the log for a server that is about to start.
func (c Cluster) openLog() (*os.File, error) {
	return os.OpenFile(c.logFile(), os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
}

// boundLog keeps only the last part of a log that has become large. It is emptied and not replaced: the server
// appends to it, and goes on where it ends then.
func (c Cluster) boundLog() error {
	text, err := readEnd(c.logFile(), maxLog)
	if err != nil || len(text) < maxLog {
		return ignoring(fs.ErrNotExist, err)
	}
	return errors.Join(writeFile(c.oldLogFile(), text), os.Truncate(c.logFile(), 0))
}

// readEnd reads what a file ends in, if that has at least limit bytes, and else all of it.
func readEnd(path string, limit int64) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(file, max(0, info.Size()-limit), limit))
}

func ignoring(what, err error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// Log tells the last lines of the log and, if it is followed, those that come, until ctx ends.
func (c Cluster) Log(ctx context.Context, last int, follow bool, tell func(line string)) error {
	old, err := readEnd(c.oldLogFile(), maxLog)
	if ignoring(fs.ErrNotExist, err) != nil {
		return err
	}
	file, err := os.OpenFile(c.logFile(), os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", c.logFile(), ErrNone)
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	at := info.Size()
	text, err := io.ReadAll(io.NewSectionReader(file, max(0, at-maxLog), min(at, maxLog)))
	if err != nil {
		return err
	}
	var lines []string
	said := discreet{tell: func(line string) { lines = append(lines, line) }, hidden: true}
	said.write(fromWholeLine(old) + fromWholeLine(text))
	for _, line := range lines[max(0, len(lines)-last):] {
		tell(line)
	}
	if !follow {
		return nil
	}
	said.tell = tell
	return said.follow(ctx, file, at)
}

// fromWholeLine is the end of a log from its first line on that has its beginning.
func fromWholeLine(end []byte) string {
	if len(end) == maxLog {
		_, end, _ = bytes.Cut(end, []byte("\n"))
	}
	return string(end)
}

// Log tells the last lines of what the container has said and, if it is followed, those that come.
func (d Docker) Log(ctx context.Context, last int, follow bool, tell func(line string)) error {
	c, err := d.own(ctx)
	if err == nil && c.state == "" {
		err = fmt.Errorf("container %s: %w", Container, ErrNone)
	}
	if err != nil {
		return err
	}
	args := []string{"logs", "--tail", strconv.Itoa(last)}
	if follow {
		args = append(args, "--follow")
	}
	logs := d.command(append(args, Container)...).prepare(ctx)
	said := discreet{tell: tell, hidden: true}
	logs.Stdout, logs.Stderr = &said, &said
	err = logs.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// discreet tells the lines of a log but for what in them may be part of a statement: PostgreSQL quotes the
// rest of one that it can't read, and a container's server may have been told to log them all.
type discreet struct {
	tell   func(line string)
	hidden bool // what the last line, which may not have been seen, goes on with is left out
	begun  string
}

func (d *discreet) line(line string) {
	if strings.HasPrefix(line, "\t") && d.hidden { // it goes on
		return
	}
	d.hidden = false
	for _, before := range []string{` at or near "`, "STATEMENT:  ", "QUERY:  ", "CONTEXT:  ", "DETAIL:  "} {
		if start, _, found := strings.Cut(line, before); found {
			line, d.hidden = start+before+"…", true
		}
	}
	d.tell(line)
}

// write tells the lines that a part of the log makes whole.
func (d *discreet) write(part string) {
	d.begun += part
	for {
		line, rest, whole := strings.Cut(d.begun, "\n")
		if !whole {
			return
		}
		d.begun = rest
		d.line(line)
	}
}

// Write is write for a program that says it.
func (d *discreet) Write(part []byte) (int, error) {
	d.write(string(part))
	return len(part), nil
}

// follow tells what is written behind a place in a log, or from its beginning once it was emptied.
func (d *discreet) follow(ctx context.Context, file *os.File, at int64) error {
	for {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if info.Size() < at {
			at = 0
		}
		part, err := io.ReadAll(io.NewSectionReader(file, at, maxLog))
		if err != nil {
			return err
		}
		at += int64(len(part))
		d.write(string(part))
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}
