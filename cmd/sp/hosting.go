package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/sp-registry/sp/internal/workspace"
)

// changer is tenants or others.
type changer func(commit func(context.Context, *registry.Registry) error) workspace.Change

// machine is what hosting may know of this machine and, unless dir is the zero one, of a project,
// whose registry is changed so.
func (a *app) machine(dir project.Dir, change changer) *hosting.Machine {
	return &hosting.Machine{
		Read: func(ctx context.Context, fn func(*registry.View) error) error { return a.readOften(ctx, dir, fn) },
		Change: func(ctx context.Context, fn func(*registry.Registry) error) error {
			return a.changeIn(ctx, dir, change(func(_ context.Context, reg *registry.Registry) error { return fn(reg) }))
		},
		Now: a.now, Random: a.random, Progress: a.step, Offline: a.offline(),
		Directory: dir.Path(), Env: a.environ(), Docker: a.lookPath("docker"), Programs: a.programs,
		Data: a.dataPlace, MakeData: func() (string, error) { return a.placeForData(dir) },
	}
}

// readOften is read for a command that reads so often that it has to close what it opens.
func (a *app) readOften(ctx context.Context, dir project.Dir, fn func(*registry.View) error) error {
	a.reading.Lock()
	defer a.reading.Unlock()
	options, err := a.options(dir)
	if err != nil {
		return err
	}
	reg, err := registry.Open(ctx, dir.Registry(), options)
	if err != nil {
		return err
	}
	view, err := reg.View(ctx)
	if err == nil {
		err = fn(view)
		view.Close()
	}
	return errors.Join(err, reg.Close())
}

// inSteps runs fn, which changes the registry of the project in several steps. Whether it was
// changed is said of the whole.
func (a *app) inSteps(ctx context.Context, change changer, fn func(context.Context, *hosting.Machine) error) error {
	return a.untilTold(ctx, func(ctx context.Context) error {
		dir, err := a.project()
		if err != nil {
			return err
		}
		err = fn(ctx, a.machine(dir, change))
		a.tellDone()
		a.done.Made = made(err)
		return err
	})
}

// makeRegistry makes directory and registry where there are none.
func (a *app) makeRegistry(ctx context.Context, files existingFiles) error {
	isNew, err := a.isNew()
	switch {
	case err != nil:
	case isNew:
		_, err = a.changeNew(ctx, files, a.tenants(nothing))
	default:
		_, err = a.makeProject(files)
	}
	return err
}

// beforeLogin looks at where a login leads, before anything is sent: every login of sp's.
func (a *app) beforeLogin(ctx context.Context, url secret.Secret) (scram bool, err error) {
	look, err := a.lookAtOwn(ctx, url)
	return look != nil, err
}

// lookAtOwn looks at the server that sp runs for this project to which a URL leads, if it does.
func (a *app) lookAtOwn(ctx context.Context, url secret.Secret) (look *postgres.Look, err error) {
	a.reading.Lock()
	dir, err := a.project()
	a.reading.Unlock()
	if err == nil {
		look, err = a.machine(dir, nil).Look(ctx, url)
	}
	if isNoRegistry(err) {
		return nil, nil
	}
	return look, err
}

// offline says, where SP_OFFLINE is set, that no database server is connected to or run.
func (a *app) offline() error {
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

// tell says what was met beside what was asked for. sharing is what other tenants do with
// what was ended.
func (a *app) tell(met hosting.Warnings, sharing string) {
	if met.Pooled != "" {
		a.note("warning: server %s: a connection pooler stands before it, which has to look up new logins at the server (auth_query)", met.Pooled)
	}
	for _, t := range met.Sharers {
		a.note("warning: tenant %s %s: sp tenant edit %s --database-url-stdin", t, sharing, project.Quoted(string(t.ID)))
	}
	for _, u := range met.Unended {
		a.note("warning: database %s: its old login is not ended: %v", u.Database.Name, u.Err)
	}
}

// serverHint says what helps with a server, or that there is none.
func serverHint(err error) string {
	var nowhere *hosting.NoServerError
	if errors.As(err, &nowhere) {
		return nowhereHint(runtime.GOOS, nowhere.Missing)
	}
	var e *hosting.ServerError
	if !errors.As(err, &e) {
		return ""
	}
	switch s := e.Server; {
	case errors.Is(e, hosting.ErrWithheld) && s.Withheld == registry.Foreign:
		return fmt.Sprintf("if that project is gone: sp trust --moved, then sp db up\n"+
			"if it is still in use: sp db remove %s forgets the server here, and sp makes another for new databases", s.Name)
	case errors.Is(e, hosting.ErrWithheld) && s.IsOwn(), errors.Is(e, hosting.ErrStopped):
		return "sp db up"
	case errors.Is(e, hosting.ErrWithheld):
		return "sp db use --server-stdin, with the URL of its administrator"
	case errors.Is(e, hosting.ErrLost):
		return lostHint(s)
	case errors.Is(e, postgres.ErrTaken) && s.Provider == registry.LocalPrograms:
		return "sp db up --port PORT has it take another one"
	case errors.Is(e, provision.ErrDenied) && !s.IsOwn():
		return "SP_POSTGRES_ADMIN_URL gives another login for that server, sp db use --server-stdin too"
	}
	return ""
}

// lostHint are the ways out where the data of a server are gone.
func lostHint(s registry.Server) string {
	id := s.Name
	if s.Place != nil {
		id = *s.Place
	}
	return "if they are elsewhere, put them back; SP_DATA_DIR, XDG_DATA_HOME and HOME say where sp looks\n" +
		"sp db remove " + id + " gives them up: then sp tenant provision makes empty databases"
}

// nowhereHint says how to come by a server on a system, from what is missing there.
func nowhereHint(system string, missing []error) string {
	install := "install PostgreSQL's programs: apt-get install postgresql, or your system's like of it"
	if system == "darwin" {
		install = "install PostgreSQL's programs: brew install postgresql"
	}
	for _, err := range missing {
		if errors.Is(err, postgres.ErrRoot) { // they are there
			install = "run sp as another user than root"
		}
	}
	return strings.Join([]string{
		"start Docker", install,
		"name a server: --server-stdin with the URL of somebody who may make databases there",
		"name a database that is there: --database-url-stdin",
		"or take the tenant now and its database later: --no-database, then sp tenant provision ID",
	}, "\n")
}
