package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// progress is the line on the terminal that tells how far long work has come. It stands
// there until something else is to be said.
type progress struct {
	began time.Time // when the first of the work was done
	told  time.Time // when the line was drawn last
	width int       // of what stands there
}

// Work that is over in a second needs no telling; the line changes ten times a second.
const (
	progressAfter = time.Second
	progressEach  = time.Second / 10
)

// showsProgress tells whether there is somebody to look at the line, on a terminal that
// can go back to its start.
func (c *Context) showsProgress() bool {
	kind := c.Env("TERM")
	return c.Terminal(int(c.Stderr.Fd())) && (kind == nil || *kind != "dumb")
}

// meter counts the bytes of one pass of the work.
type meter struct {
	context  *Context
	done, of int64 // of is 0 where nobody knows, as of what is written
}

func (m *meter) add(n int) {
	m.done += int64(n)
	m.context.advance(m)
}

// String returns how far the pass has come.
func (m *meter) String() string {
	if m.of > 0 {
		return fmt.Sprintf("%d %% read", min(100*m.done/m.of, 100))
	}
	if m.done < 1e6 {
		return "writing"
	}
	return fmt.Sprintf("%d MB written", m.done/1e6)
}

type watchedReader struct {
	io.Reader
	meter
}

func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.add(n)
	return n, err
}

// WatchReading wraps the reader of a file of the given size and shows progress. It reads in large
// pieces, because each piece asks the clock.
func (c *Context) WatchReading(of int64, r io.Reader) io.Reader {
	if !c.showsProgress() {
		return r
	}
	return &watchedReader{r, meter{context: c, of: of}}
}

type watchedWriter struct {
	io.Writer
	meter
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.add(n)
	return n, err
}

// WatchWriting does the same for a writer, whose total size is unknown.
func (c *Context) WatchWriting(w io.Writer) io.Writer {
	if !c.showsProgress() {
		return w
	}
	return &watchedWriter{w, meter{context: c}}
}

// advance draws the line when it is due.
func (c *Context) advance(m *meter) {
	now, line := c.Now(), &c.progress
	if line.began.IsZero() {
		line.began = now
	}
	if now.Sub(line.began) < progressAfter || now.Sub(line.told) < progressEach || !MayDraw(c.Stderr) {
		return
	}
	c.draw(m.String())
	line.told = now
}

// draw writes the line over what stands there. It never reaches the last column: nobody could take back
// a line that went on in the next row.
func (c *Context) draw(what string) {
	text := Cut(c.program.Name+": "+c.Command+": "+Printable(what), columnsOf(c.Stderr)-1)
	wide := Width(text)
	// Nothing is lost with a line that can't be drawn, and nobody can be told either.
	_, _ = fmt.Fprintf(c.Stderr, "\r%s%*s", text, max(c.progress.width-wide, 0), "")
	c.progress.width = max(c.progress.width, wide)
}

// MayDraw reports whether drawing on the terminal neither blocks nor disturbs. The registry may be
// locked meanwhile, so a terminal stopped with Ctrl-S would keep everybody waiting. A background
// job does not own the terminal.
func MayDraw(stderr *os.File) bool {
	fd := int(stderr.Fd())
	if group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err == nil && group != unix.Getpgrp() {
		return false
	}
	can := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(can, 0)
	return err == nil && n == 1 && can[0].Revents == unix.POLLOUT
}

// clearProgress takes the line away, before something else is said.
func (c *Context) clearProgress() {
	if c.progress.width > 0 {
		_, _ = fmt.Fprintf(c.Stderr, "\r%*s\r", c.progress.width, "") // as above
		c.progress.width = 0
	}
}

// Step shows on a terminal what is being done. The line stays until something else is printed.
func (c *Context) Step(what string) {
	if !c.showsProgress() || !MayDraw(c.Stderr) {
		return
	}
	c.draw(what)
}
