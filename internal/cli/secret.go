package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// SecretFlags returns the three flags that give one secret, which help calls value. The value of
// the first shows in the list of processes and in the shell's history; the other two read stdin or
// a file.
func SecretFlags(name, value, usage string) []Flag {
	given := String(name, value, usage)
	given.Secret = true
	return []Flag{
		given,
		Bool(name+"-stdin", "the same, read from stdin"),
		String(name+"-file", "FILE", "the same, read from FILE"),
	}
}

// MaxSecret is the maximum length of a secret.
const MaxSecret = 64 << 10

// Secret reads the secret that SecretFlags gave, nil if none was given. One line end after it is
// not part of it.
func (c *Context) Secret(ctx context.Context, name string) (*secret.Secret, error) {
	var ways []string
	for _, way := range []string{name, name + "-stdin", name + "-file"} {
		if c.Has(way) && c.IsSet(way) {
			ways = append(ways, "--"+way)
		}
	}
	switch {
	case len(ways) > 1:
		return nil, Usage("only one of %s", strings.Join(ways, ", "))
	case len(ways) == 0:
		return nil, nil
	case ways[0] == "--"+name+"-stdin":
		return c.SecretFromStdin(ctx, "Value of --"+name, "--"+name)
	case ways[0] == "--"+name+"-file":
		return c.SecretFromFile(name + "-file")
	}
	s := secret.New(c.String(name))
	return &s, nil
}

// WarnOfArgument warns that a secret was given in an argument, where others can read it.
func (c *Context) WarnOfArgument(name string, s secret.Secret) {
	if c.IsSet(name) && pgurl.HasSecret(s) {
		what := "a password"
		if strings.HasSuffix(name, "token") {
			what = "a token"
		}
		c.Note("warning: %s in --%s shows in the list of processes and the shell's history; --%s-stdin keeps it out", what, name, name)
	}
}

// SecretFromFile reads a secret from the file that a flag names.
func (c *Context) SecretFromFile(flag string) (*secret.Secret, error) {
	path, err := c.Absolute(c.String(flag))
	if err != nil {
		return nil, err
	}
	return readSecretFile(path, "--"+flag)
}

// readSecretFile reads a secret from a file that a flag names.
func readSecretFile(path, flag string) (*secret.Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, withoutPath(err, flag)
	}
	s, err := ReadSecret(file, flag)
	return s, withoutPath(errors.Join(err, file.Close()), flag)
}

// withoutPath names the flag in place of the path, which may be the very secret.
func withoutPath(err error, flag string) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", flag, path.Err)
	}
	return err
}

// SecretFromStdin reads a secret from stdin. At a terminal it asks without showing what is typed.
// what names the secret in errors.
func (c *Context) SecretFromStdin(ctx context.Context, prompt, what string) (*secret.Secret, error) {
	if !c.Terminal(int(c.Stdin.Fd())) {
		return ReadSecret(c.Stdin, what)
	}
	for {
		typed, err := c.typed(ctx, prompt)
		if err != nil {
			return nil, err
		}
		s, err := ReadSecret(bytes.NewReader(typed), what)
		if !errors.Is(err, ErrNothingCame) {
			return s, err
		}
		c.Note("%s is needed; Ctrl-D cancels", what)
	}
}

// ErrNothingCame is returned for an empty secret. The program that should have written it may have
// failed, so sp must not clear a secret because of it.
var ErrNothingCame = errors.New("it is empty")

// ErrTooLong is returned for a secret longer than MaxSecret.
var ErrTooLong = fmt.Errorf("longer than %d bytes", MaxSecret)

// ReadSecret reads one secret, without one line end after it. what names the secret in errors.
func ReadSecret(r io.Reader, what string) (*secret.Secret, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(text) > MaxSecret {
		return nil, fmt.Errorf("%s: %w", what, ErrTooLong)
	}
	text = bytes.TrimSuffix(text, []byte("\n"))
	s := secret.New(string(bytes.TrimSuffix(text, []byte("\r"))))
	if s.Empty() {
		return nil, fmt.Errorf("%s: %w", what, ErrNothingCame)
	}
	return &s, nil
}
