package hosting

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/registry"
)

// The data of a server that sp runs of this machine's programs belong to the user and not to
// the work tree, for what comes with a clone must never be started. Only the directory that
// the registry recorded is.

// Cluster is the server of this machine's own programs, without which it can be looked at
// and stopped.
func (m *Machine) Cluster(s registry.Server) (c postgres.Cluster, err error) {
	c.Env, c.Owner, c.Listen, c.Say = m.Env, m.Directory, m.Listen, m.say
	if c.Port, c.Password, err = loginOf(s); err != nil {
		return c, err
	}
	if s.Place == nil {
		c.Dir = m.oldPlace()
		return c, nil
	}
	base, err := m.Data()
	c.Dir = filepath.Join(base, *s.Place)
	return c, err
}

// oldPlace is where an earlier sp kept the data.
func (m *Machine) oldPlace() string { return filepath.Join(m.Directory, "postgres") }

func (m *Machine) startCluster(ctx context.Context, s registry.Server) error {
	c, err := m.Cluster(s)
	if err != nil {
		return err
	}
	if s.Place == nil {
		return fmt.Errorf("server %s: %w: an earlier sp made it in %s", s.Name, ErrOtherData, c.Dir)
	}
	if _, err := m.MakeData(); err != nil {
		return err
	}
	c.MayStart = func(ctx context.Context) error { return m.mayStart(ctx, s.Name, c) }
	if _, err := os.Lstat(c.Dir); err != nil { // before one is made
		if err := c.MayStart(ctx); err != nil {
			return err
		}
	}
	if c.Programs, err = m.Programs(c.Dir); err != nil {
		return err
	}
	m.Progress("starting PostgreSQL")
	if err := c.Up(ctx); err != nil {
		return &ServerError{s, m.orFull(s, err)}
	}
	return nil
}

// mayStart compares what is there with what is recorded, which another command may just have
// done, and records a directory in which nothing has been made yet.
func (m *Machine) mayStart(ctx context.Context, name string, c postgres.Cluster) error {
	s, err := m.server(ctx, name)
	if err != nil {
		return err
	}
	if !c.Exists() {
		if err := m.refuseLost(ctx, s, c.Dir); err != nil {
			return err
		}
	}
	now, err := c.Identity()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case s.Identity != nil && *s.Identity == now:
		return nil
	case c.Exists():
		return fmt.Errorf("server %s: %w", name, otherData(c))
	}
	_, err = m.place(ctx, s, *s.Place, &now)
	return err
}

func otherData(c postgres.Cluster) error {
	return fmt.Errorf("%w: %s is not the directory that sp recorded, perhaps a copy", ErrOtherData, c.Dir)
}

// place records where the data of a server are, and which directory that is.
func (m *Machine) place(ctx context.Context, s registry.Server, place string, identity *string) (registry.Server, error) {
	err := m.Change(ctx, func(reg *registry.Registry) (err error) {
		s, err = reg.PlaceServer(ctx, s.Name, place, identity)
		return err
	})
	return s, err
}

// refuseLost refuses to make anew a server on which databases are recorded.
func (m *Machine) refuseLost(ctx context.Context, s registry.Server, where string) error {
	databases, err := m.databases(ctx)
	if err != nil {
		return err
	}
	var lost []string
	for _, id := range RecordedOn(s, databases) {
		lost = append(lost, string(id))
	}
	if len(lost) == 0 {
		return nil
	}
	return &ServerError{s, fmt.Errorf("server %s: %w: %s (with the databases of %s)", s.Name, ErrLost, where, strings.Join(lost, ", "))}
}

// DataTrouble says how the data of a stopped server of sp's differ from what was recorded; nil if
// they do not.
func (m *Machine) DataTrouble(ctx context.Context, s registry.Server) error {
	if s.Provider == registry.InDocker {
		return m.containerTrouble(ctx, s)
	}
	c, err := m.Cluster(s)
	if err != nil || s.Place != nil && s.Identity == nil {
		return err // it was never whole
	}
	if !c.Exists() {
		return &ServerError{s, fmt.Errorf("%w: %s", ErrLost, c.Dir)}
	}
	now, err := c.Identity()
	if err == nil && s.Place != nil && *s.Identity != now {
		err = otherData(c)
	}
	return err
}
