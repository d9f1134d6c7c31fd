package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/db/queries"
)

// maxCandidates bounds how many tenants an ambiguous reference names.
const maxCandidates = 10

// FindTenant returns the one tenant that ref means: the one with that id or,
// failing that, the only one that has it as its name or as the start of its id.
func (v *View) FindTenant(ctx context.Context, ref string) (Tenant, error) {
	if ref == "" {
		return Tenant{}, fmt.Errorf("tenant: empty id: %w", ErrInvalid)
	}
	tenant, err := v.Tenant(ctx, TenantID(ref))
	if !errors.Is(err, ErrNotFound) {
		return tenant, err
	}
	candidates, err := v.candidates(ctx, ref)
	switch {
	case err != nil:
		return Tenant{}, err
	case len(candidates) == 0:
		return Tenant{}, fmt.Errorf("tenant %s: %w", shown(ref), ErrNotFound)
	case len(candidates) > 1:
		return Tenant{}, fmt.Errorf("tenant %s: more than one matches: %s: %w", shown(ref), listIDs(candidates), ErrInvalid)
	}
	return v.Tenant(ctx, candidates[0])
}

func listIDs(ids []TenantID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return strings.Join(texts, ", ")
}

func (v *View) candidates(ctx context.Context, ref string) ([]TenantID, error) {
	found, err := v.tenantsNamed(ctx, ref, maxCandidates)
	if err != nil {
		return nil, err
	}
	// Ids that start with ref lie together, in the order of bytes, from ref on.
	ids, err := v.q.TenantIDsFrom(ctx, queries.TenantIDsFromParams{Prefix: ref, Size: maxCandidates})
	for _, id := range ids {
		if strings.HasPrefix(id, ref) && !slices.Contains(found, TenantID(id)) {
			found = append(found, TenantID(id))
		}
	}
	return found, err
}

func (v *View) tenantsNamed(ctx context.Context, name string, limit int64) ([]TenantID, error) {
	ids, err := v.q.TenantIDsNamed(ctx, queries.TenantIDsNamedParams{Name: name, Size: limit})
	found := make([]TenantID, len(ids))
	for i, id := range ids {
		found[i] = TenantID(id)
	}
	return found, err
}
