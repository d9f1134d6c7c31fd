package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// dockerIn is Docker for the container of a project, of which s says what may be used.
func (a *app) dockerIn(dir project.Dir, s registry.Server) (postgres.Docker, error) {
	d, err := a.docker()
	d.Dir, d.Owner = dir.Full("docker"), dir.Path()
	d.ComposeSum, d.EnvSum, d.Image = orEmptyText(s.Compose), orEmptyText(s.Env), orEmptyText(s.Image)
	return d, err
}

func (a *app) dockerOf(dir project.Dir, s registry.Server) (d postgres.Docker, err error) {
	if d, err = a.dockerIn(dir, s); err != nil {
		return d, err
	}
	d.Port, d.Password, err = loginOf(s)
	return d, err
}

func orEmptyText(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func (a *app) startDocker(ctx context.Context, dir project.Dir, reg *registry.Registry, s registry.Server) (registry.Server, error) {
	docker, err := a.dockerOf(dir, s)
	if err != nil {
		return s, err
	}
	made, err := docker.IsMade(ctx)
	if err == nil && !made {
		err = refuseLost(ctx, reg, s, "volume "+postgres.Container+"-data")
	}
	if err != nil {
		return s, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	a.step("starting PostgreSQL in Docker, which may have to fetch it first")
	if err := docker.Up(ctx, func(ctx context.Context) error { return a.answers(ctx, s) }); err != nil {
		return s, err
	}
	return recordContainer(ctx, reg, s, docker)
}

// recordContainer records with what a container was made, so that it is made of the same
// again, and that files which sp wrote are known when a newer sp would write others.
func recordContainer(ctx context.Context, reg *registry.Registry, s registry.Server, d postgres.Docker) (registry.Server, error) {
	if d.CheckFiles() != nil { // it runs, and was not made from these
		return s, nil
	}
	compose, env, err := d.Files()
	if err != nil {
		return s, err
	}
	files, image := registry.ContainerFiles{Compose: postgres.Sum(compose), Env: postgres.Sum(env)}, s.Image
	if image == nil {
		digest, err := d.Digest(ctx)
		if ctx.Err() != nil {
			return s, err
		}
		if registry.IsImage(digest) { // docker that can't say it is no reason not to use the server
			image = &digest
		}
	}
	if image == s.Image && same(files.Compose, s.Compose) && same(files.Env, s.Env) {
		return s, nil
	}
	return reg.RecordContainer(ctx, s.Name, files, image)
}

func same(a, b *string) bool { return orEmptyText(a) == orEmptyText(b) }

// settleContainer shows the files of a container that are not as sp writes them, and asks
// whether they may be used.
func (a *app) settleContainer(ctx context.Context, dir project.Dir, reg *registry.Registry, s registry.Server) (registry.Server, error) {
	d, err := a.dockerIn(dir, s)
	if err == nil && !s.Admin.Empty() {
		d, err = a.dockerOf(dir, s)
	}
	if err != nil {
		return s, err
	}
	refused := d.CheckFiles()
	if !errors.Is(refused, postgres.ErrEdited) {
		return s, refused
	}
	if !a.terminal(int(a.stdin.Fd())) {
		return s, refused
	}
	compose, env, err := d.Files()
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(compose) + postgres.WithoutPasswords(env)) {
		a.note("  %s", strings.TrimSuffix(line, "\n"))
	}
	if err := a.confirmTyped(ctx, fmt.Sprintf("This is what the container would be made from (%s). Somebody wrote or edited it. Use it?", d.Dir)); err != nil {
		return s, err
	}
	s.Compose, s.Env = postgres.Sum(compose), postgres.Sum(env)
	if s.Admin.Empty() { // it is recorded with the rest
		return s, nil
	}
	return reg.RecordContainer(ctx, s.Name, registry.ContainerFiles{Compose: s.Compose, Env: s.Env}, nil)
}
