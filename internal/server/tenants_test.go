package server

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

func TestWhoCreatesATenantHasItMaskedAndNobodyElse(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna, bert := p.mustUser("anna", MemberRole), p.mustUser("bert", MemberRole)
	made := anna.mustTenant("shop")
	require.Equal(t, "pending", made.Status)
	require.Equal(t, "iad", made.Region)
	require.Equal(t, strings.ReplaceAll(made.ID, "-", "")[:12]+".example.org", made.Hostname)
	p.mustReady(made.ID)

	var mine Me
	listed := anna.ask("GET", "/api/v1/auth/me", "").is(200, &mine)
	require.Len(t, mine.Tenants, 1)
	require.Equal(t, "active", mine.Tenants[0].Status)
	require.Contains(t, mine.Tenants[0].DatabaseURL, ":***@db.example.org")
	require.NotContains(t, string(listed.text), "canary")

	var his Me
	bert.ask("GET", "/api/v1/auth/me", "").is(200, &his)
	require.Empty(t, his.Tenants)
	for _, path := range []string{"", "/status", "/events", "/credentials"} {
		bert.ask("GET", "/api/v1/tenants/"+made.ID+path, "").refuses(404, "not_found")
	}
	bert.ask("DELETE", "/api/v1/tenants/"+made.ID, "").refuses(404, "not_found")
	bert.ask("POST", "/api/v1/tenants/"+made.ID+"/rotate-credentials", "").refuses(404, "not_found")

	require.NoError(t, p.Grant(t.Context(), "bert", registry.TenantID(made.ID), true))
	bert.ask("GET", "/api/v1/tenants/"+made.ID, "").is(200)
	require.NoError(t, p.Grant(t.Context(), "bert", registry.TenantID(made.ID), false))
	bert.ask("GET", "/api/v1/tenants/"+made.ID, "").refuses(404, "not_found")
}

