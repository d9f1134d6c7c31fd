package task

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/sp-registry/sp/internal/cli"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/sp-registry/sp/internal/workspace"
)

// Changer is Tenants or Others: it makes a change of a commit function.
type Changer func(commit func(context.Context, *registry.Registry) error) workspace.Change

// Machine returns what hosting may know about this machine. Unless dir is zero, it also gives
// access to that project's registry, which change changes.
func (t *Task) Machine(dir project.Dir, change Changer) *hosting.Machine {
	return &hosting.Machine{
		Read: func(ctx context.Context, fn func(*registry.View) error) error { return t.readAlone(ctx, dir, fn) },
		Change: func(ctx context.Context, fn func(*registry.Registry) error) error {
			return t.ChangeIn(ctx, dir, change(func(_ context.Context, reg *registry.Registry) error { return fn(reg) }))
		},
		Now: t.Now, Random: t.Random, Progress: t.Step, Offline: t.Offline(),
		Say:       func(what string) { t.Note("%s", what) },
		Directory: dir.Path(), Env: t.Environ(), Docker: t.LookPath("docker"), Programs: t.Programs,
		Data: t.DataPlace, MakeData: func() (string, error) { return t.placeForData(dir) },
	}
}

// readAlone is Read in a given directory, by one goroutine at a time.
func (t *Task) readAlone(ctx context.Context, dir project.Dir, fn func(*registry.View) error) error {
	t.reading.Lock()
	defer t.reading.Unlock()
	w, err := t.Workspace(dir)
	if err != nil {
		return err
	}
	return w.Read(ctx, fn)
}

// InSteps runs fn, which changes the registry in several steps, and reports them as one change.
func (t *Task) InSteps(ctx context.Context, change Changer, fn func(context.Context, *hosting.Machine) error) error {
	return t.UntilTold(ctx, func(ctx context.Context) error {
		dir, err := t.Project()
		if err != nil {
			return err
		}
		err = fn(ctx, t.Machine(dir, change))
		t.TellDone()
		t.Done.Made = Made(err)
		t.Made = t.Done.Made
		return err
	})
}

// MakeRegistry makes the directory and the registry if there are none.
func (t *Task) MakeRegistry(ctx context.Context, files Existing) error {
	isNew, err := t.IsNew()
	switch {
	case err != nil:
	case isNew:
		_, err = t.ChangeNew(ctx, files, t.Tenants(Nothing))
	default:
		_, err = t.MakeProject(files)
	}
	return err
}

// beforeLogin checks where a login leads before anything is sent. Every login of sp goes through
// it.
func (t *Task) beforeLogin(ctx context.Context, url secret.Secret) (scram bool, err error) {
	look, err := t.LookAtOwn(ctx, url)
	return look != nil, err
}

// passfile is the file in which libpq looks for the password of a URL that has none.
func (t *Task) passfile() string {
	if path := t.Env("PGPASSFILE"); path != nil && *path != "" {
		return *path
	}
	if home := t.Env("HOME"); home != nil && *home != "" {
		return filepath.Join(*home, ".pgpass")
	}
	return ""
}

// LookAtOwn checks the server of this project that a URL leads to, if sp runs it.
func (t *Task) LookAtOwn(ctx context.Context, url secret.Secret) (*postgres.Look, error) {
	return t.lookAt(ctx, url, (*hosting.Machine).Look)
}

func (t *Task) lookAt(ctx context.Context, url secret.Secret, how func(*hosting.Machine, context.Context, secret.Secret) (*postgres.Look, error)) (look *postgres.Look, err error) {
	t.reading.Lock()
	dir, err := t.Project()
	t.reading.Unlock()
	if err == nil {
		look, err = how(t.Machine(dir, nil), ctx, url)
	}
	if IsNoRegistry(err) {
		return nil, nil
	}
	return look, err
}

// isDumb tells of an error whether a server that this machine's programs run does not answer as it should, though it
// runs.
func isDumb(s *registry.Server, err error) bool {
	return s != nil && s.Provider == registry.LocalPrograms && errors.Is(err, provision.ErrUnavailable) &&
		!errors.Is(err, ErrOffline) && !errors.Is(err, hosting.ErrStopped)
}

// dumbHint is what helps with such a server.
func dumbHint() cli.Advice {
	return cli.Advise("it runs, but does not answer as it should: %s may say why, %s ends all sessions", cli.To("sp db logs"), cli.To("sp db restart"))
}

// ErrOffline is returned for what needs a database server or a control plane while SP_OFFLINE is set.
var ErrOffline = cli.Of(provision.ErrUnavailable, "SP_OFFLINE is set")

// Offline returns ErrOffline if SP_OFFLINE is set: sp then connects to no database server and starts
// none.
func (t *Task) Offline() error {
	if value := t.Env("SP_OFFLINE"); value != nil && *value != "" {
		return ErrOffline
	}
	return nil
}

