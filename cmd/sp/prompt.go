package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"
	"golang.org/x/term"
)

// confirm asks before something that can't be undone. Without a terminal, -y has
// to have answered.
func (a *app) confirm(ctx context.Context, cmd *cli.Command, question string) error {
	if cmd.Bool("yes") {
		return nil
	}
	return a.confirmTyped(ctx, question)
}

// confirmTyped is confirm for what -y does not answer.
func (a *app) confirmTyped(ctx context.Context, question string) error {
	if !a.terminal(int(a.stdin.Fd())) {
		return fmt.Errorf("%s: %w", question, errConfirm)
	}
	a.clearProgress()
	fmt.Fprint(a.stderr, "sp: "+printable(question)+" [y/N] ")
	answer, err := readLine(ctx, a.stdin)
	if err != nil {
		return err
	}
	if !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
		return fmt.Errorf("%s: %w", question, errConfirm)
	}
	return nil
}

// readLine reads one line, or ends with the context: a read can't be called off, so
// it is left behind.
func readLine(ctx context.Context, r io.Reader) (line string, err error) {
	done := make(chan struct{})
	go func() {
		line, err = readOneLine(r)
		close(done)
	}()
	select {
	case <-done:
		return line, err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// readOneLine reads not a byte more; the rest of stdin may be for others.
func readOneLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < maxSecret; {
		n, err := r.Read(b)
		if n == 1 && b[0] == '\n' || errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		line = append(line, b[:n]...)
	}
	return strings.TrimSpace(string(line)), nil
}

// typedAt reads a line from a terminal, which shows nothing of it and is as it was
// afterwards, also where the context ends: a read can't be called off, so it is left behind.
func typedAt(ctx context.Context, fd int) ([]byte, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	type typed struct {
		line []byte
		err  error
	}
	done := make(chan typed, 1)
	go func() {
		line, err := term.ReadPassword(fd)
		done <- typed{line, err}
	}()
	select {
	case t := <-done:
		return t.line, t.err
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), term.Restore(fd, before))
	}
}
