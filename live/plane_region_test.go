package live

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
)

// TestARegionThatComesBackHealsByItself: what was asked for while its server let nobody in is made.
func TestARegionThatComesBackHealsByItself(t *testing.T) {
	t.Parallel()
	h := newHost(t, "region_back")
	h.addRegion("iad", h.admin)
	anna := h.user("anna", "member", "read,write,secrets")
	h.start()
	pgtest.Exec(t, h.super, `ALTER ROLE live_region_back NOLOGIN`)
	id := h.ask(anna, 202, "POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`).member("data.id")
	h.awaitTrouble(anna, id, "not permitted to log in")
	pgtest.Exec(t, h.super, `ALTER ROLE live_region_back LOGIN`)
	told := string(h.ask(anna, 200, "GET", "/api/v1/tenants/"+id+"/events", "").text)
	require.Contains(t, told, "try 1: ")
	require.Contains(t, told, "tenant_ready")
	require.NotContains(t, told+h.plane.said.String(), passwordOf(h.admin).Reveal())
	require.True(t, opens(h.url(anna, id)))
	require.Equal(t, "<nil>", h.ask(anna, 200, "GET", "/api/v1/tenants/"+id+"/status", "").member("data.message"))
	h.agree()
}

// TestATenantThatFailedCanBeBegunAgain as often as somebody asks for it.
func TestATenantThatFailedCanBeBegunAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t, "region_failed")
	h.addRegion("iad", h.admin)
	anna := h.user("anna", "member", "read,write,secrets")
	h.start()
	pgtest.Exec(t, h.super, `ALTER ROLE live_region_failed NOCREATEDB`)
	id := h.ask(anna, 202, "POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`).member("data.id")
	path := "/api/v1/tenants/" + id
	h.awaitTrouble(anna, id, "the role has no CREATEDB")
	harness.Mess(t, h.dir()+"/serve.db", fmt.Sprintf(`UPDATE troubles SET failures = 9, next_at = 0 WHERE tenant_id = '%s'`, id))
	told := string(h.ask(anna, 200, "GET", path+"/events", "").text)
	require.Contains(t, told, "provisioning_failed")
	require.NotContains(t, told, passwordOf(h.admin).Reveal())
	require.Equal(t, "failed", h.ask(anna, 200, "GET", path+"/status", "").member("data.status"))
	h.ask(anna, 423, "GET", path+"/credentials", "")

	require.Equal(t, "provisioning", h.ask(anna, 200, "POST", path+"/retry-provision", "").member("status"))
	h.awaitTrouble(anna, id, "the role has no CREATEDB")
	pgtest.Exec(t, h.super, `ALTER ROLE live_region_failed CREATEDB`)
	h.awaitReady(anna, id)
	require.True(t, opens(h.url(anna, id)))
	h.agree()
}

// awaitTrouble waits until the status of a tenant says what is wrong with its database.
func (h *host) awaitTrouble(who account, id, why string) {
	h.t.Helper()
	h.await(func() bool {
		return strings.Contains(h.ask(who, 200, "GET", "/api/v1/tenants/"+id+"/status", "").member("data.message"), why)
	})
}
