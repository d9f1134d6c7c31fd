package task

import (
	"context"
	"slices"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// ByURL is the provider for a database that exists already.
const ByURL registry.Provider = "url"

// ServerFlags returns the flags that choose the server of a new database.
func ServerFlags() []cli.Flag {
	return append([]cli.Flag{
		cli.Choice("provider", "where to make it (default: the first available)", string(ByURL), string(registry.Elsewhere), string(registry.InDocker), string(registry.LocalPrograms)),
	}, cli.SecretFlags("server", "URL", "make it on this server (else SP_POSTGRES_ADMIN_URL, else sp db use)")...)
}

// WantedServer returns the server that the flags and the environment ask for.
func (t *Task) WantedServer(ctx context.Context) (w hosting.Wanted, err error) {
	if t.Has("provider") {
		w.Provider = registry.Provider(t.String("provider"))
	}
	if w.Admin, err = t.Secret(ctx, "server"); err != nil {
		return w, err
	}
	if w.Admin != nil {
		t.WarnOfArgument("server", *w.Admin)
		if w.Provider != "" && w.Provider != registry.Elsewhere {
			return w, cli.Usage("%s: --server and --provider %s: give one of them", t.Command, w.Provider)
		}
		w.Provider = registry.Elsewhere
	}
	if w.Admin == nil {
		w.Admin = t.WantedByDefault().Admin
	}
	return w, nil
}

// WantedByDefault returns the server that the environment alone asks for.
func (t *Task) WantedByDefault() (w hosting.Wanted) {
	if url := t.Env("SP_POSTGRES_ADMIN_URL"); url != nil && *url != "" {
		admin := secret.New(*url)
		w.Admin = &admin
	}
	return w
}

// FindServer returns the server on which to make a database.
func (t *Task) FindServer(ctx context.Context, w hosting.Wanted, known []registry.Server) (registry.Server, error) {
	isChosen := func(s registry.Server) bool { return s.Chosen }
	if w.Provider == registry.Elsewhere && w.Admin == nil && !slices.ContainsFunc(known, isChosen) {
		return registry.Server{}, cli.Hint(cli.Usage("--provider server: which one?"), "--server-stdin, SP_POSTGRES_ADMIN_URL, or %s", cli.To("sp db use"))
	}
	return t.Machine(project.Dir{}, nil).Find(ctx, w, known)
}

// KnownServers returns the servers of the registry, or none if there is no registry yet.
func (t *Task) KnownServers(ctx context.Context) (known []registry.Server, err error) {
	isNew, err := t.IsNew()
	if err != nil || isNew {
		return nil, err
	}
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) error {
		known, err = view.Servers(ctx)
		return err
	})
	return known, err
}
