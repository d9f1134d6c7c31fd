package hosting

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// While a server that sp runs is stopped, anybody on this machine can listen on its port. So
// sp logs in there only while its own server runs, as far as that can be seen, and demands
// SCRAM, by which who listens learns no password.

// Look checks the server that a URL leads to, if sp runs it; otherwise it returns nil. A server
// that is not there is an error.
func (m *Machine) Look(ctx context.Context, url secret.Secret) (*postgres.Look, error) {
	s, err := m.ownServerOf(ctx, url)
	if err != nil || s == nil {
		return nil, err
	}
	if err := CheckWithheld(*s); err != nil {
		return nil, fmt.Errorf("server %s: %w", s.Name, err)
	}
	look, err := m.look(ctx, *s)
	if err == nil && look == postgres.Frozen {
		err = m.unfit(ctx, *s, postgres.ErrFrozen)
	}
	if err != nil || look != postgres.NotThere {
		return &look, err
	}
	if err := m.DataTrouble(ctx, *s); err != nil {
		return nil, fmt.Errorf("server %s: %w", s.Name, err)
	}
	return nil, &ServerError{*s, fmt.Errorf("server %s %w: %w", s.Name, ErrStopped, provision.ErrUnavailable)}
}

// How long is waited for a server that starts or recovers, and for one that stops.
const (
	startingWithin = 30 * time.Second
	stoppingWithin = 10 * time.Second
)

// Await checks as Look does, and waits while the server starts, recovers or stops: another command may be at it, and
// a client that came now would be refused. If it takes nobody after that, it is an error.
func (m *Machine) Await(ctx context.Context, url secret.Secret) (*postgres.Look, error) {
	const pause, patience = 50 * time.Millisecond, time.Second
	told := false
	for waited := time.Duration(0); ; waited += pause {
		look, err := m.Look(ctx, url)
		if err != nil || look == nil {
			return look, err
		}
		switch {
		case *look == postgres.Starting && waited < startingWithin, *look == postgres.Stopping && waited < stoppingWithin:
		case *look == postgres.Starting, *look == postgres.Stopping:
			return look, m.refuses(ctx, url, *look)
		default:
			return look, nil
		}
		if !told && waited > patience {
			told = true
			m.say("waiting for the server, which starts or stops")
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return look, context.Cause(ctx)
		}
	}
}

// refuses says why a server takes nobody that seems to be starting or stopping. One that starts is asked: on a full
// disk it can't write down that it has.
func (m *Machine) refuses(ctx context.Context, url secret.Secret, seen postgres.Look) error {
	s, err := m.ownServerOf(ctx, url)
	if err != nil || s == nil {
		return err
	}
	if seen == postgres.Stopping {
		return m.unfit(ctx, *s, postgres.ErrUnended)
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if _, err := provision.Check(ctx, url); provision.IsStarting(err) {
		return m.unfit(ctx, *s, ErrStarting)
	}
	return nil
}

// unfit is why a server of sp's takes nobody, with the processes that are in the way.
func (m *Machine) unfit(ctx context.Context, s registry.Server, why error) error {
	c, err := m.Cluster(s)
	if err != nil {
		return err
	}
	users, err := c.Users(ctx)
	if err != nil {
		return err
	}
	return &ServerError{s, fmt.Errorf("server %s: %s: %w", s.Name, postgres.Processes(users), why)}
}

func (m *Machine) look(ctx context.Context, s registry.Server) (postgres.Look, error) {
	r, err := m.runnerOf(s)
	if errors.Is(err, postgres.ErrNone) { // as from within a container
		return postgres.Unseen, nil
	}
	if err != nil {
		return postgres.NotThere, err
	}
	return r.Look(ctx)
}

// ownServerOf returns the server that sp runs to which a URL leads, nil if there is none.
func (m *Machine) ownServerOf(ctx context.Context, url secret.Secret) (own *registry.Server, err error) {
	err = m.Read(ctx, func(view *registry.View) error {
		servers, err := view.Servers(ctx)
		for _, s := range servers {
			if own == nil && s.Serves(url) {
				own = &s
			}
		}
		return err
	})
	return own, err
}
