package provision

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// A URL without a password may have it in a file, which libpq describes:
// https://www.postgresql.org/docs/current/libpq-pgpass.html. The rule is libpq's, so that what psql opens sp
// opens, too. The library's own reader of such files would take one that others can read.

type passfileKey struct{}

// WithPassfile returns a context in which every login with a URL that holds no password looks for it in a
// file: the one that the URL names, else that one.
func WithPassfile(ctx context.Context, path string) context.Context {
	return context.WithValue(ctx, passfileKey{}, path)
}

// usePassfile gives a login the password of the file. The error says why the file is not used, which is
// nothing wrong by itself.
func usePassfile(ctx context.Context, url secret.Secret, config *pgconn.Config) error {
	path, ok := ctx.Value(passfileKey{}).(string)
	if !ok || config.Password != "" {
		return nil
	}
	if u, err := pgurl.Parse(url); err == nil && u.Said()["passfile"] != "" {
		path = u.Said()["passfile"]
	}
	text, err := readPassfile(path)
	if err != nil {
		return err
	}
	host, database := config.Host, config.Database
	if host == "/var/run/postgresql" || host == "/tmp" { // where libpq looks for a socket if nothing says it
		host = "localhost"
	}
	if database == "" {
		database = config.User
	}
	config.Password = passwordIn(text, host, strconv.Itoa(int(config.Port)), database, config.User)
	return nil
}

// readPassfile reads a file of passwords, if there is one, that nobody else can read.
func readPassfile(path string) (text string, err error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for a writer
	if err != nil {
		return "", nil //nolint:nilerr // as libpq does
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s: password file is not used: it is no plain file", path)
	case info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("%s: password file is not used: others can read it (chmod 0600 mends that)", path)
	}
	const largest = 1 << 20
	content, err := io.ReadAll(io.LimitReader(file, largest))
	if err != nil {
		return "", errors.New("password file is not used: it can't be read")
	}
	return string(content), nil
}

// passwordIn returns the password of the first line that fits, "" if none does.
func passwordIn(text string, login ...string) string {
	for line := range strings.Lines(text) {
		fields := passfileFields(strings.TrimRight(line, "\r\n"))
		if strings.HasPrefix(line, "#") || len(fields) <= len(login) {
			continue
		}
		fits := func(i int) bool { return fields[i] == "*" || unquoted(fields[i]) == login[i] }
		if !slices.ContainsFunc([]int{0, 1, 2, 3}, func(i int) bool { return !fits(i) }) {
			return unquoted(fields[len(login)])
		}
	}
	return ""
}

// passfileFields cuts a line at each colon that has no backslash before it.
func passfileFields(line string) (fields []string) {
	from := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case ':':
			fields, from = append(fields, line[from:i]), i+1
		}
	}
	return append(fields, line[from:])
}

// unquoted takes out the backslashes, each of which stands before what it quotes.
func unquoted(field string) string {
	var b strings.Builder
	for i := 0; i < len(field); i++ {
		if field[i] == '\\' && i+1 < len(field) {
			i++
		}
		b.WriteByte(field[i])
	}
	return b.String()
}
