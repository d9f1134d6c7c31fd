package main

import (
	"context"
	"slices"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

// byURL is the provider that somebody names who has a database already.
const byURL registry.Provider = "url"

// wantedServer is what the flags and the environment ask for.
func (a *app) wantedServer(ctx context.Context, cmd *cli.Command) (w hosting.Wanted, err error) {
	w.Provider = registry.Provider(cmd.String("provider"))
	if w.Provider != "" && !slices.Contains([]registry.Provider{byURL, registry.Elsewhere, registry.InDocker, registry.LocalPrograms}, w.Provider) {
		return w, usage("--provider: url, server, docker or local")
	}
	if w.Admin, err = a.secret(ctx, cmd, "server"); err != nil {
		return w, err
	}
	if w.Admin != nil {
		a.warnOfArgument(cmd, "server", *w.Admin)
		if w.Provider != "" && w.Provider != registry.Elsewhere {
			return w, usage("--server and --provider %s", w.Provider)
		}
		w.Provider = registry.Elsewhere
	}
	if w.Admin == nil {
		w.Admin = a.wantedByDefault().Admin
	}
	return w, nil
}

// wantedByDefault is what the environment alone asks for.
func (a *app) wantedByDefault() (w hosting.Wanted) {
	if url := a.env("SP_POSTGRES_ADMIN_URL"); url != nil && *url != "" {
		admin := secret.New(*url)
		w.Admin = &admin
	}
	return w
}

// findServer returns the server to make a database on.
func (a *app) findServer(ctx context.Context, w hosting.Wanted, known []registry.Server) (registry.Server, error) {
	isChosen := func(s registry.Server) bool { return s.Chosen }
	if w.Provider == registry.Elsewhere && w.Admin == nil && !slices.ContainsFunc(known, isChosen) {
		return registry.Server{}, withHint(usage("--provider server: which one?"), "--server-stdin, SP_POSTGRES_ADMIN_URL, or sp db use")
	}
	return a.machine(project.Dir{}, nil).Find(ctx, w, known)
}

// knownServers are those of the registry, none where that is yet to be made.
func (a *app) knownServers(ctx context.Context) (known []registry.Server, err error) {
	isNew, err := a.isNew()
	if err != nil || isNew {
		return nil, err
	}
	err = a.read(ctx, func(_ project.Dir, view *registry.View) error {
		known, err = view.Servers(ctx)
		return err
	})
	return known, err
}
