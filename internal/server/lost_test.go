package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestARegionThatIsLostIsForgottenWithItsTenants: also with those that are being deleted, and all of it is in
// the audit.
func TestARegionThatIsLostIsForgottenWithItsTenants(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	nobody, err := registry.ServerAt(secret.New("postgres://admin:canary-admin@127.0.0.1:1/postgres"))
	require.NoError(t, err)
	require.NoError(t, p.addRegion(t.Context(), "iad", nobody))
	anna := p.mustUser("anna", MemberRole)
	kept, going := anna.mustTenant("shop").ID, anna.mustTenant("blog").ID
	p.mustReady(kept)
	anna.ask("DELETE", "/api/v1/tenants/"+going, "").is(204)
	p.mustRegion("lhr", "db.example.org")

	lost, err := p.LostRegion(t.Context(), "iad")
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:1", lost.Server)
	require.Len(t, lost.Tenants, 2)
	_, err = p.ForgetRegion(t.Context(), "iad")
	require.NoError(t, err)

	for _, id := range []string{kept, going} {
		anna.ask("GET", "/api/v1/tenants/"+id, "").refuses(404, "not_found")
	}
	u, err := p.UserNamed(t.Context(), "anna")
	require.NoError(t, err)
	require.Empty(t, u.Tenants)
	regions, err := p.Regions(t.Context())
	require.NoError(t, err)
	require.Equal(t, "lhr", regions[0].Code)
	require.Len(t, regions, 1)
	acts, err := p.Acts(t.Context(), ActsAsked{Limit: 3})
	require.NoError(t, err)
	require.Equal(t, []string{"region.remove iad", "tenant.forget iad", "tenant.forget iad"}, []string{
		acts[0].Action + " " + acts[0].Target, acts[1].Action + " " + acts[1].Target, acts[2].Action + " " + acts[2].Target,
	})
	require.ElementsMatch(t, []string{kept, going}, []string{acts[1].Tenant, acts[2].Tenant})
	_, err = p.LostRegion(t.Context(), "iad")
	require.ErrorIs(t, err, registry.ErrNotFound)
}

// TestARegionThatAnswersIsNotLost: its tenants can be deleted with their databases.
func TestARegionThatAnswersIsNotLost(t *testing.T) {
	t.Parallel()
	admin := pgtest.Server(t)
	p := mustPlane(t)
	_, _, err := p.AddRegion(t.Context(), "iad", admin)
	require.NoError(t, err)
	_, err = p.LostRegion(t.Context(), "iad")
	require.ErrorIs(t, err, registry.ErrInUse)
	acts, err := p.Acts(t.Context(), ActsAsked{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []string{"region.remove", "iad", "in_use"}, []string{acts[0].Action, acts[0].Target, acts[0].Outcome})
}
