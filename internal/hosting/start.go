package hosting

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// host is a server that answers, and on which databases may be made.
type host struct {
	registry.Server
	admin *provision.Server
}

// close ends the connection; there is nothing that it could lose.
func (h *host) close() { _ = h.admin.Close() }

// pooled is the server's name if a pooler stands before it and somebody else runs it.
func (h *host) pooled() string {
	if h.admin.Pooled && !h.IsOwn() {
		return h.Name
	}
	return ""
}

// changeOn is a step that has to do with a server. It records the login that opens one which
// somebody else runs, if that is known already and has another one, or is chosen.
func (m *Machine) changeOn(ctx context.Context, h *host, fn func(*registry.Registry) error) error {
	return m.Change(ctx, func(reg *registry.Registry) error {
		if !h.IsOwn() {
			if err := reg.UpdateServer(ctx, h.Server); err != nil {
				return err
			}
		}
		return fn(reg)
	})
}

// bringUp starts the server if sp runs it, and connects to it.
func (m *Machine) bringUp(ctx context.Context, s registry.Server) (*host, error) {
	if err := CheckWithheld(s); err != nil {
		return nil, fmt.Errorf("server %s: %w", s.Name, err)
	}
	if s.IsOwn() {
		var err error
		if s, err = m.start(ctx, s); err != nil {
			return nil, err
		}
	}
	admin, err := m.connect(ctx, s)
	if err == nil && s.Provider == registry.InDocker { // a server of programs is told at its start
		if err = admin.Keep(ctx, postgres.Kept); err != nil {
			_ = admin.Close()
		}
	}
	if err != nil {
		return nil, &ServerError{s, fmt.Errorf("server %s: %w", s.Name, err)}
	}
	return &host{s, admin}, nil
}

// bringUpRoomy is bringUp for what makes or drops a database.
func (m *Machine) bringUpRoomy(ctx context.Context, s registry.Server) (*host, error) {
	if err := m.CheckRoom(s); err != nil {
		return nil, &ServerError{s, fmt.Errorf("server %s: %w", s.Name, err)}
	}
	return m.bringUp(ctx, s)
}

// Start starts a server that sp runs, unless it runs by now, and returns when it takes connections.
func (m *Machine) Start(ctx context.Context, s registry.Server) error {
	h, err := m.bringUp(ctx, s)
	if err == nil {
		h.close()
	}
	return err
}

func (m *Machine) connect(ctx context.Context, s registry.Server) (*provision.Server, error) {
	if err := CheckWithheld(s); err != nil {
		return nil, err
	}
	if m.Offline != nil {
		return nil, m.Offline
	}
	server, err := m.awake(ctx, s.Admin)
	if err == nil {
		server.Progress, server.Waits = m.Progress, m.say
	}
	return server, err
}

// awake logs in to a server. One that says it is just starting, recovering or stopping is waited for, and one
// whose connections are all taken for some seconds: clients that log in again and again leave gaps.
func (m *Machine) awake(ctx context.Context, admin secret.Secret) (*provision.Server, error) {
	const pause = 200 * time.Millisecond
	until, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	crowded, cancel := context.WithTimeout(ctx, crowdedWithin)
	defer cancel()
	for told := false; ; told = true {
		within, cancel := context.WithTimeout(until, answerWithin)
		server, err := provision.Connect(within, admin)
		cancel()
		passes := provision.IsStarting(err) && until.Err() == nil || provision.IsCrowded(err) && crowded.Err() == nil
		switch {
		case !passes:
			return server, err
		case !told && provision.IsCrowded(err):
			m.say("waiting for the server, whose connections are all taken")
		case !told:
			m.say("waiting for the server, which says that it is starting or stopping")
		}
		select {
		case <-time.After(pause):
		case <-until.Done():
			return server, err
		}
	}
}

// Answers reports whether databases can be made on a server.
func (m *Machine) Answers(ctx context.Context, s registry.Server) error {
	server, err := m.connect(ctx, s)
	if err != nil {
		return fmt.Errorf("server %s: %w", s.Name, err)
	}
	return server.Close()
}

// Twin returns the first of some servers that is the same as s by another address, nil if none is seen to
// be. One that does not answer can't be compared.
func (m *Machine) Twin(ctx context.Context, s registry.Server, others []registry.Server) (*registry.Server, error) {
	mine, err := m.identity(ctx, s)
	if err != nil {
		return nil, err
	}
	found := make([]string, len(others))
	askEach(len(others), func(i int) {
		if others[i].Name != s.Name {
			found[i], _ = m.identity(ctx, others[i])
		}
	})
	if at := slices.Index(found, mine); at >= 0 {
		return &others[at], nil
	}
	return nil, nil
}

