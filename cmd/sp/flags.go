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
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
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

// noExportFlag defers what a change would write into the files that follow.
func (a *app) noExportFlag() cli.Flag {
	return &cli.BoolFlag{Name: "no-export", Usage: "leave the files behind until the next change", Destination: &a.noExport}
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
func (a *app) secret(ctx context.Context, cmd *cli.Command, name string) (*secret.Secret, error) {
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
		return a.readStdin(ctx, name, "--"+name)
	case cmd.IsSet(name + "-file"):
		path, err := a.absolute(cmd.String(name + "-file"))
		if err != nil {
			return nil, err
		}
		return readSecretFile(path, "--"+name+"-file")
	case cmd.IsSet(name):
		secret := secret.New(cmd.String(name))
		return &secret, nil
	}
	return nil, nil
}

// readSecretFile reads a secret from a file that a flag names.
func readSecretFile(path, flag string) (*secret.Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, withoutPath(err, flag)
	}
	secret, err := readSecret(file, flag)
	return secret, withoutPath(errors.Join(err, file.Close()), flag)
}

// withoutPath names the flag in place of the path, which may be the very secret.
func withoutPath(err error, flag string) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", flag, path.Err)
	}
	return err
}

// readStdin reads a secret from stdin; at a terminal it asks, and shows nothing of
// what is typed. what is how errors name it.
func (a *app) readStdin(ctx context.Context, prompt, what string) (*secret.Secret, error) {
	if !a.terminal(int(a.stdin.Fd())) {
		return readSecret(a.stdin, what)
	}
	fmt.Fprintf(a.stderr, "sp: %s: ", printable(prompt))
	typed, err := typedAt(ctx, int(a.stdin.Fd()))
	fmt.Fprintln(a.stderr)
	if err != nil {
		return nil, err
	}
	return readSecret(bytes.NewReader(typed), what)
}

// errNothingCame is for a secret that is empty: what wrote it has failed, perhaps; it
// must not take a secret away.
var errNothingCame = fmt.Errorf("nothing came: %w", registry.ErrInvalid)

func readSecret(r io.Reader, what string) (*secret.Secret, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSecret {
		return nil, fmt.Errorf("%s: longer than %d bytes: %w", what, maxSecret, registry.ErrInvalid)
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	secret := secret.New(string(bytes.TrimSuffix(text, []byte("\r"))))
	if secret.Empty() {
		return nil, fmt.Errorf("%s: %w", what, errNothingCame)
	}
	return &secret, nil
}
