package exporter

import (
	"context"
	"errors"
	"io"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// Standing says how a file stands to the registry that it shows.
type Standing string

// How a file can stand to the registry.
const (
	Untracked Standing = "untracked" // sp has not written it
	Missing   Standing = "missing"   // sp wrote it, and it is gone
	Current   Standing = "current"   // it shows the registry as it is
	Behind    Standing = "behind"    // it shows the registry as it was
	Changed   Standing = "changed"   // somebody else wrote it
)

// Standing returns how the publisher's file stands, without rendering it.
func (p Publisher) Standing(ctx context.Context, view *registry.View) (Standing, error) {
	file, state, err := p.record(ctx, view)
	if err != nil {
		return "", err
	}
	if file == nil {
		return Untracked, nil
	}
	left, err := leftovers(p.Path) // before the look: a command may be putting its file in place just now
	if err != nil {
		return "", err
	}
	there, err := p.look(file, view)
	switch {
	case err != nil:
		return "", err
	case there.hash == "":
		return Missing, nil
	case there.hash == file.Current && file.TenantsRevision == state.TenantsRevision:
		return Current, nil
	case there.isOurs(file, left):
		return Behind, nil
	}
	return Changed, nil
}

// IsChanged tells whether somebody else wrote the publisher's file, which the registry
// remembers. Within a change: nobody puts that in place meanwhile.
func (p Publisher) IsChanged(ctx context.Context, view *registry.View) (bool, error) {
	file, err := view.File(ctx, p.Name)
	if err != nil || file == nil {
		return false, err
	}
	there, err := p.look(file, view)
	if err != nil || there.hash == "" || there.hash == file.Current {
		return false, err
	}
	left, err := leftovers(p.Path)
	return err == nil && !there.isOurs(file, left), err
}

// IsSettled tells, by the registry's record and the file's stamp and without reading
// it, that the tracked file is current and that no command left anything to do. If not,
// it may be so all the same.
func (p Publisher) IsSettled(ctx context.Context, view *registry.View) (bool, error) {
	file, state, err := p.record(ctx, view)
	if err != nil || !p.shows(file, state) || file.Stamp == "" {
		return false, err
	}
	left, err := leftovers(p.Path)
	return err == nil && len(left) == 0 && isStamped(p.Path, file), err
}

// IsCurrent tells whether the publisher's file holds the bytes that it would get now.
func (p Publisher) IsCurrent(ctx context.Context, view *registry.View) (bool, error) {
	file, state, err := p.record(ctx, view)
	if err != nil {
		return false, err
	}
	there, err := lookAt(p.Path, file)
	if err != nil || there.hash == "" {
		return false, err
	}
	if p.shows(file, state) && there.hash == file.Current {
		return true, nil
	}
	return p.isSame(ctx, view, state.Document, there)
}

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
