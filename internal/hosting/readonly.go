package hosting

import "context"

// SetReadOnly has a tenant's database that sp made only be read from now on, unless a client insists,
// or lets it be written again. Sessions that are open end.
func (m *Machine) SetReadOnly(ctx context.Context, s Subject, on bool) error {
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
	return h.admin.SetReadOnly(ctx, h.database(*d), on)
}
