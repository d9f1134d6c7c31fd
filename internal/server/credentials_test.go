package server

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestAFileOfTheControlPlanesMachineIsInNoURL that is answered, where a region's URL names one.
func TestAFileOfTheControlPlanesMachineIsInNoURL(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	url := secret.New("postgres://sp_x_a:canary-" + made.ID + "@db.example.org:5432/sp_x?sslmode=verify-full&sslrootcert=/etc/ca.pem")
	require.NoError(t, p.change(t.Context(), func(reg *registry.Registry) error {
		_, err := reg.PublishCredentials(t.Context(), registry.Credentials{Tenant: registry.TenantID(made.ID), URL: url, Login: registry.LoginA})
		return err
	}))
	var found Credentials
	anna.ask("GET", "/api/v1/tenants/"+made.ID+"/credentials", "").is(200, &found)
	require.True(t, strings.HasSuffix(found.InternalURL, "@db.example.org:5432/sp_x?sslmode=verify-full"))
}
