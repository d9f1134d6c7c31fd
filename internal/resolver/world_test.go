package resolver_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

var ctx = context.Background()

// canary is in every secret of these tests and must be in no text.
const canary = "c4n4ry"

func secretURL(host string) *secret.Secret {
	return new(secret.New("postgres://u:" + canary + "@" + host + "/db"))
}

// world is a Reader of maps. It can say what the schema cannot hold.
type world struct {
	tenants  map[registry.TenantID]registry.Tenant
	profiles map[string]registry.TenantID
	sessions map[registry.TenantID]string
	selected *registry.TenantID
	deleted  bool
	standing *string

	reads []string // in order
	most  int      // the most profiles asked for at once
	fails string   // the read that fails
}

var errDisk = errors.New("disk on fire")

func (w *world) read(name string) error {
	w.reads = append(w.reads, name)
	if w.fails == name {
		return errDisk
	}
	return nil
}

func (w *world) Tenant(_ context.Context, id registry.TenantID) (registry.Tenant, error) {
	if err := w.read("Tenant"); err != nil {
		return registry.Tenant{}, err
	}
	t, ok := w.tenants[id]
	if !ok {
		return t, fmt.Errorf("tenant %s: %w", id, registry.ErrNotFound)
	}
	return t, nil
}

func (w *world) Profile(_ context.Context, name string) (registry.Profile, error) {
	if err := w.read("Profile"); err != nil {
		return registry.Profile{}, err
	}
	tenant, ok := w.profiles[name]
	if !ok {
		return registry.Profile{}, fmt.Errorf("profile %s: %w", name, registry.ErrNotFound)
	}
	return registry.Profile{Name: name, Tenant: tenant}, nil
}

func (w *world) ProfilesOf(_ context.Context, tenant *registry.TenantID, limit int) ([]registry.Profile, error) {
	if err := w.read("ProfilesOf"); err != nil {
		return nil, err
	}
	w.most = max(w.most, limit)
	var profiles []registry.Profile
	for _, name := range slices.Sorted(maps.Keys(w.profiles)) {
		if tenant == nil || *tenant == w.profiles[name] {
			profiles = append(profiles, registry.Profile{Name: name, Tenant: w.profiles[name]})
		}
	}
	return profiles[:min(limit, len(profiles))], nil
}

func (w *world) SelectedTenant(context.Context) (*registry.TenantID, error) {
	if err := w.read("SelectedTenant"); err != nil {
		return nil, err
	}
	if w.deleted {
		return nil, fmt.Errorf("it was deleted: %w", registry.ErrNoTenant)
	}
	return w.selected, nil
}

func (w *world) ActiveSession(context.Context) (*registry.Session, error) {
	if err := w.read("ActiveSession"); err != nil {
		return nil, err
	}
	if w.deleted || w.selected == nil {
		return nil, nil
	}
	name, ok := w.sessions[*w.selected]
	if !ok {
		return nil, nil
	}
	return &registry.Session{Tenant: *w.selected, Profile: name}, nil
}

func (w *world) DefaultProfile(context.Context) (*string, error) {
	if err := w.read("DefaultProfile"); err != nil {
		return nil, err
	}
	return w.standing, nil
}

func mustNotRead(t *testing.T) func(string) (string, *registry.TenantID, error) {
	return func(path string) (string, *registry.TenantID, error) {
		t.Errorf("%s was read", path)
		return "", nil, nil
	}
}
