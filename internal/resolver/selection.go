package resolver

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/registry"
)

// Selection is the selected tenant, nil for none; Deleted tells that it was
// deleted, which must not let another tenant slip into its place.
type Selection struct {
	Tenant  *registry.TenantID
	Deleted bool
}

// String says how the selection matters.
func (s Selection) String() string {
	switch {
	case s.Deleted:
		return "the selected tenant was deleted: session and default name nothing until another is selected"
	case s.Tenant == nil:
		return "no tenant is selected: no session is active, and the default may be of any tenant"
	default:
		return fmt.Sprintf("tenant %q is selected: its session is active, and the default has to be its own", *s.Tenant)
	}
}

// withoutSession says why there is no session.
func (s Selection) withoutSession() (string, Reason) {
	switch {
	case s.Deleted:
		return "the selected tenant was deleted", WasDeleted
	case s.Tenant == nil:
		return "no tenant is selected", NoneSelected
	default:
		return fmt.Sprintf("tenant %q has no session", *s.Tenant), NoSession
	}
}

// selection reads which tenant is selected, once.
func (q *query) selection(ctx context.Context) (Selection, error) {
	if q.selected != nil {
		return *q.selected, nil
	}
	id, err := q.reader.SelectedTenant(ctx)
	switch {
	case errors.Is(err, registry.ErrNoTenant):
		q.selected = &Selection{Deleted: true}
	case err != nil:
		return Selection{}, err
	default:
		q.selected = &Selection{Tenant: id}
	}
	return *q.selected, nil
}
