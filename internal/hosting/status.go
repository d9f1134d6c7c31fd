package hosting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
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

// leastFree is what the disk of a server must have left before it is stopped, or told to do what makes a checkpoint:
// one that can't write its journal ends, and does not start again.
const leastFree = 64 << 20

// CheckRoom refuses a server of this machine's programs whose disk is full.
func (m *Machine) CheckRoom(s registry.Server) error {
	if free := m.free(s); free != nil && *free < leastFree {
		return fmt.Errorf("its disk has %d MB left: %w", *free>>20, ErrNoRoom)
	}
	return nil
}

// orFull says of a server that does not start, be it for want of room for sp's own files, or does not answer any
// more, that its disk is full, if it is.
func (m *Machine) orFull(s registry.Server, err error) error {
	isSign := errors.Is(err, provision.ErrUnavailable) || errors.Is(err, postgres.ErrUnusable) || errors.Is(err, syscall.ENOSPC)
	if !isSign || errors.Is(err, ErrNoRoom) {
		return err
	}
	if full := m.CheckRoom(s); full != nil {
		err = fmt.Errorf("%w; %w", err, full)
	}
	return err
}

// IsUnfit tells whether a server that sp runs can't be used as it is, or can't be started. Such an error names files
// and processes of this machine.
func IsUnfit(err error) bool {
	return slices.ContainsFunc([]error{postgres.ErrFrozen, postgres.ErrUnended, postgres.ErrBusy, postgres.ErrUnusable, ErrNoRoom},
		func(unfit error) bool { return errors.Is(err, unfit) })
}

// CheckRestart refuses a server that sp runs if it would not start again: for want of room, or with this
// machine's programs.
func (m *Machine) CheckRestart(s registry.Server) error {
	if s.Provider != registry.LocalPrograms {
		return nil
	}
	c, err := m.Cluster(s)
	if err != nil || !c.Exists() {
		return err
	}
	if err := m.CheckRoom(s); err != nil {
		return err
	}
	if c.Programs, err = m.Programs(c.Dir); err != nil {
		return err
	}
	return c.CheckData()
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
	r, err := m.runnerOf(s)
	if err == nil {
		err = end(r, ctx)
	}
	if err != nil {
		err = fmt.Errorf("server %s: %w", s.Name, err)
	}
	return err
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
	c.Say = m.say
	return c.Remove(ctx)
}

// ServerState is how a server is.
type ServerState string

// The states of a server. Unusable is one that answers in a way that sp can't use, or whose data are not those
// that were recorded.
const (
	ServerReady       ServerState = "ready"
	ServerStopped     ServerState = "stopped"
	ServerStarting    ServerState = "starting" // or recovering, or about to stop
	ServerWithheld    ServerState = "withheld"
	ServerLost        ServerState = "lost" // its data are gone
	ServerUnreachable ServerState = "unreachable"
	ServerRefuses     ServerState = "denied"
	ServerUnusable    ServerState = "unusable"
)

// stateOf is how a server is that does not answer as it should.
func stateOf(err error) ServerState {
	switch {
	case provision.IsStarting(err), errors.Is(err, postgres.ErrUnended):
		return ServerStarting
	case errors.Is(err, ErrWithheld):
		return ServerWithheld
	case errors.Is(err, ErrLost):
		return ServerLost
	case errors.Is(err, provision.ErrUnavailable), errors.Is(err, postgres.ErrFrozen):
		return ServerUnreachable
	case errors.Is(err, provision.ErrDenied):
		return ServerRefuses
	}
	return ServerUnusable
}

// Status is what a server says of itself and of the databases that are recorded there.
type Status struct {
	State   ServerState
	Version string // of PostgreSQL, if it answers
	// Trouble says why the server does not answer or can't be examined; nil for a stopped one, too.
	Trouble error
	// Free is how many bytes the disk of its data has left; nil where the disk is not this machine's.
	Free *int64
	// Usages are those of the databases, by their names; nil if the server does not answer.
	Usages map[string]provision.Usage
	// Missing are the tenants whose databases are recorded there and not whole.
	Missing []registry.TenantID
}

