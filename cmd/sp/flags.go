package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
	"golang.org/x/term"
)

func stringFlag(name, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Usage: usage, OnlyOnce: true}
}

func boolFlag(name, usage string) cli.Flag {
	return &cli.BoolFlag{Name: name, Usage: usage, OnlyOnce: true}
}

// yesFlag answers the question of a destructive command.
func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do it without asking"}
}

// purgeFlag ends at once that removed secrets can be put back.
func purgeFlag() cli.Flag {
	return boolFlag("purge", "forget removed secrets at once (else in 7 days)")
}

// noExportFlag defers what a change of a tenant would write.
func (a *app) noExportFlag() cli.Flag {
	return &cli.BoolFlag{Name: "no-export", Usage: "leave tenants.json behind until the next change", Destination: &a.noExport}
}

// secretFlags are the three ways to give one secret. A flag's value shows in the
// list of processes and the shell's history; the other two do not.
func secretFlags(name, what string) []cli.Flag {
	return []cli.Flag{
		stringFlag(name, what),
		boolFlag(name+"-stdin", "the same, read from stdin"),
		stringFlag(name+"-file", "the same, read from `FILE`"),
	}
}

// maxSecret is how long a secret may be.
const maxSecret = 64 << 10

// secret reads what secretFlags gave, nil for nothing. One line end behind it is
// not part of it.
func (a *app) secret(cmd *cli.Command, name string) (*registry.Secret, error) {
	var ways []string
	for _, way := range []string{name, name + "-stdin", name + "-file"} {
		if cmd.IsSet(way) {
			ways = append(ways, "--"+way)
		}
	}
	switch {
	case len(ways) > 1:
		return nil, usage("only one of %s", strings.Join(ways, ", "))
	case cmd.Bool(name + "-stdin"):
		return a.readStdin(name)
	case cmd.IsSet(name + "-file"):
		path, err := a.absolute(cmd.String(name + "-file"))
		if err != nil {
			return nil, err
		}
		secret, err := readSecretFile(path, name)
		return secret, withoutPath(err, name)
	case cmd.IsSet(name):
		secret := registry.NewSecret(cmd.String(name))
		return &secret, nil
	}
	return nil, nil
}

func readSecretFile(path, name string) (*registry.Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	secret, err := readSecret(file, name)
	return secret, errors.Join(err, file.Close())
}

// withoutPath names the flag in place of the path, which may be the very secret.
func withoutPath(err error, name string) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("--%s-file: %w", name, path.Err)
	}
	return err
}

// readStdin reads a secret from stdin; at a terminal it asks, and shows nothing of
// what is typed.
func (a *app) readStdin(name string) (*registry.Secret, error) {
	fd := int(a.stdin.Fd())
	if !a.terminal(fd) {
		return readSecret(a.stdin, name)
	}
	fmt.Fprintf(a.stderr, "sp: %s: ", name)
	typed, err := term.ReadPassword(fd)
	fmt.Fprintln(a.stderr)
	if err != nil {
		return nil, err
	}
	return readSecret(bytes.NewReader(typed), name)
}

func readSecret(r io.Reader, name string) (*registry.Secret, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSecret {
		return nil, fmt.Errorf("--%s: longer than %d bytes: %w", name, maxSecret, registry.ErrInvalid)
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	secret := registry.NewSecret(string(bytes.TrimSuffix(text, []byte("\r"))))
	if secret.Empty() { // what wrote it has failed, perhaps; it must not take a secret away
		return nil, fmt.Errorf("--%s: nothing came: %w", name, registry.ErrInvalid)
	}
	return &secret, nil
}

// confirm asks before something that can't be undone. Without a terminal, -y has
// to have answered.
func (a *app) confirm(ctx context.Context, cmd *cli.Command, question string) error {
	if cmd.Bool("yes") {
		return nil
	}
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
