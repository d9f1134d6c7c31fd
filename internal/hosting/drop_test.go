package hosting

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestWhatADropHitsIsAskedWithTheLoginThatIsNamed, as the drop itself is done with it.
func TestWhatADropHitsIsAskedWithTheLoginThatIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.Create(s.ctx(), newTenant(id), s.server(), Extras{Databases: true})
	require.NoError(t, err)
	url, d := s.url(id), *s.known(id).Database
	_, err = s.reg.CreateTenant(s.ctx(), registry.NewTenant{Tenant: registry.Tenant{ID: "tests", Name: "tests", Kind: registry.Local, DatabaseURL: &url}})
	require.NoError(t, err)
	openSession(t, url, "shop")
	stale := s.server()
	stale.Admin, err = pgurl.WithPassword(stale.Admin, secret.New("stale"))
	require.NoError(t, err)
	require.NoError(t, s.reg.UpdateServer(s.ctx(), stale))

	hit, err := s.HitBy(s.ctx(), d, Wanted{})
	require.NoError(t, err)
	require.Equal(t, registry.TenantID("tests"), hit.Sharers[0].ID)
	require.False(t, hit.Answered)
	named := pgtest.Server(t)
	hit, err = s.HitBy(s.ctx(), d, Wanted{Admin: &named})
	require.NoError(t, err)
	require.Len(t, hit.Sharers, 1)
	require.Equal(t, provision.Uses{{Application: "shop", Sessions: 1}}, hit.Uses)
	require.Equal(t, []string{"test_" + d.Name, "shadow_" + d.Name}, hit.Extras)

	require.NoError(t, s.reg.UpdateServer(s.ctx(), s.server()))
	s.mustDelete(id)
}
