package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/secret"
)

// ask asks for a line at the terminal.
func (a *app) ask(ctx context.Context, question string) (string, error) {
	a.clearProgress()
	fmt.Fprint(a.stderr, "sp: "+printable(question)+": ")
	return readLine(ctx, a.stdin)
}

// askSecret asks for a secret at the terminal, and shows nothing of what is typed. It
// is nil where nothing is.
func (a *app) askSecret(ctx context.Context, question string) (*secret.Secret, error) {
	a.clearProgress()
	fmt.Fprint(a.stderr, "sp: "+printable(question)+": ")
	typed, err := typedAt(ctx, int(a.stdin.Fd()))
	fmt.Fprintln(a.stderr)
	if err != nil || len(bytes.TrimSpace(typed)) == 0 {
		return nil, err
	}
	return readSecret(bytes.NewReader(typed), question)
}
