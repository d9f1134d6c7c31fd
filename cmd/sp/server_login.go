package main

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// While a server that sp runs is stopped, anybody on this machine can listen on its port. So
// sp logs in there only while its own server runs, as far as that can be seen, and demands
// SCRAM, by which who listens learns no password.

// beforeLogin looks at where a login leads, before anything is sent: every login of sp's.
func (a *app) beforeLogin(ctx context.Context, url secret.Secret) (scram bool, err error) {
	look, err := a.lookAtOwn(ctx, url)
	return look != nil, err
}

// lookAtOwn looks at the server that sp runs to which a URL leads; nil where it leads to
// another. One that is not there is an error.
func (a *app) lookAtOwn(ctx context.Context, url secret.Secret) (*postgres.Look, error) {
	dir, s, err := a.ownServerOf(ctx, url)
	if err != nil || s == nil {
		return nil, err
	}
	if err := refuseWithheld(*s); err != nil {
		return nil, fmt.Errorf("server %s: %w", s.Name, err)
	}
	look, err := a.look(ctx, dir, *s)
	if err == nil && look == postgres.NotThere {
		if err := a.dataTrouble(ctx, dir, *s); err != nil {
			return nil, fmt.Errorf("server %s: %w", s.Name, err)
		}
		err = withHint(fmt.Errorf("server %s does not run: %w", s.Name, provision.ErrUnavailable), "sp db up")
	}
	return &look, err
}

func (a *app) look(ctx context.Context, dir project.Dir, s registry.Server) (postgres.Look, error) {
	if s.Provider == registry.InDocker {
		docker, err := a.dockerOf(dir, s)
		if err != nil {
			return postgres.Unseen, nil // as from within a container
		}
		return docker.Look(ctx)
	}
	cluster, err := a.cluster(dir, s)
	if err != nil {
		return postgres.NotThere, err
	}
	return cluster.Look(ctx)
}

// ownServerOf returns the server that sp runs to which a URL leads, nil if there is none.
func (a *app) ownServerOf(ctx context.Context, url secret.Secret) (dir project.Dir, own *registry.Server, err error) {
	servers, err := a.knownServers(ctx)
	if isNoRegistry(err) {
		return dir, nil, nil
	}
	for _, s := range servers {
		if err == nil && s.Serves(url) {
			dir, err = a.project()
			return dir, &s, err
		}
	}
	return dir, nil, err
}

// knownServers are those of the registry, as it is now.
func (a *app) knownServers(ctx context.Context) (servers []registry.Server, err error) {
	a.looking.Lock()
	defer a.looking.Unlock()
	if a.open == nil {
		err := a.read(ctx, func(_ project.Dir, view *registry.View) (err error) {
			servers, err = view.Servers(ctx)
			return err
		})
		return servers, err
	}
	view, err := a.open.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	return view.Servers(ctx)
}
