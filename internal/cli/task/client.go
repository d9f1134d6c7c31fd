package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// BecomePsql replaces this process with psql on a database. own is whether its server is one that sp runs.
func (t *Task) BecomePsql(program string, url secret.Secret, own bool) error {
	u, err := pgurl.Usable(url)
	if err != nil {
		return err
	}
	secrets := u.Secrets()
	password := secrets["password"]
	delete(secrets, "password")
	env := environmentFor(t.Environ(), password, own)
	if len(secrets) > 0 {
		service, err := serviceFile(secrets)
		if err != nil {
			return err
		}
		defer func() { _ = service.Close() }() // where it comes to nothing; psql has it else
		env = append(env, "PGSERVICE="+serviceName, fmt.Sprintf("PGSERVICEFILE=/dev/fd/%d", service.Fd()))
	}
	return t.Replace(program, append([]string{"psql", u.WithoutSecrets()}, t.Rest()...), env)
}

const serviceName = "sp"

// serviceFile tells libpq the secrets for which it has no environment variable: in a file that
// has no name, which psql inherits open and can read again when it connects again.
func serviceFile(secrets map[string]secret.Secret) (*os.File, error) {
	text := "[" + serviceName + "]\n"
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		value := secrets[name].Reveal()
		if strings.Contains(value, "\n") || strings.TrimRight(value, " \t\v\f\r") != value {
			return nil, fmt.Errorf("psql: parameter %s of the URL holds a line end or ends in a space, which libpq reads from no file: %w", name, registry.ErrInvalid)
		}
		text += name + "=" + value + "\n"
	}
	file, err := cli.UnnamedFile("")
	if err != nil {
		return nil, err
	}
	_, err = file.WriteString(text)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart) // where /dev/fd shares the place to read from
	}
	if err == nil {
		_, err = unix.FcntlInt(file.Fd(), unix.F_SETFD, 0)
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("psql: %w", err)
	}
	return file, nil
}

// FindPsql returns the path of psql.
func (t *Task) FindPsql() (string, error) {
	if path := t.LookPath("psql"); path != "" {
		return path, nil
	}
	programs, err := t.Programs("")
	if errors.Is(err, cli.ErrUsage) { // of SP_POSTGRES_BIN; all else says that there are none
		return "", err
	}
	if path := filepath.Join(programs.Dir, "psql"); err == nil && cli.IsProgram(path) {
		return path, nil
	}
	install := "apt-get install postgresql-client, or what your system calls it"
	if runtime.GOOS == "darwin" {
		install = "brew install libpq, then put its bin directory in PATH"
	}
	return "", cli.Hint(fmt.Errorf("psql: not found in PATH, nor among PostgreSQL's programs: %w", ErrNoProgram), "%s", install)
}

// Directing are the variables that would lead libpq to another database, or log in as
// somebody else: https://www.postgresql.org/docs/current/libpq-envars.html.
var Directing = []string{
	"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSERVICE", "PGSERVICEFILE",
	"PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS", "PGCLUSTER", // the last is Debian's: man pg_wrapper
}

// CheckDemandsSCRAM refuses a psql that can't demand SCRAM of the server.
func (t *Task) CheckDemandsSCRAM(ctx context.Context, program string) error {
	if postgres.DemandsSCRAM(ctx, program, t.Environ()) {
		return nil
	}
	return cli.Hint(fmt.Errorf("its server can't be seen from here, and this psql can't have it prove itself: %w", provision.ErrUnavailable), "psql 16 and newer can")
}

// environmentFor is the environment of a client that logs in with a password, on a server
// that has to prove that it knows it too.
func environmentFor(environ []string, password secret.Secret, scram bool) []string {
	env := Without(environ, Directing)
	if scram {
		env = append(Without(env, []string{DemandsSCRAM}), DemandsSCRAM+"="+SCRAM)
		if !slices.ContainsFunc(env, func(variable string) bool { return strings.HasPrefix(variable, "PGCONNECT_TIMEOUT=") }) {
			env = append(env, "PGCONNECT_TIMEOUT=10") // for one on this machine that does not answer
		}
	}
	if !password.Empty() {
		env = append(env, "PGPASSWORD="+password.Reveal())
	}
	return env
}

// DemandsSCRAM is the variable by which libpq from 16 on demands that the server proves itself, if it is SCRAM.
const DemandsSCRAM, SCRAM = "PGREQUIREAUTH", "scram-sha-256"

// Without returns an environment without the variables of these names.
func Without(environ, names []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(names, name)
	})
}