func (m *Machine) identity(ctx context.Context, s registry.Server) (identity string, err error) {
	server, err := m.connect(ctx, s)
	if err != nil {
		return "", fmt.Errorf("server %s: %w", s.Name, err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return server.Identity(ctx)
}

// start starts a server that sp runs, and makes it where it is not there yet.
func (m *Machine) start(ctx context.Context, s registry.Server) (registry.Server, error) {
	if m.Offline != nil {
		return s, m.Offline
	}
	if s.Admin.Empty() {
		var err error
		if s, err = m.plan(ctx, s); !made(err) {
			return s, err
		}
	}
	if s.Provider == registry.InDocker {
		return m.startContainer(ctx, s)
	}
	return s, m.startCluster(ctx, s)
}

// plan records a server that is about to be made: what is made has a password that nobody else
// knows. It returns the one that is known by now, if another command was faster.
func (m *Machine) plan(ctx context.Context, s registry.Server) (registry.Server, error) {
	plan := m.planCluster
	if s.Provider == registry.InDocker {
		plan = m.planContainer
	}
	planned, refused := plan(ctx, s)
	if refused != nil {
		known, err := m.server(ctx, s.Name)
		if errors.Is(err, registry.ErrNotFound) {
			err = refused
		}
		return known, err
	}
	err := m.Change(ctx, func(reg *registry.Registry) (err error) {
		planned, err = reg.PlanServer(ctx, planned)
		return err
	})
	return planned, err
}

// planCluster says where the data of a server of this machine's programs will be, and as
// whom its administrator logs in.
func (m *Machine) planCluster(_ context.Context, s registry.Server) (registry.Server, error) {
	if _, err := m.MakeData(); err != nil {
		return s, err
	}
	id, err := m.newPlace()
	if err != nil {
		return s, err
	}
	password, err := provision.NewPassword(m.Random)
	if err != nil {
		return s, err
	}
	preferred, err := m.portForGood()
	if err != nil {
		return s, err
	}
	port, err := postgres.FreePort(preferred)
	s.Admin, s.Place = postgres.ClusterURL(port, password), &id
	return s, err
}

// newPlace is a place for data that ends in what people call the project.
func (m *Machine) newPlace() (string, error) {
	return registry.NewPlace(filepath.Base(filepath.Dir(m.Directory)), m.Random)
}

// portForGood is a port below those that systems lend to connections: one of these may be
// taken when the server is started again.
func (m *Machine) portForGood() (int, error) {
	const from, to = 20_000, 32_000
	number := make([]byte, 2)
	_, err := io.ReadFull(m.Random, number)
	return from + int(binary.BigEndian.Uint16(number))%(to-from), err
}

// Up is a server that was started.
type Up struct {
	Server  registry.Server
	Version string // of PostgreSQL
	// Moved are the tenants whose URLs lead to the server's new port. Stayed reports that the
	// server was not started there.
	Moved  []registry.TenantID
	Stayed bool
	// Missing are databases that are recorded as whole and not on the server.
	Missing []registry.Database
	Warnings
}

// Moves reports whether Up would stop a server that runs, because it is to have another port or another socket.
func (m *Machine) Moves(ctx context.Context, s registry.Server, port int) (bool, error) {
	if s.Provider != registry.LocalPrograms || s.Admin.Empty() {
		return false, nil
	}
	c, err := m.Cluster(s)
	if err != nil {
		return false, err
	}
	socket, err := c.Socket()
	if err != nil {
		return false, err
	}
	if (port == 0 || port == c.Port) && (m.Listen == nil || *m.Listen == socket) {
		return false, nil
	}
	return m.Running(ctx, s)
}

// Up starts a server, on the given port unless it is 0, and ends the old logins that are due there.
func (m *Machine) Up(ctx context.Context, s registry.Server, port int) (up Up, err error) {
	before, recorded := s.Admin, error(nil)
	if port != 0 {
		if s, recorded = m.move(ctx, s, port, &up); !made(recorded) {
			return up, recorded
		}
	}
	h, err := m.bringUp(ctx, s)
	if err == nil {
		defer h.close()
		up.Server, up.Version, up.Pooled = h.Server, h.admin.Version(), h.pooled()
		err = m.retireDue(ctx, h, &up.Warnings)
	}
	if err != nil && !s.Admin.Equal(before) { // that it moves is recorded, and its tenants' URLs lead there
		up.Stayed, err = true, afterwards(err)
	}
	if err = errors.Join(recorded, err); err != nil {
		return up, err
	}
	databases, err := m.databases(ctx)
	if err == nil {
		up.Missing, err = h.missing(ctx, databases)
	}
	return up, err
}

// move records another port for a server of this machine's programs, which takes it when it is
// started next.
func (m *Machine) move(ctx context.Context, s registry.Server, port int, up *Up) (registry.Server, error) {
	now, password, err := loginOf(s)
	if err != nil {
		return s, err
	}
	if now == port {
		return s, m.publish(ctx)
	}
	free, err := postgres.FreePort(port)
	if err == nil && free != port {
		err = fmt.Errorf("port %d: another program listens there: %w", port, postgres.ErrTaken)
	}
	if err != nil {
		return s, err
	}
	admin := postgres.ClusterURL(port, password)
	err = m.Change(ctx, func(reg *registry.Registry) (err error) {
		up.Moved, err = reg.MoveServer(ctx, s.Name, admin)
		return err
	})
	if !made(err) {
		up.Moved = nil
		return s, err
	}
	s.Admin = admin
	return s, err
}

// Use selects a server that somebody else runs for the databases of new tenants.
func (m *Machine) Use(ctx context.Context, s registry.Server) (met Warnings, err error) {
	s.Chosen = true
	if err := m.Read(ctx, func(*registry.View) error { return nil }); err != nil { // before it is told a password for nothing
		return met, err
	}
	h, err := m.bringUp(ctx, s)
	if err != nil {
		return met, err
	}
	h.close()
	met.Pooled = h.pooled()
	return met, m.changeOn(ctx, h, func(reg *registry.Registry) error { return reg.NameServer(ctx, s.Name) })
}