// Statuses asks servers how they are and how the databases that are recorded there are used. It starts nothing, and
// waits for none longer than for an answer.
func (m *Machine) Statuses(ctx context.Context, servers []registry.Server, databases []registry.Database) []Status {
	found := make([]Status, len(servers))
	askEach(len(servers), func(i int) { found[i] = m.status(ctx, servers[i], databases) })
	return found
}

func (m *Machine) status(ctx context.Context, s registry.Server, databases []registry.Database) (st Status) {
	if s.IsOwn() && s.Withheld == "" {
		st.Free = m.free(s)
		running, err := m.Running(ctx, s)
		if err == nil && !running {
			st.State = ServerStopped
			err = m.DataTrouble(ctx, s)
		} else if err == nil && m.IsEnding(ctx, s) {
			err = m.unfit(ctx, s, postgres.ErrUnended)
		}
		if errors.Is(err, ErrLost) {
			st.Missing = RecordedOn(s, databases)
		}
		if err != nil {
			st.State, st.Trouble = stateOf(err), err
		}
		if st.State != "" {
			return st
		}
	}
	admin, err := m.answering(ctx, s)
	if err != nil {
		st.State, st.Trouble = stateOf(err), err
		return st
	}
	h := &host{s, admin}
	defer h.close()
	st.State, st.Version = ServerReady, admin.Version()
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	st.Usages, st.Trouble = h.usages(ctx, databases)
	for _, d := range h.recordedWhole(databases) {
		if u, asked := st.Usages[d.Name]; asked && !u.Whole {
			st.Missing = append(st.Missing, d.Tenant)
		}
	}
	return st
}

// IsEnding reports whether a server of sp's takes nobody any more: it, or what is left of it, is to end.
func (m *Machine) IsEnding(ctx context.Context, s registry.Server) bool {
	look, err := m.look(ctx, s)
	return err == nil && look == postgres.Stopping
}

// Sessions returns the sessions of clients on a server that runs.
func (m *Machine) Sessions(ctx context.Context, s registry.Server) ([]provision.Session, error) {
	admin, err := m.answering(ctx, s)
	if err != nil {
		return nil, &ServerError{s, err}
	}
	h := &host{s, admin}
	defer h.close()
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return admin.Sessions(ctx)
}

// answering connects to a server that answers now.
func (m *Machine) answering(ctx context.Context, s registry.Server) (*provision.Server, error) {
	if err := cmp.Or(CheckWithheld(s), m.Offline); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return provision.Connect(ctx, s.Admin)
}

// free is how much room a server has left that this machine's programs run. It is told beside what is known,
// and nothing hangs on it.
func (m *Machine) free(s registry.Server) *int64 {
	if s.Provider != registry.LocalPrograms {
		return nil
	}
	c, err := m.Cluster(s)
	if err != nil {
		return nil
	}
	free, err := c.Free()
	if err != nil {
		return nil
	}
	return &free
}

// usages are those of the databases that are recorded on a server, and of those that may be beside them.
func (h *host) usages(ctx context.Context, databases []registry.Database) (map[string]provision.Usage, error) {
	var names []string
	for _, d := range databases {
		if d.Server != h.Name {
			continue
		}
		names = append(names, d.Name)
		for _, extra := range h.database(d).Extras() {
			names = append(names, extra.Name)
		}
	}
	return h.admin.Usages(ctx, names...)
}

// recordedWhole are the databases that are recorded as whole on a server.
func (h *host) recordedWhole(databases []registry.Database) (whole []registry.Database) {
	for _, d := range databases {
		if d.Server == h.Name && d.State == registry.Ready {
			whole = append(whole, d)
		}
	}
	return whole
}

// missing are the databases that are recorded as whole on a server and are not there.
func (h *host) missing(ctx context.Context, databases []registry.Database) (missing []registry.Database, err error) {
	for _, d := range h.recordedWhole(databases) {
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
