package hosting

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/registry"
)

// Doubt describes data or files from which a server would be started and which anybody may have
// written. The user has to look at them before Allow is called. An empty Doubt needs no question.
type Doubt struct {
	// Edited is the error for edited files of a container. Dir is where they are, and Text is what
	// they say, without passwords.
	Edited error
	Text   string
	// Foreign reports that Dir is not the recorded directory.
	Foreign bool
	// From is where an earlier sp kept the data, which will move to Dir.
	From string
	Dir  string

	files    registry.ContainerFiles
	identity string
	place    string // where the data move
}

// Doubt returns what the user has to look at before a server is started.
func (m *Machine) Doubt(s registry.Server) (Doubt, error) {
	switch {
	case s.Provider == registry.InDocker:
		return m.doubtContainer(s)
	case s.Provider == registry.LocalPrograms && !s.Admin.Empty():
		return m.doubtCluster(s)
	}
	return Doubt{}, nil
}

func (m *Machine) doubtContainer(s registry.Server) (d Doubt, err error) {
	docker, err := m.dockerFor(s)
	if err != nil {
		return d, err
	}
	refused := docker.CheckFiles()
	if !errors.Is(refused, postgres.ErrEdited) {
		return d, refused
	}
	compose, env, err := docker.Files()
	return Doubt{
		Edited: refused, Dir: docker.Dir, Text: string(compose) + postgres.WithoutPasswords(env),
		files: registry.ContainerFiles{Compose: postgres.Sum(compose), Env: postgres.Sum(env)},
	}, err
}

func (m *Machine) doubtCluster(s registry.Server) (d Doubt, err error) {
	old := postgres.Cluster{Dir: m.oldPlace()}
	c, err := m.Cluster(s)
	if err != nil {
		return d, err
	}
	if s.Place == nil || s.Identity == nil && !c.Exists() && old.Exists() {
		return m.doubtMove(s, old)
	}
	if !c.Exists() {
		return d, nil
	}
	now, err := c.Identity()
	if err != nil || s.Identity != nil && *s.Identity == now {
		return d, err
	}
	return Doubt{Foreign: true, Dir: c.Dir, identity: now, place: *s.Place}, nil
}

// doubtMove gives a server that an earlier sp made, or began to make, a place outside of the
// work tree.
func (m *Machine) doubtMove(s registry.Server, old postgres.Cluster) (d Doubt, err error) {
	base, err := m.MakeData()
	if err != nil {
		return d, err
	}
	if d.place = orNone(s.Place); d.place == "" {
		if d.place, err = m.newPlace(); err != nil {
			return d, err
		}
	}
	d.Dir = filepath.Join(base, d.place)
	if old.Exists() { // else it was never whole, or is gone
		d.From = old.Dir
	}
	return d, nil
}

// Allow records that the user accepted a doubt, moves the data to their place, and returns the
// server to start.
func (m *Machine) Allow(ctx context.Context, s registry.Server, d Doubt) (registry.Server, error) {
	switch {
	case d.Edited != nil && s.Admin.Empty(): // it is recorded with the rest
		s.Compose, s.Env = d.files.Compose, d.files.Env
		return s, nil
	case d.Edited != nil:
		return m.useFiles(ctx, s, d.files, nil)
	case d.Foreign:
		return m.place(ctx, s, d.place, &d.identity)
	case d.place == "":
		return s, nil
	}
	s, err := m.place(ctx, s, d.place, nil)
	if !made(err) || d.From == "" {
		return s, err
	}
	m.Progress("moving the data")
	if err := (postgres.Cluster{Dir: d.From, Owner: m.Directory, Say: m.say}).MoveTo(ctx, d.Dir); err != nil {
		return s, err
	}
	now, err := postgres.Cluster{Dir: d.Dir}.Identity()
	if err == nil {
		s, err = m.place(ctx, s, d.place, &now)
	}
	return s, err
}
