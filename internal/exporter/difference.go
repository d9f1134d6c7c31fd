package exporter

import (
	"context"
	"errors"
	"io"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// Difference is what a file and the registry say differently of one tenant.
type Difference struct {
	ID registry.TenantID
	// Members are the names of those whose values differ; none when only one side
	// has the tenant.
	Members []string
	// Only names the one side that has the tenant: "file" or "registry".
	Only string
}

// errEnough ends a comparison that found as much as was asked for.
var errEnough = errors.New("enough")

// Differences compares the tenants of a file with the registry's and returns the
// first limit differences, in names, never values.
func Differences(ctx context.Context, view *registry.View, file io.Reader, limit int) ([]Difference, error) {
	var found []Difference
	note := func(d Difference) error {
		found = append(found, d)
		if len(found) == limit {
			return errEnough
		}
		return nil
	}
	inFile := map[registry.TenantID]bool{}
	_, err := Decode(file, func(t registry.Tenant, _ jsontext.Place) error {
		inFile[t.ID] = true
		known, err := view.Tenant(ctx, t.ID)
		if errors.Is(err, registry.ErrNotFound) {
			return note(Difference{ID: t.ID, Only: "file"})
		}
		if err != nil {
			return err
		}
		if members := known.Differing(t); len(members) > 0 {
			return note(Difference{ID: t.ID, Members: members})
		}
		return nil
	})
	if err == nil {
		err = onlyInRegistry(ctx, view, inFile, note)
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return found, err
}

func onlyInRegistry(ctx context.Context, view *registry.View, inFile map[registry.TenantID]bool, note func(Difference) error) error {
	for t, err := range view.Tenants(ctx, registry.Page{}) {
		if err != nil {
			return err
		}
		if !inFile[t.ID] {
			if err := note(Difference{ID: t.ID, Only: "registry"}); err != nil {
				return err
			}
		}
	}
	return nil
}
