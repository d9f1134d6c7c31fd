package hosting

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// docker is Docker, with nothing about the container yet.
func (m *Machine) docker() (postgres.Docker, error) {
	d := postgres.Docker{Program: m.Docker, Env: m.Env}
	if d.Program == "" {
		return d, fmt.Errorf("docker: %w", postgres.ErrNone)
	}
	return d, nil
}

// dockerFor is Docker for the project's container, of which s says what may be used and, once it
// is planned, its port and password.
func (m *Machine) dockerFor(s registry.Server) (postgres.Docker, error) {
	d, err := m.docker()
	d.Dir, d.Owner = filepath.Join(m.Directory, "docker"), m.Directory
	d.ComposeSum, d.EnvSum, d.Image = orNone(s.Compose), orNone(s.Env), orNone(s.Image)
	if err == nil && !s.Admin.Empty() {
		d.Port, d.Password, err = loginOf(s)
	}
	return d, err
}

func orNone(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// loginOf cuts the port and the password out of the URL of a server that sp runs.
func loginOf(s registry.Server) (port int, password secret.Secret, err error) {
	u, err := pgurl.Parse(s.Admin)
	if err != nil {
		return 0, password, err
	}
	_, text, err := net.SplitHostPort(u.Addresses()[0].Name)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil {
		return 0, password, fmt.Errorf("server %s: no port in its URL: %w", s.Name, registry.ErrInvalid)
	}
	return port, u.Secrets()["password"], nil
}

// usual is the port where older tools look for the container.
const usual = 5432

// planContainer says as whom the administrator of the container logs in. One that was made
// before, by a registry that is lost, has its port and its password already.
func (m *Machine) planContainer(ctx context.Context, s registry.Server) (registry.Server, error) {
	docker, err := m.dockerFor(s)
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
		password, err = provision.NewPassword(m.Random)
	}
	if err == nil && port == 0 {
		port, err = postgres.FreePort(usual)
	}
	s.Admin = postgres.DockerURL(port, password)
	return s, err
}

func (m *Machine) startContainer(ctx context.Context, s registry.Server) (registry.Server, error) {
	docker, err := m.dockerFor(s)
	if err != nil {
		return s, err
	}
	there, err := docker.IsMade(ctx)
	if err == nil && !there {
		err = m.refuseLost(ctx, s, "volume "+postgres.Container+"-data")
	}
	if err != nil {
		return s, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	m.Progress("starting PostgreSQL in Docker, which may have to fetch it first")
	if err := docker.Up(ctx, func(ctx context.Context) error { return m.Answers(ctx, s) }); err != nil {
		return s, err
	}
	return m.recordContainer(ctx, s, docker)
}

// recordContainer records with what a container was made, so that it is made of the same
// again, and that files which sp wrote are known when a newer sp would write others.
func (m *Machine) recordContainer(ctx context.Context, s registry.Server, d postgres.Docker) (registry.Server, error) {
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
	if image == s.Image && orNone(files.Compose) == orNone(s.Compose) && orNone(files.Env) == orNone(s.Env) {
		return s, nil
	}
	return m.useFiles(ctx, s, files, image)
}

// useFiles records what may be used of a container's files.
func (m *Machine) useFiles(ctx context.Context, s registry.Server, files registry.ContainerFiles, image *string) (registry.Server, error) {
	err := m.Change(ctx, func(reg *registry.Registry) (err error) {
		s, err = reg.RecordContainer(ctx, s.Name, files, image)
		return err
	})
	return s, err
}

// containerTrouble says that the container of a server is gone in which databases were.
func (m *Machine) containerTrouble(ctx context.Context, s registry.Server) error {
	d, err := m.dockerFor(s)
	if errors.Is(err, postgres.ErrNone) {
		return nil // from here nobody can tell
	}
	there, err := d.IsMade(ctx)
	if err != nil || there || s.Env == nil {
		return err
	}
	return &ServerError{s, fmt.Errorf("%w: volume %s-data", ErrLost, postgres.Container)}
}
