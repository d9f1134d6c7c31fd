package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

// Where a new database is made, in this order: on the server that is named, on the one
// that this project runs already, in Docker, with the machine's own programs.

// errNoServer is returned where there is nowhere to make a database.
var errNoServer = errors.New("no PostgreSQL server to make a database on")

// serverFlags choose the server of a new database.
func serverFlags() []cli.Flag {
	return append([]cli.Flag{
		stringFlag("provider", "where: `url`, server, docker or local (else the first there is)"),
	}, secretFlags("server", "the `URL` of who may make databases (SP_POSTGRES_ADMIN_URL; sp db use)")...)
}

// wanted is what the flags and the environment ask for.
type wanted struct {
	provider string
	admin    *secret.Secret
}

func (a *app) wantedServer(ctx context.Context, cmd *cli.Command) (w wanted, err error) {
	w.provider = cmd.String("provider")
	if w.provider != "" && !slices.Contains([]string{"url", "server", "docker", "local"}, w.provider) {
		return w, usage("--provider: url, server, docker or local")
	}
	if w.admin, err = a.secret(ctx, cmd, "server"); err != nil {
		return w, err
	}
	if w.admin != nil {
		a.warnOfArgument(cmd, "server", *w.admin)
		if w.provider != "" && w.provider != string(registry.Elsewhere) {
			return w, usage("--server and --provider %s", w.provider)
		}
		w.provider = string(registry.Elsewhere)
	}
	if w.admin == nil {
		w.admin = a.wantedByDefault().admin
	}
	return w, nil
}

// wantedByDefault is what the environment alone asks for.
func (a *app) wantedByDefault() (w wanted) {
	if url := a.env("SP_POSTGRES_ADMIN_URL"); url != nil && *url != "" {
		admin := secret.New(*url)
		w.admin = &admin
	}
	return w
}

// elsewhere returns the server that is named or chosen, nil if none is.
func (w wanted) elsewhere(known []registry.Server) (*registry.Server, error) {
	if w.admin == nil {
		for _, s := range known {
			if s.Chosen {
				return &s, nil
			}
		}
		return nil, nil
	}
	s, err := registry.ServerAt(*w.admin)
	for _, k := range known {
		s.Chosen = s.Chosen || k.Name == s.Name && k.Chosen
	}
	return &s, err
}

// findServer returns the server to make a database on. One that sp does not run yet
// has no URL.
func (a *app) findServer(ctx context.Context, w wanted, known []registry.Server) (registry.Server, error) {
	if w.provider == "" || w.provider == string(registry.Elsewhere) {
		s, err := w.elsewhere(known)
		if err != nil {
			return registry.Server{}, err
		}
		if s != nil {
			return *s, nil
		}
	}
	if w.provider == string(registry.Elsewhere) {
		return registry.Server{}, withHint(usage("--provider server: which one?"), "--server-stdin, SP_POSTGRES_ADMIN_URL, or sp db use")
	}
	for _, s := range known {
		if s.IsOwn() && (w.provider == "" || w.provider == string(s.Provider)) {
			return s, nil
		}
	}
	var missing []error
	for _, own := range []registry.Provider{registry.InDocker, registry.LocalPrograms} {
		if w.provider != "" && w.provider != string(own) {
			continue
		}
		_, err := a.canRun(ctx, own)
		if err == nil {
			return registry.Server{Name: string(own), Provider: own}, nil
		}
		missing = append(missing, err)
	}
	return registry.Server{}, noServer(runtime.GOOS, missing)
}

// canRun tells whether sp can run a server of that kind here, and with what.
func (a *app) canRun(ctx context.Context, own registry.Provider) (with string, err error) {
	if err := a.mayConnect(); err != nil {
		return "", fmt.Errorf("%s: %w", own, err)
	}
	if own == registry.InDocker {
		docker, err := a.docker()
		if err != nil {
			return "", err
		}
		version, err := docker.Engine(ctx)
		return "Docker " + version, err
	}
	programs, err := a.programs("")
	if err == nil {
		err = postgres.MayRun()
	}
	return fmt.Sprintf("PostgreSQL %s in %s", programs.Version, programs.Dir), err
}

// mayConnect refuses, where SP_OFFLINE is set, to connect to a database server or run one.
func (a *app) mayConnect() error {
	if value := a.env("SP_OFFLINE"); value != nil && *value != "" {
		return fmt.Errorf("SP_OFFLINE is set: %w", provision.ErrUnavailable)
	}
	return nil
}

// programs are those of PostgreSQL on this machine, where SP_POSTGRES_BIN says or in
// the usual places, for the cluster in a directory or, with none, a new one.
func (a *app) programs(cluster string) (postgres.Programs, error) {
	named := ""
	if value := a.env("SP_POSTGRES_BIN"); value != nil && *value != "" {
		var err error
		if named, err = a.absolute(*value); err != nil {
			return postgres.Programs{}, err
		}
	}
	return postgres.FindPrograms(named, a.searchPath(), cluster)
}

// noServer says why there is no server, and how to come by one on that system.
func noServer(system string, missing []error) error {
	var why []string
	install := "install PostgreSQL's programs: apt-get install postgresql, or your system's like of it"
	if system == "darwin" {
		install = "install PostgreSQL's programs: brew install postgresql"
	}
	for _, err := range missing {
		why = append(why, err.Error())
		if errors.Is(err, postgres.ErrRoot) { // they are there
			install = "run sp as another user than root"
		}
	}
	return withHint(fmt.Errorf("%w: %s", errNoServer, strings.Join(why, "; ")), "%s", strings.Join([]string{
		"start Docker", install,
		"name a server: --server-stdin with the URL of somebody who may make databases there",
		"name a database that is there: --database-url-stdin",
		"or take the tenant now and its database later: --no-database, then sp tenant provision ID",
	}, "\n"))
}
