package hosting

import (
	"context"

	"github.com/sp-registry/sp/internal/provision"
)

// SetReadOnly has a tenant's database that sp made only be read from now on, unless a client insists,
// or lets it be written again. Sessions that are open end.
func (m *Machine) SetReadOnly(ctx context.Context, s Subject, on bool) error {
	return m.locked(ctx, s, func(ctx context.Context, h *host, d provision.Database) error { return h.admin.SetReadOnly(ctx, d, on) })
}

// IsLive tells whether a tenant's database is there, and SetReadOnly did not make it read-only.
func (m *Machine) IsLive(ctx context.Context, s Subject) (live bool, err error) {
	err = m.locked(ctx, s, func(ctx context.Context, h *host, d provision.Database) error {
		live, err = h.admin.IsLive(ctx, d)
		return err
	})
	return live, err
}

// locked runs fn while nobody else works on a database.
func (m *Machine) locked(ctx context.Context, s Subject, fn func(context.Context, *host, provision.Database) error) error {
	h, err := m.bringUp(ctx, *s.Server)
	if err != nil {
		return err
	}
	defer h.close()
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	d, err := m.lock(ctx, h, s.Tenant.ID)
	if err != nil {
		return err
	}
	return fn(ctx, h, h.database(*d))
}
