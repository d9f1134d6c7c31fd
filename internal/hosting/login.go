package hosting

import (
	"context"
	"errors"
	"fmt"

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
	if err != nil || look != postgres.NotThere {
		return &look, err
	}
	if err := m.DataTrouble(ctx, *s); err != nil {
		return nil, fmt.Errorf("server %s: %w", s.Name, err)
	}
	return nil, &ServerError{*s, fmt.Errorf("server %s %w: %w", s.Name, ErrStopped, provision.ErrUnavailable)}
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
