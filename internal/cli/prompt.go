package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
	"golang.org/x/sys/unix"
)

// errCancelled is what a question ends with that was answered with no, or with Ctrl-D.
//
//lint:ignore ST1005 it is a whole message
var errCancelled = errors.New("Cancelled. Nothing was changed.")

// Question is a question at the terminal.
type Question struct {
	What string
	// Default is the answer of an empty line; nil asks again.
	Default *string
	// Candidates are the possible answers; nil allows any answer. If there is only one, sp takes it
	// without asking.
	Candidates []Candidate
	// Cancels means that Enter is no answer but cancels.
	Cancels bool
	// Check refuses an answer, and the question is asked again; nil accepts every answer. With a
	// Check, an answer may also be a word that the list of candidates does not show.
	Check func(string) error
}

// Candidate is an answer that can also be chosen by its number.
type Candidate struct{ Answer, About string }

// Ask asks until there is an answer.
func (c *Context) Ask(ctx context.Context, q Question) (string, error) {
	if len(q.Candidates) == 1 {
		return q.Candidates[0].Answer, nil
	}
	c.clearProgress()
	widest := 0
	for _, candidate := range q.Candidates {
		widest = max(widest, Width(Printable(candidate.Answer)))
	}
	for i, candidate := range q.Candidates {
		answer := Printable(candidate.Answer)
		line := answer + strings.Repeat(" ", widest-Width(answer)) + "  " + Printable(candidate.About)
		fmt.Fprintf(c.Stderr, "%3d  %s\n", i+1, Cut(strings.TrimRight(line, " "), columnsOf(c.Stderr)-5))
	}
	for {
		line, err := c.answerTo(ctx, q.prompt())
		if err == nil && line == "" && q.Cancels {
			return "", errCancelled
		}
		if err != nil {
			return "", err
		}
		answer, err := q.answer(line)
		if err == nil {
			return answer, nil
		}
		fmt.Fprintln(c.Stderr, Printable(err.Error()))
	}
}

func (q Question) prompt() string {
	if q.Cancels {
		return Printable(q.What + " (Enter cancels): ")
	}
	if q.Default != nil && *q.Default != "" {
		return Printable(q.What + " [" + *q.Default + "]: ")
	}
	return Printable(q.What + ": ")
}

// answer is what a line means, or why it means nothing.
func (q Question) answer(line string) (string, error) {
	switch {
	case line == "" && q.Default != nil:
		line = *q.Default
	case line == "":
		return "", fmt.Errorf("%s is needed; Ctrl-D cancels", q.What)
	}
	if q.Candidates != nil {
		if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(q.Candidates) {
			line = q.Candidates[n-1].Answer
		}
		if q.Check == nil && !slices.ContainsFunc(q.Candidates, func(c Candidate) bool { return c.Answer == line }) {
			return "", fmt.Errorf("not one of these: a number from 1 to %d, please", len(q.Candidates))
		}
	}
	if q.Check != nil {
		return line, q.Check(line)
	}
	return line, nil
}

// AskSecret asks for a secret without showing what is typed. It returns nil for an empty line.
func (c *Context) AskSecret(ctx context.Context, what string) (*secret.Secret, error) {
	typed, err := c.typed(ctx, what)
	if err != nil || len(bytes.TrimSpace(typed)) == 0 {
		return nil, err
	}
	return ReadSecret(bytes.NewReader(typed), what)
}

func (c *Context) typed(ctx context.Context, what string) ([]byte, error) {
	c.clearProgress()
	fmt.Fprint(c.Stderr, Printable(what)+": ")
	var typed []byte
	err := c.UntilTold(ctx, func(ctx context.Context) (err error) { // the terminal has to show again what is typed
		typed, err = typedAt(ctx, c.Stdin)
		return err
	})
	fmt.Fprintln(c.Stderr)
	if errors.Is(err, io.EOF) {
		err = errCancelled
	}
	return typed, err
}

// Confirm asks before something that can't be undone. --yes answers the question, and is required
// without a terminal.
func (c *Context) Confirm(ctx context.Context, question string) error {
	if c.Bool("yes") {
		return nil
	}
	return c.ConfirmTyped(ctx, question)
}

// ConfirmTyped is Confirm for a question that --yes does not answer.
func (c *Context) ConfirmTyped(ctx context.Context, question string) error {
	if !c.IsAttended() {
		return fmt.Errorf("%s: %w", strings.TrimSuffix(question, "."), ErrConfirm)
	}
	c.clearProgress()
	question = Printable(question) + " [y/N]"
	if c.Terminal(int(c.Stderr.Fd())) { // what goes on is indented: a name in there can't look like another message
		const indent = "    "
		question = strings.Join(Wrap(question, columnsOf(c.Stderr)-len(indent)-1), "\n"+indent)
	}
	answer, err := c.answerTo(ctx, question+" ")
	switch {
	case err != nil:
		return err
	case !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes"):
		return errCancelled
	}
	return nil
}

// answerTo asks, and reads the answer. Where none comes, it ends the line of the question.
func (c *Context) answerTo(ctx context.Context, prompt string) (answer string, err error) {
	err = c.UntilTold(ctx, func(ctx context.Context) (err error) { // from before it is seen that somebody is asked
		fmt.Fprint(c.Stderr, prompt)
		answer, err = readLine(ctx, c.Stdin)
		return err
	})
	if err != nil {
		fmt.Fprintln(c.Stderr)
	}
	if errors.Is(err, io.EOF) {
		err = errCancelled
	}
	return answer, err
}

// readLine reads one line, or ends with the context: a read can't be called off, so
// it is left behind. Where there is no line any more it is io.EOF.
func readLine(ctx context.Context, r io.Reader) (string, error) {
	line, err := awaited(ctx, func() ([]byte, error) { return readOneLine(r) })
	return strings.TrimSpace(string(line)), err
}

// readOneLine reads not a byte more; the rest of stdin may be for others.
func readOneLine(r io.Reader) ([]byte, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < MaxSecret; {
		n, err := r.Read(b)
		if n == 1 && b[0] == '\n' || errors.Is(err, io.EOF) && len(line) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		line = append(line, b[:n]...)
	}
	return line, nil
}

// typedAt reads a line from a terminal, which shows nothing of it and is as it was
// afterwards, also where the context ends: a read can't be called off, so it is left behind.
func typedAt(ctx context.Context, terminal *os.File) ([]byte, error) {
	fd := int(terminal.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	silent := *before
	silent.Lflag = silent.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, setTermios, &silent); err != nil {
		return nil, err
	}
	line, err := awaited(ctx, func() ([]byte, error) { return readOneLine(terminal) })
	return line, errors.Join(err, unix.IoctlSetTermios(fd, setTermios, before))
}

// awaited returns what fn returns, or ends with the context and leaves fn behind.
func awaited(ctx context.Context, fn func() ([]byte, error)) ([]byte, error) {
	type answer struct {
		line []byte
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		line, err := fn()
		done <- answer{line, err}
	}()
	select {
	case a := <-done:
		return a.line, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
