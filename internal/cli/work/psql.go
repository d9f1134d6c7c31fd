package work

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
	"time"

	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/secret"
)

// Psql is `sp psql`.
func Psql() *cli.Command {
	return &cli.Command{
		Name:  "psql",
		Usage: "open psql on the database in effect",
		Description: "psql's own arguments come after --. No secret is among them, because other users\n" +
			"can read arguments. No variable in the environment leads to another database.\n\n" +
			"  sp psql my-project -- -c 'SELECT 1'",
		Args:   []cli.Arg{{Name: "TENANT|PROFILE", Kind: task.EitherWord, Optional: true}},
		Flags:  []cli.Flag{task.Network()},
		Rest:   true,
		NoJSON: "--json: the answer is not ours to wrap",
		Run:    task.Run(psql),
	}
}

func psql(ctx context.Context, t *task.Task) (cli.Answer, error) {
	c, err := named(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	program, err := findPsql(t)
	if err != nil {
		return cli.Answer{}, err
	}
	if err := refuseStale(ctx, t, c); err != nil {
		return cli.Answer{}, err
	}
	own, err := t.LookAtOwn(ctx, c.URL)
	if err == nil && own != nil && *own == postgres.Unseen {
		err = demandsSCRAM(ctx, t, program)
	}
	if err != nil {
		return cli.Answer{}, fmt.Errorf("psql: tenant %s: %w", c.Tenant, err)
	}
	if t.IsTerminal() { // a script was told when the URL was stored
		t.TellDrivers(c.URL)
	}
	return cli.Answer{}, become(t, program, c.URL, own != nil)
}

// looks is how long psql waits for a look at whether the password is still good.
const looks = 3 * time.Second

// refuseStale says what helps if the server refuses the password of a cloud tenant: a colleague may have
// rotated it, and of that psql would know nothing. Whatever else is wrong, psql says.
func refuseStale(ctx context.Context, t *task.Task, c resolver.Connection) error {
	if !c.Tenant.IsCloud() || t.Offline() != nil {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, looks)
	defer cancel()
	refused, err := provision.Refuses(within, c.URL)
	if err != nil || !refused {
		return context.Cause(ctx)
	}
	return task.AdviseLogin(&hosting.LoginError{
		Subject: hosting.Subject{Tenant: c.Tenant}, Err: fmt.Errorf("login: wrong password (28P01): %w", provision.ErrDenied),
	})
}

// named is the connection of the tenant or profile that the word means, else of the profile in effect.
func named(ctx context.Context, t *task.Task) (c resolver.Connection, err error) {
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) error {
		request := t.Request(dir)
		if words := t.Before(); len(words) > 0 {
			if request.Flag != nil {
				return cli.Usage("psql: --profile excludes %s", cli.Harmless(words[0]))
			}
			if err := lookUp(ctx, view, words[0], &request); err != nil {
				return err
			}
		}
		c, err = connect(ctx, t, view, request)
		return err
	})
	return c, err
}

// lookUp makes a request for the tenant or the profile that a word means. An exact name of
// either is stronger than the beginning of an id.
func lookUp(ctx context.Context, view *registry.View, word string, request *resolver.Request) error {
	t, err := view.ExactTenant(ctx, word)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	p, unknown := view.Profile(ctx, word)
	switch {
	case unknown != nil && !errors.Is(unknown, registry.ErrNotFound):
		return unknown
	case unknown == nil && err == nil && p.Tenant != t.ID: // else it is the same database
		return eitherOf(t, p, word)
	case unknown == nil && err != nil:
		request.Flag = &word
		return nil
	case err != nil:
		if t, err = view.FindTenant(ctx, word); errors.Is(err, registry.ErrNotFound) {
			return task.AdviseEither(ctx, view, err, word)
		} else if err != nil {
			return err
		}
	}
	request.Tenant = &t.ID
	return nil
}

// eitherOf refuses a word that means a tenant, and a profile of another one.
func eitherOf(t registry.Tenant, p registry.Profile, word string) error {
	return cli.Hint(&registry.AmbiguousError{Word: cli.Quoted(word), Candidates: []registry.Candidate{
		{Word: registry.OnlyID + string(t.ID), Text: fmt.Sprintf("tenant %s", t)},
		{Word: "--profile=" + p.Name, Text: fmt.Sprintf("profile %s of tenant %s", p.Name, p.Tenant)},
	}}, "--profile %s is the profile, id:%s the tenant", cli.Quoted(p.Name), cli.Quoted(string(t.ID)))
}

// become replaces this process with psql on a database. own is whether its server is one that sp runs.
func become(t *task.Task, program string, url secret.Secret, own bool) error {
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

// findPsql returns the path of psql.
func findPsql(t *task.Task) (string, error) {
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
	return "", cli.Hint(fmt.Errorf("psql: not found in PATH, nor among PostgreSQL's programs: %w", task.ErrNoProgram), "%s", install)
}

// directing are the variables that would lead libpq to another database, or log in as
// somebody else: https://www.postgresql.org/docs/current/libpq-envars.html.
var directing = []string{
	"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSERVICE", "PGSERVICEFILE",
	"PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS", "PGCLUSTER", // the last is Debian's: man pg_wrapper
}

// demandsSCRAM refuses a psql that can't demand SCRAM of the server.
func demandsSCRAM(ctx context.Context, t *task.Task, program string) error {
	if postgres.DemandsSCRAM(ctx, program, t.Environ()) {
		return nil
	}
	return cli.Hint(fmt.Errorf("its server can't be seen from here, and this psql can't have it prove itself: %w", provision.ErrUnavailable), "psql 16 and newer can")
}

// environmentFor is the environment of a client that logs in with a password, on a server
// that has to prove that it knows it too.
func environmentFor(environ []string, password secret.Secret, scram bool) []string {
	env := slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(directing, name) || scram && name == "PGREQUIREAUTH"
	})
	if scram {
		env = append(env, "PGREQUIREAUTH=scram-sha-256")
	}
	if !password.Empty() {
		env = append(env, "PGPASSWORD="+password.Reveal())
	}
	return env
}