// Programs finds PostgreSQL's programs on this machine, in SP_POSTGRES_BIN or the usual places, for
// the cluster in a directory or for a new one.
func (t *Task) Programs(cluster string) (postgres.Programs, error) {
	named := ""
	if value := t.Env("SP_POSTGRES_BIN"); value != nil && *value != "" {
		var err error
		if named, err = t.Absolute(*value); err != nil {
			return postgres.Programs{}, err
		}
	}
	return postgres.FindPrograms(named, t.SearchPath(), cluster)
}

// Tell prints the warnings of hosting. sharing says how other tenants depend on the login that was
// ended.
func (t *Task) Tell(met hosting.Warnings, sharing string) {
	if met.Pooled != "" {
		t.Note("warning: server %s: a connection pooler stands before it, which has to look up new logins at the server (auth_query)", met.Pooled)
	}
	for _, sharer := range met.Sharers {
		t.Note("warning: tenant %s %s: %s", sharer, sharing, cli.To("sp tenant edit", string(sharer.ID), "--database-url-stdin"))
	}
	for _, u := range met.Unended {
		what := "its old login is not ended"
		if errors.Is(u.Err, provision.ErrDeaf) {
			what = "its old login has ended, and a session of it goes on"
		}
		t.Note("warning: database %s: "+what+": %v; %s tries again", u.Database.Name, u.Err, cli.To("sp tenant provision", string(u.Database.Tenant)))
	}
	for _, e := range met.Ended {
		t.Note("database %s: its old login ended, with %s", e.Database.Name, e.Uses)
	}
}

// serverHint says what helps with a server, or that there is none.
func serverHint(err error) (none cli.Advice) {
	var nowhere *hosting.NoServerError
	if errors.As(err, &nowhere) {
		return nowhereHint(runtime.GOOS, nowhere.Missing)
	}
	var e *hosting.ServerError
	if !errors.As(err, &e) {
		return none
	}
	switch s := e.Server; {
	case errors.Is(e, provision.ErrCrowded), errors.Is(e, provision.ErrNoDisk), errors.Is(e, provision.ErrFull), errors.Is(e, hosting.ErrNoRoom):
		return none // it depends on no server
	case isDumb(&s, e):
		return dumbHint()
	case errors.Is(e, hosting.ErrWithheld) && s.Withheld == registry.Foreign:
		return cli.Advise("if that project is gone: %s, then %s", cli.To("sp trust", "--moved"), cli.To("sp db up")).And(cli.Advise(
			"if it is still in use: %s forgets the server here, and sp makes another for new databases", cli.To("sp db remove", s.Name)))
	case errors.Is(e, hosting.ErrWithheld) && s.IsOwn(), errors.Is(e, hosting.ErrStopped):
		return cli.Advise("%s", cli.To("sp db up"))
	case errors.Is(e, hosting.ErrWithheld):
		return cli.Advise("%s, with the URL of its administrator", cli.To("sp db use", "--server-stdin"))
	case errors.Is(e, hosting.ErrLost):
		return lostHint(s)
	case errors.Is(e, postgres.ErrTaken) && s.Provider == registry.LocalPrograms:
		return cli.Advise("%s has it take another one", cli.To("sp db up", "--port", "PORT"))
	case errors.Is(e, provision.ErrDenied) && !s.IsOwn():
		return cli.Advise("SP_POSTGRES_ADMIN_URL gives another login for that server, %s too", cli.To("sp db use", "--server-stdin"))
	}
	return none
}

// lostHint are the ways out where the data of a server are gone.
func lostHint(s registry.Server) cli.Advice {
	id := s.Name
	if s.Place != nil {
		id = *s.Place
	}
	return cli.Advise("if they are elsewhere, put them back; SP_DATA_DIR, XDG_DATA_HOME and HOME say where sp looks").And(cli.Advise(
		"%s gives them up: then %s makes empty databases", cli.To("sp db remove", id), cli.To("sp tenant provision")))
}

// nowhereHint says how to come by a server on a system, from what is missing there.
func nowhereHint(system string, missing []error) cli.Advice {
	install := "install PostgreSQL's programs: apt-get install postgresql, or your system's like of it"
	if system == "darwin" {
		install = "install PostgreSQL's programs: brew install postgresql"
	}
	for _, err := range missing {
		if errors.Is(err, postgres.ErrRoot) { // they are there
			install = "make the user as whom root's sp runs them: useradd --system postgres"
		}
	}
	return cli.Advise(strings.Join([]string{
		"start Docker", install,
		"name a server: --server-stdin with the URL of somebody who may make databases there",
		"name a database that is there: --database-url-stdin",
		"or take the tenant now and its database later: --no-database, then %s",
	}, "\n"), cli.To("sp tenant provision", "ID"))
}

// Nothing is the commit function of an empty change, which only updates the files that follow.
func Nothing(context.Context, *registry.Registry) error { return nil }
