package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/urfave/cli/v3"
)

// errNoPsql is returned where there is no psql.
var errNoPsql = errors.New("psql: not found in PATH, nor among PostgreSQL's programs")

func (a *app) psqlCommand() *cli.Command {
	return &cli.Command{
		Name:      "psql",
		Usage:     "open psql on the database of the profile in effect",
		ArgsUsage: "[TENANT|PROFILE] [ARGUMENT...]",
		Description: "What stands behind -- is psql's. The password is not among its arguments, where others\n" +
			"could see it, and of the environment nothing leads to another database.\n\n" +
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
				return usage("psql: --profile excludes %s", project.Quoted(ref[0]))
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
	program := a.findPsql()
	if program == "" {
		return withHint(fmt.Errorf("%w: %w", errNoPsql, errNoServer), "apt-get install postgresql-client, or your system's like of it")
	}
	own, err := a.lookAtOwn(ctx, c.URL)
	if err == nil && own != nil && *own == postgres.Unseen {
		err = a.demandsSCRAM(ctx, program)
	}
	if err != nil {
		return fmt.Errorf("psql: tenant %s: %w", c.Tenant, err)
	}
	url, password, err := registry.WithoutPassword(c.URL)
	if err != nil {
		return err
	}
	return a.replace(program, append([]string{"psql", url}, rest...), environmentFor(a.environ(), password, own != nil))
}

// lookUp makes a request for the tenant or the profile of that name.
func lookUp(ctx context.Context, view *registry.View, ref string, request *resolver.Request) error {
	p, unknown := view.Profile(ctx, ref)
	t, err := view.FindTenant(ctx, ref)
	switch {
	case unknown == nil && err == nil && p.Tenant != t.ID: // else it is the same database
		return withHint(usage("psql: %s is a profile, and tenant %s", project.Quoted(ref), t), "--profile NAME names the profile, the whole id the tenant")
	case unknown == nil && err != nil:
		request.Flag = &ref
		return nil
	case err != nil:
		return err
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

func (a *app) findPsql() string {
	if path := a.lookPath("psql"); path != "" {
		return path
	}
	programs, err := a.programs("")
	if err != nil {
		return ""
	}
	if path := filepath.Join(programs.Dir, "psql"); isProgram(path) {
		return path
	}
	return ""
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
func environmentFor(environ []string, password registry.Secret, scram bool) []string {
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
