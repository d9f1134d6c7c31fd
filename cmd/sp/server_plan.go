package main

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// planServer remembers a server that sp is about to make, or returns the one that is known
// by now. What can't be made is refused before, here and by findServer, which gave it: a
// server that is known is used from then on.
func (a *app) planServer(ctx context.Context, dir project.Dir, reg *registry.Registry, s registry.Server) (registry.Server, error) {
	plan := a.planCluster
	if s.Provider == registry.InDocker {
		plan = a.planContainer
	}
	s, refused := plan(ctx, dir, s)
	known, err := knownServer(ctx, reg, s.Name) // another command may have been faster
	switch {
	case err != nil:
		return s, err
	case known != nil:
		return *known, nil
	case refused != nil:
		return s, refused
	}
	return reg.PlanServer(ctx, s)
}

func knownServer(ctx context.Context, reg *registry.Registry, name string) (*registry.Server, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	return view.Server(ctx, name)
}

// planCluster says where the data of a server of this machine's programs will be, and as
// whom its administrator logs in.
func (a *app) planCluster(_ context.Context, dir project.Dir, s registry.Server) (registry.Server, error) {
	if _, err := a.placeForData(dir); err != nil {
		return s, err
	}
	id, err := registry.NewPlace(projectOf(dir), a.random)
	if err != nil {
		return s, err
	}
	password, err := provision.NewPassword(a.random)
	if err != nil {
		return s, err
	}
	preferred, err := a.portForGood()
	if err != nil {
		return s, err
	}
	port, err := postgres.FreePort(preferred)
	s.Admin, s.Place = postgres.ClusterURL(port, password), &id
	return s, err
}

// portForGood is a port below those that systems lend to connections: one of these may be
// taken when the server is started again.
func (a *app) portForGood() (int, error) {
	const from, to = 20_000, 32_000
	number := make([]byte, 2)
	_, err := io.ReadFull(a.random, number)
	return from + int(binary.BigEndian.Uint16(number))%(to-from), err
}

// usual is the port where older tools look for the container.
const usual = 5432

// planContainer says as whom the administrator of the container logs in. One that was made before,
// by a registry that is lost, has its port and its password already.
func (a *app) planContainer(ctx context.Context, dir project.Dir, s registry.Server) (registry.Server, error) {
	docker, err := a.dockerIn(dir, s)
	if err == nil {
		err = docker.CheckFiles()
	}
	if err != nil {
		return s, err
	}
	port, err := docker.MadePort(ctx)
	if err != nil {
		return s, err
	}
	password, found, err := docker.KnownPassword()
	if err == nil && !found {
		password, err = provision.NewPassword(a.random)
	}
	if err == nil && port == 0 {
		port, err = postgres.FreePort(usual)
	}
	s.Admin = postgres.DockerURL(port, password)
	return s, err
}
