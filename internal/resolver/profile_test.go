package resolver_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

// TestProfileIsTheOneThatResolveWorksIn over all combinations, with the same refusals.
func TestProfileIsTheOneThatResolveWorksIn(t *testing.T) {
	t.Parallel()
	found := 0
	for _, c := range combinations() {
		connection, refused := resolver.Resolve(ctx, c.world(), c.request())
		profile, err := resolver.Profile(ctx, c.world(), c.request())
		if refused != nil {
			require.EqualError(t, err, refused.Error(), c)
			continue
		}
		require.NoError(t, err, c)
		require.Equal(t, *connection.Profile, profile, c)
		found++
	}
	require.Positive(t, found)
}

// TestProfileNeedsNoURL: what is only to be written into its files has no use for one.
func TestProfileNeedsNoURL(t *testing.T) {
	t.Parallel()
	w := home()
	w.tenants[tenantA] = registry.Tenant{ID: tenantA, Kind: registry.Local}
	_, err := resolver.Resolve(ctx, w, flag("a1"))
	require.ErrorIs(t, err, registry.ErrNoURL)
	profile, err := resolver.Profile(ctx, w, flag("a1"))
	require.NoError(t, err)
	require.Equal(t, "a1", profile.Name)
}
