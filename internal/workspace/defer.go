package workspace

import (
	"context"

	"github.com/sp-registry/sp/internal/registry"
)

// Defer stands in for Publish where the file is to stay as it is. All it does is
// to remember content that this very change took into the registry: the file is
// then ours, and behind.
func (p Publisher) Defer(ctx context.Context, view *registry.View) (Publication, error) {
	if p.Read == "" {
		return Publication{}, nil
	}
	state, err := view.State(ctx)
	if err != nil {
		return Publication{}, err
	}
	publication := sweep(nil)
	publication.Files = []registry.File{{
		Path: p.Name, Previous: p.Read, Current: p.Read, TenantsRevision: state.TenantsRevision - 1,
	}}
	return publication, nil
}
