package hosting

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/registry"
)

// runner is a server that sp runs: a cluster or a container.
type runner interface {
	Running(context.Context) (bool, error)
	Look(context.Context) (postgres.Look, error)
	Down(context.Context) error
	Remove(context.Context) error
	Log(ctx context.Context, last int, follow bool, tell func(line string)) error
}

// runnerOf is who runs a server. For the container the error is ErrNone where there is no Docker.
func (m *Machine) runnerOf(s registry.Server) (runner, error) {
	if s.Provider == registry.InDocker {
		return m.dockerFor(s)
	}
	return m.Cluster(s)
}

// Running reports whether a server of sp's is running.
func (m *Machine) Running(ctx context.Context, s registry.Server) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	r, err := m.runnerOf(s)
	if errors.Is(err, postgres.ErrNone) { // without Docker there is no container
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return r.Running(ctx)
}

// Log tells the last lines of what a server that sp runs has logged and, if it is followed, those that come.
func (m *Machine) Log(ctx context.Context, s registry.Server, last int, follow bool, tell func(line string)) error {
	r, err := m.runnerOf(s)
	if err == nil {
		err = r.Log(ctx, last, follow, tell)
	}
	if err != nil {
		err = &ServerError{s, fmt.Errorf("server %s: %w", s.Name, err)}
	}
	return err
}

// Stop stops a server that sp runs. Its data stay.
func (m *Machine) Stop(ctx context.Context, s registry.Server) error {
	return m.ending(ctx, s, runner.Down)
}

// Remove stops a server that sp runs and removes its data; a withheld server is only forgotten. It
// returns the tenants that lost their database. The records go last, so that a stopped removal can
// be repeated.
func (m *Machine) Remove(ctx context.Context, s registry.Server) (without []registry.TenantID, err error) {
	if s.Withheld == "" {
		if err := m.ending(ctx, s, runner.Remove); err != nil {
			return nil, err
		}
	}
	err = m.Change(ctx, func(reg *registry.Registry) (err error) {
		without, err = reg.RemoveServer(ctx, s.Name)
		return err
	})
	return without, err
}

func (m *Machine) ending(ctx context.Context, s registry.Server, end func(runner, context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	r, err := m.runnerOf(s)
	if err != nil {
		return err
	}
	return end(r, ctx)
}

// Clusters returns the servers of all projects of this user that sp runs with local programs.
func (m *Machine) Clusters(ctx context.Context) ([]postgres.Placed, error) {
	base, err := m.Data()
	if err != nil {
		return nil, err
	}
	return postgres.Clusters(ctx, base, registry.IsPlace)
}

// RemoveCluster stops one of these servers and removes its data.
func (m *Machine) RemoveCluster(ctx context.Context, c postgres.Placed) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	return c.Remove(ctx)
}

// Status is the state of a server.
type Status struct {
	Running bool   // it answers
	Version string // of PostgreSQL
	// Trouble says why the server does not answer or can't be examined; nil for a stopped one, too.
	Trouble error
	// Missing are the tenants whose databases are recorded there and not whole.
	Missing []registry.TenantID
}

// Status asks a server whether it answers and has the databases that are recorded there.
func (m *Machine) Status(ctx context.Context, s registry.Server, databases []registry.Database) (st Status) {
	if s.IsOwn() && s.Withheld == "" {
		running, err := m.Running(ctx, s)
		if err == nil && !running {
			err = m.DataTrouble(ctx, s)
		}
		if errors.Is(err, ErrLost) {
			st.Missing = RecordedOn(s, databases)
		}
		if err != nil || !running {
			st.Trouble = err
			return st
		}
	}
	admin, err := m.connect(ctx, s)
	if err != nil {
		st.Trouble = err
		return st
	}
	h := &host{s, admin}
	defer h.close()
	st.Running, st.Version = true, admin.Version()
	missing, err := h.missing(ctx, databases)
	st.Trouble = err
	for _, d := range missing {
		st.Missing = append(st.Missing, d.Tenant)
	}
	return st
}

// missing are the databases that are recorded as whole on a server and are not there.
func (h *host) missing(ctx context.Context, databases []registry.Database) (missing []registry.Database, err error) {
	for _, d := range databases {
		if d.Server != h.Name || d.State != registry.Ready {
			continue
		}
		_, whole, err := h.admin.Holds(ctx, h.database(d))
		if err != nil {
			return nil, err
		}
		if !whole {
			missing = append(missing, d)
		}
	}
	return missing, nil
}
