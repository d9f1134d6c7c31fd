package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// How long is waited for a server: to answer, to do what it is asked, to start, and to
// come as an image first.
const (
	answerWithin = 5 * time.Second
	workWithin   = time.Minute
	startWithin  = time.Minute
	fetchWithin  = 10 * time.Minute
)

// host is a server that answers, and on which databases may be made.
type host struct {
	registry.Server
	admin *provision.Server
}

// close ends the connection; there is nothing that it could lose.
func (h *host) close() { _ = h.admin.Close() }

// bringUp starts the server if sp runs it, which is remembered before it is made, and
// connects to it. Another one is remembered with its first database, or when it is chosen.
func (a *app) bringUp(ctx context.Context, dir project.Dir, reg *registry.Registry, s registry.Server) (h *host, err error) {
	if err := refuseWithheld(s); err != nil {
		return nil, fmt.Errorf("server %s: %w", s.Name, err)
	}
	if s.IsOwn() {
		if s, err = a.startServer(ctx, dir, reg, s); err != nil {
			return nil, err
		}
	}
	admin, err := a.connect(ctx, s)
	if err != nil {
		err = fmt.Errorf("server %s: %w", s.Name, err)
		if errors.Is(err, provision.ErrDenied) && !s.IsOwn() {
			err = withHint(err, "SP_POSTGRES_ADMIN_URL gives another login for that server, sp db use --server-stdin too")
		}
		return nil, err
	}
	h = &host{s, admin}
	if !s.IsOwn() {
		if admin.Pooled {
			a.note("warning: server %s: a connection pooler stands before it, which has to look up new logins at the server (auth_query)", s.Name)
		}
		if err := reg.UpdateServer(ctx, s); !made(err) {
			h.close()
			return nil, err
		}
	}
	return h, nil
}

func (a *app) connect(ctx context.Context, s registry.Server) (*provision.Server, error) {
	if err := refuseWithheld(s); err != nil {
		return nil, err
	}
	if err := a.mayConnect(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	server, err := provision.Connect(ctx, s.Admin)
	if err == nil {
		server.Progress = a.step
	}
	return server, err
}

// startServer starts a server that sp runs, and makes it where it is not there yet. It is
// remembered before: what is made has a password that nobody else knows.
func (a *app) startServer(ctx context.Context, dir project.Dir, reg *registry.Registry, s registry.Server) (registry.Server, error) {
	if err := a.mayConnect(); err != nil {
		return s, err
	}
	if s.Admin.Empty() {
		var err error
		if s, err = a.planServer(ctx, dir, reg, s); !made(err) {
			return s, err
		}
	}
	if s.Provider == registry.InDocker {
		return a.startDocker(ctx, dir, reg, s)
	}
	cluster, err := a.clusterToStart(ctx, dir, reg, s)
	if err != nil {
		return s, err
	}
	if cluster.Programs, err = a.programs(cluster.Dir); err != nil {
		return s, err
	}
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	a.step("starting PostgreSQL")
	err = cluster.Up(ctx)
	if errors.Is(err, postgres.ErrTaken) {
		err = withHint(err, "sp db up --port PORT has it take another one")
	}
	return s, err
}

// answers tells whether databases may be made on a server.
func (a *app) answers(ctx context.Context, s registry.Server) error {
	server, err := a.connect(ctx, s)
	if err != nil {
		return fmt.Errorf("server %s: %w", s.Name, err)
	}
	return server.Close()
}

// cluster is the server of this machine's own programs, without which it can be looked at
// and stopped.
func (a *app) cluster(dir project.Dir, s registry.Server) (c postgres.Cluster, err error) {
	c.Env, c.Owner = a.environ(), dir.Path()
	if c.Port, c.Password, err = loginOf(s); err != nil {
		return c, err
	}
	if s.Place == nil {
		c.Dir = oldPlace(dir)
		return c, nil
	}
	base, err := a.dataPlace()
	c.Dir = filepath.Join(base, *s.Place)
	return c, err
}

// docker is Docker, with nothing about the container yet.
func (a *app) docker() (postgres.Docker, error) {
	d := postgres.Docker{Program: a.lookPath("docker"), Env: a.environ()}
	if d.Program == "" {
		return d, fmt.Errorf("docker: %w", postgres.ErrNone)
	}
	return d, nil
}

// loginOf cuts the port and the password out of the URL of a server that sp runs.
func loginOf(s registry.Server) (port int, password secret.Secret, err error) {
	at, err := registry.Addresses(s.Admin)
	if err != nil {
		return 0, password, err
	}
	_, text, err := net.SplitHostPort(at[0].Name)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil {
		return 0, password, fmt.Errorf("server %s: no port in its URL: %w", s.Name, registry.ErrInvalid)
	}
	_, password, err = registry.WithoutPassword(s.Admin)
	return port, password, err
}

// running tells whether a server that sp runs does run.
func (a *app) running(ctx context.Context, dir project.Dir, s registry.Server) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if s.Provider == registry.InDocker {
		docker, err := a.dockerOf(dir, s)
		if err != nil {
			return false, nil // without Docker there is no container
		}
		return docker.Running(ctx)
	}
	cluster, err := a.cluster(dir, s)
	if err != nil {
		return false, err
	}
	return cluster.Running(ctx)
}

func (a *app) searchPath() []string {
	path := a.env("PATH")
	if path == nil {
		return nil
	}
	return filepath.SplitList(*path)
}

// lookPath finds a program in PATH, nothing where there is none.
func (a *app) lookPath(name string) string {
	for _, dir := range a.searchPath() {
		if path := filepath.Join(dir, name); strings.HasPrefix(path, "/") && isProgram(path) {
			return path
		}
	}
	return ""
}