func TestACreationIsRefusedWithThePlaceThatIsWrong(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	anna := p.mustUser("anna", MemberRole)
	none := anna.ask("POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`).refuses(422, "invalid")
	require.Contains(t, none.Detail, "no region yet")
	p.mustRegion("iad", "db.example.org")
	p.mustRegion("lhr", "db2.example.org")
	for body, pointer := range map[string]string{
		`{"name":"shop","region":"idd"}`:                             "/region",
		`{"name":"shop"}`:                                            "",
		`{"name":"","region":"iad"}`:                                 "/name",
		`{"name":7,"region":"iad"}`:                                  "/name",
		`{"name":"x","region":"iad","external_db_access":null}`:      "/external_db_access",
		`{"name":"shop","region":"iad","color":"red"}`:               "/color",
		`{"name":"` + strings.Repeat("a", 256) + `","region":"iad"}`: "/name",
	} {
		refused := anna.ask("POST", "/api/v1/tenants", body).refuses(422, "invalid")
		require.Len(t, refused.Errors, 1, body)
		require.Equal(t, pointer, refused.Errors[0].Pointer, body)
	}
	unknown := anna.ask("POST", "/api/v1/tenants", `{"name":"shop","region":"idd"}`).refuses(422, "invalid")
	require.Contains(t, unknown.Detail, "iad, lhr")
	anna.ask("POST", "/api/v1/tenants", `{"name":`).refuses(400, "invalid")
	anna.ask("POST", "/api/v1/tenants", `{"name":"`+strings.Repeat("a", smallBody)+`"}`).refuses(413, "invalid")
	anna.ask("POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`, "Idempotency-Key", "short").refuses(422, "invalid")
	empty := anna.ask("POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`, "Idempotency-Key", "").refuses(422, "invalid")
	require.Equal(t, "Idempotency-Key", empty.Errors[0].Pointer)
	anna.mustTenant("shop")
	anna.ask("POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`).refuses(409, "exists")
	p.mustUser("bert", MemberRole).mustTenant("shop") // whose name that is, is nobody else's business
}

func TestTheSameKeyMakesOneTenant(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	first := anna.mustTenant("shop")
	require.Equal(t, first, anna.mustTenant("shop"))
	anna.ask("POST", "/api/v1/tenants", `{"name":"other","region":"iad"}`, "Idempotency-Key", "key-of-shop-0123456789").refuses(422, "invalid")

	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for {
				a := anna.ask("POST", "/api/v1/tenants", `{"name":"race","region":"iad"}`, "Idempotency-Key", "key-of-race-0123456789")
				if a.StatusCode != 409 {
					a.is(202)
					return
				}
				require.Equal(t, "1", a.Header.Get("Retry-After"))
			}
		})
	}
	wait.Wait()
	var mine Me
	anna.ask("GET", "/api/v1/auth/me", "").is(200, &mine)
	require.Len(t, mine.Tenants, 2)
	p.mustUser("bert", MemberRole).ask("POST", "/api/v1/tenants", `{"name":"his","region":"iad"}`, "Idempotency-Key", "key-of-shop-0123456789").is(202)

	other := func() *answer {
		return anna.ask("POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`, "Idempotency-Key", "key-of-another-shop-01")
	}
	other().refuses(409, "exists")
	anna.ask("DELETE", "/api/v1/tenants/"+first.ID, "").is(204)
	other().is(202) // a tenant that is being deleted has let go of its name
	require.NoError(t, p.change(t.Context(), func(reg *registry.Registry) error {
		_, err := reg.DeleteTenant(t.Context(), registry.Deletion{ID: registry.TenantID(first.ID), Dropped: true})
		return err
	}))
	anna.ask("POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`, "Idempotency-Key", "key-of-shop-0123456789").refuses(404, "not_found")
	p.clock.pass(25 * time.Hour)
	require.NoError(t, p.sweep(t.Context()))
	anna.ask("POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`, "Idempotency-Key", "key-of-shop-0123456789").refuses(409, "exists")
}

// TestACallWhoseProcessDiedIsGoneOnWith cuts a creation behind each of its steps.
func TestACallWhoseProcessDiedIsGoneOnWith(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	who, err := p.admit(t.Context(), "Bearer "+anna.token, bearerScheme, []string{"write"})
	require.NoError(t, err)
	ctx := context.WithValue(t.Context(), principalKey, who)
	steps := []func(id registry.TenantID, r tenantRequest) error{
		func(registry.TenantID, tenantRequest) error { return nil },
		func(id registry.TenantID, _ tenantRequest) error { return p.grantTo(ctx, id) },
		func(id registry.TenantID, r tenantRequest) error {
			return p.change(ctx, func(reg *registry.Registry) error { return p.plan(ctx, reg, id, r) })
		},
	}
	for cut := range len(steps) + 1 {
		name, id := fmt.Sprint("shop", cut), registry.TenantID(fmt.Sprint("0b0f9a26-0000-4000-8000-00000000000", cut))
		request := tenantRequest{Name: name, Region: "iad"}
		c := call{operation: "tenant.create", key: "key-of-" + name + "-0123456789", request: request, tenant: id}
		_, again, err := p.begin(ctx, c)
		require.NoError(t, err)
		require.False(t, again)
		for _, step := range steps[:cut] {
			require.NoError(t, step(id, request))
		}
		anna.ask("POST", "/api/v1/tenants", `{"name":"`+name+`","region":"iad"}`, "Idempotency-Key", c.key).refuses(409, "busy")

		p.calls.release(c.id(ctx)) // another process has nothing in hand
		require.EqualValues(t, id, anna.mustTenant(name).ID)
		require.EqualValues(t, id, anna.mustTenant(name).ID)
		var mine Me
		anna.ask("GET", "/api/v1/auth/me", "").is(200, &mine)
		require.Len(t, mine.Tenants, cut+1)
	}
}

func TestAnEditNamesTheVersionThatItIsMadeFrom(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	path := "/api/v1/tenants/" + anna.mustTenant("shop").ID
	version := anna.ask("GET", path, "").is(200).Header.Get("ETag")
	anna.ask("PATCH", path, `{"name":"store"}`).refuses(428, "invalid")
	var edited data[Tenant]
	after := anna.ask("PATCH", path, `{"name":"store"}`, "If-Match", version).is(200, &edited).Header.Get("ETag")
	require.Equal(t, "store", edited.Data.Name)
	require.NotEqual(t, version, after)
	anna.ask("PATCH", path, `{"name":"shop"}`, "If-Match", version).refuses(412, "conflict")
	anna.ask("PATCH", path, `{"id":"x"}`, "If-Match", after).refuses(422, "invalid")
	anna.ask("PATCH", path, `{"external_db_access":true}`, "If-Match", after).is(200, &edited)
	require.True(t, edited.Data.External)
}

func TestACancelledTenantIsKeptForAWhile(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustClosedRegion("iad")
	anna := p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	p.mustReady(made.ID)
	path := "/api/v1/tenants/" + made.ID
	require.Equal(t, "null", strings.TrimSpace(string(anna.ask("POST", path+"/subscription/cancel", "").is(200).text)))
	var now data[Tenant]
	version := anna.ask("GET", path, "").is(200, &now).Header.Get("ETag")
	require.Equal(t, "suspended", now.Data.Status)
	require.Equal(t, "canceled", now.Data.Subscription)
	anna.ask("PATCH", path, `{}`, "If-Match", version).is(200, &now)
	require.Equal(t, "active", now.Data.Status)

	anna.ask("POST", path+"/subscription/cancel", "").is(200)
	p.clock.pass(retention - time.Second)
	jobs, _, err := p.due(t.Context())
	require.NoError(t, err)
	require.Equal(t, "make its database read-only", jobs[0].doing)
	p.clock.pass(time.Second)
	jobs, _, err = p.due(t.Context())
	require.NoError(t, err)
	require.Equal(t, "delete it", jobs[0].doing)
	require.ErrorIs(t, jobs[0].step(t.Context()), provision.ErrUnavailable, "it is looked at first, and does not answer")
	anna.ask("GET", path, "").is(200, &now)
	require.Equal(t, "suspended", now.Data.Status)
}

func TestAListWithoutAChangeIsNotSentAgain(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	root, anna := p.mustUser("root", AdminRole), p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	tag := anna.ask("GET", "/api/v1/auth/me", "").is(200).Header.Get("ETag")
	require.Empty(t, anna.ask("GET", "/api/v1/auth/me", "", "If-None-Match", tag).is(304).text)
	changes := []func(){
		func() { anna.mustTenant("second") },
		func() { require.NoError(t, p.Grant(t.Context(), "anna", registry.TenantID(made.ID), true)) },
		func() { anna.ask("POST", "/api/v1/tenants/"+made.ID+"/subscription/cancel", "").is(200) },
		func() { anna.ask("DELETE", "/api/v1/tenants/"+made.ID, "").is(204) },
	}
	for i, change := range changes {
		change()
		next := anna.ask("GET", "/api/v1/auth/me", "", "If-None-Match", tag).is(200).Header.Get("ETag")
		require.NotEqual(t, tag, next, i)
		tag = next
	}
	var all Me
	root.ask("GET", "/api/v1/auth/me", "").is(200, &all)
	require.Len(t, all.Tenants, 2)
	var brief data[[]TenantBrief]
	root.ask("GET", "/api/v1/tenants", "").is(200, &brief)
	require.Len(t, brief.Data, 2)
}

// TestAListOfManyIsWhole and the same for all who may use every tenant, but for who asks.
func TestAListOfManyIsWhole(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	const many = 2*pageSize + 1
	p.mustFill(many)
	root, rosa, anna := p.mustUser("root", AdminRole), p.mustUser("rosa", AdminRole), p.mustUser("anna", MemberRole)
	mine := anna.mustTenant("shop")
	for _, c := range []*client{root, rosa, root} {
		var all Me
		c.ask("GET", "/api/v1/auth/me", "").is(200, &all)
		require.Equal(t, c.user.Name, all.User.Name)
		require.Len(t, all.Tenants, many+1)
		require.Equal(t, "shop0", all.Tenants[0].Name)
		require.Equal(t, "active", all.Tenants[many-1].Status)
		require.Equal(t, mine, all.Tenants[many])
	}
	require.Len(t, p.lists.known, 1)
	var hers Me
	anna.ask("GET", "/api/v1/auth/me", "").is(200, &hers)
	require.Equal(t, []Tenant{mine}, hers.Tenants)
	p.mustChange()
	var all Me
	rosa.ask("GET", "/api/v1/auth/me", "").is(200, &all)
	require.NotEqual(t, "shop0", all.Tenants[0].Name)
}
