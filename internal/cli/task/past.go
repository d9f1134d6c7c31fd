package task

import (
	"context"
	"encoding/json"

	"github.com/sp-registry/sp/internal/registry"
)

// Names finds out what a tenant is called, of one that is gone what it was called last.
type Names func(registry.TenantID) TenantRef

// NamesIn returns the Names of a view. Each tenant is looked up once.
func NamesIn(ctx context.Context, view *registry.View) Names {
	known := map[registry.TenantID]TenantRef{}
	return func(id registry.TenantID) TenantRef {
		ref, found := known[id]
		if !found {
			ref = lookUp(ctx, view, id)
			known[id] = ref
		}
		return ref
	}
}

// maxLooked is in how many of the last changes that concern a tenant its removal is looked for.
const maxLooked = 3

// lookUp looks for a tenant and, where it is gone, for what removed it. A name is no reason to fail:
// what can't be found out is left open.
func lookUp(ctx context.Context, view *registry.View, id registry.TenantID) TenantRef {
	ref := TenantRef{ID: id}
	if t, err := view.Tenant(ctx, id); err == nil {
		ref.Name, ref.Kind = &t.Name, &t.Kind
		return ref
	}
	for c, err := range view.Changes(ctx, &id, registry.Page{Limit: maxLooked}) {
		if err != nil {
			break
		}
		for _, e := range c.Entries {
			if e.Entity == registry.TenantEntity && e.ID == string(id) && e.Before != nil {
				_ = json.Unmarshal(e.Before["name"], &ref.Name) // it stays open then
				_ = json.Unmarshal(e.Before["tenant_type"], &ref.Kind)
				return ref
			}
		}
	}
	return ref
}
