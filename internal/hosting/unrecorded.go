package hosting

import (
	"context"
	"slices"

	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// Unrecorded returns the databases on a server of sp's that are recorded for no tenant: those that were kept when
// their tenants were deleted, and those that somebody made. Of a server that does not run, they are not known.
func (m *Machine) Unrecorded(ctx context.Context, s registry.Server, databases []registry.Database) (names []string, known bool) {
	if running, err := m.Running(ctx, s); err != nil || !running {
		return nil, false
	}
	admin, err := m.answering(ctx, s)
	if err != nil {
		return nil, false
	}
	h := &host{s, admin}
	defer h.close()
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if names, err = admin.Databases(ctx); err != nil {
		return nil, false
	}
	for _, d := range databases {
		for _, its := range append((provision.Database{Name: d.Name}).Extras(), provision.Database{Name: d.Name}) {
			names = slices.DeleteFunc(names, func(name string) bool { return d.Server == s.Name && name == its.Name })
		}
	}
	return names, true
}
