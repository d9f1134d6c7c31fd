package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
	"golang.org/x/sys/unix"
)

// errNoPsql is returned where there is no psql.
var errNoPsql = errors.New("psql: not found in PATH, nor among PostgreSQL's programs")

func (a *app) psqlCommand() *cli.Command {
	return &cli.Command{
		Name:      "psql",
		Usage:     "open psql on the database of the profile in effect",
		ArgsUsage: "[TENANT|PROFILE] [ARGUMENT...]",
		Description: "What stands behind -- is psql's. No secret is among its arguments, where others could\n" +
			"see it, and of the environment nothing leads to another database.\n\n" +
			"  sp psql my-project -- -c 'SELECT 1'",
		Flags:  profileFlags(),
		Action: a.psql,
	}
}

func (a *app) psql(ctx context.Context, cmd *cli.Command) error {
	if a.json {
		return usage("psql: --json: its answer is psql's own")
	}
	ref, rest := a.cutPsqls(cmd.Args().Slice())
	if len(ref) > 1 {
		return withHint(usage("psql: too many arguments"), "what is psql's stands behind --")
	}
	var c resolver.Connection
	err := a.read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		request := a.request(cmd)
		request.ReadProfile = a.profileReader(dir)
		if len(ref) == 1 {
			if request.Flag != nil {
				return usage("psql: --profile excludes %s", harmlessWord(ref[0]))
			}
			if err := lookUp(ctx, view, ref[0], &request); err != nil {
				return err
			}
		}
		c, err = resolver.Resolve(ctx, view, request)
		return adviseResolving(err)
	})
	if err != nil {
		return err
	}
	program, err := a.findPsql()
	if err != nil {
		return err
	}
	if program == "" {
		return withHint(fmt.Errorf("%w: %w", errNoPsql, hosting.ErrNoServer), "apt-get install postgresql-client, or your system's like of it")
	}
	own, err := a.lookAtOwn(ctx, c.URL)
	if err == nil && own != nil && *own == postgres.Unseen {
		err = a.demandsSCRAM(ctx, program)
	}
	if err != nil {
		return fmt.Errorf("psql: tenant %s: %w", c.Tenant, err)
	}
	u, err := pgurl.Parse(c.URL)
	if err != nil {
		return err
	}
	secrets := u.Secrets()
	password := secrets["password"]
	delete(secrets, "password")
	env := environmentFor(a.environ(), password, own != nil)
	if len(secrets) > 0 {
		service, err := serviceFile(secrets)
		if err != nil {
			return err
		}
		defer func() { _ = service.Close() }() // where it comes to nothing; psql has it else
		env = append(env, "PGSERVICE="+serviceName, fmt.Sprintf("PGSERVICEFILE=/dev/fd/%d", service.Fd()))
	}
	return a.replace(program, append([]string{"psql", u.WithoutSecrets()}, rest...), env)
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
	file, err := unnamedFile("")
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
		return withHint(&registry.AmbiguousError{Word: project.Quoted(word), Candidates: []string{
			fmt.Sprintf("tenant %s", t), fmt.Sprintf("profile %s of tenant %s", p.Name, p.Tenant),
		}}, "--profile %s is the profile, id:%s the tenant", project.Quoted(p.Name), project.Quoted(string(t.ID)))
	case unknown == nil && err != nil:
		request.Flag = &word
		return nil
	case err != nil:
		if t, err = view.FindTenant(ctx, word); err != nil {
			return err
		}
	}
	request.Tenant = &t.ID
	return nil
}

// cutPsqls cuts off what stands behind --, which the library takes out of the words.
func (a *app) cutPsqls(words []string) (ours, psqls []string) {
	i := slices.Index(a.args, "--")
	if i < 0 {
		return words, nil
	}
	n := len(words) - (len(a.args) - i - 1)
	return words[:n], words[n:]
}

// findPsql returns the path of psql, or nothing where there is none.
func (a *app) findPsql() (string, error) {
	if path := a.lookPath("psql"); path != "" {
		return path, nil
	}
	programs, err := a.programs("")
	if errors.Is(err, errUsage) { // of SP_POSTGRES_BIN; all else says that there are none
		return "", err
	}
	if path := filepath.Join(programs.Dir, "psql"); err == nil && isProgram(path) {
		return path, nil
	}
	return "", nil
}

// directing are the variables that would lead libpq to another database, or log in as
// somebody else: https://www.postgresql.org/docs/current/libpq-envars.html.
var directing = []string{
	"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE",
	"PGTARGETSESSIONATTRS", "PGLOADBALANCEHOSTS", "PGCLUSTER", // the last is Debian's: man pg_wrapper
}

// demandsSCRAM refuses a psql that can't demand SCRAM of the server.
func (a *app) demandsSCRAM(ctx context.Context, program string) error {
	if postgres.DemandsSCRAM(ctx, program, a.environ()) {
		return nil
	}
	return withHint(fmt.Errorf("its server can't be seen from here, and this psql can't have it prove itself: %w", provision.ErrUnavailable), "psql 16 and newer can")
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
