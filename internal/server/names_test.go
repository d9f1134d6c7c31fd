package server

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestANameTellsNothingOfOthersTenants: what is refused because somebody has that id is refused, too,
// where nobody has.
func TestANameTellsNothingOfOthersTenants(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna, bert := p.mustUser("anna", MemberRole), p.mustUser("bert", MemberRole)
	hers, his := anna.mustTenant("shop"), bert.mustTenant("his")
	nobodys := "0b0f9a26-0000-4000-8000-000000000001"
	for _, id := range []string{hers.ID, strings.ToUpper(hers.ID), nobodys} {
		refused := bert.ask("POST", "/api/v1/tenants", `{"name":"`+id+`","region":"iad"}`).refuses(422, "invalid")
		require.Equal(t, []Pointer{{"/name", "a name can't look like the id of a tenant"}}, refused.Errors)
		require.Equal(t, refused, bert.ask("PATCH", "/api/v1/tenants/"+his.ID, `{"name":"`+id+`"}`, "If-Match", "*").refuses(422, "invalid"))
	}
	for _, taken := range []string{hers.Name, hers.AppID, hers.Hostname} {
		bert.ask("POST", "/api/v1/tenants", `{"name":"`+taken+`","region":"iad"}`).is(202)
	}
}

// TestOfManyCreationsOfOneNameOneIsMade, without a key or with one each.
func TestOfManyCreationsOfOneNameOneIsMade(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	var made atomic.Int32
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			var headers []string
			if i%2 == 0 {
				headers = []string{"Idempotency-Key", "key-of-shop-0123456789" + string(rune('a'+i))}
			}
			a := anna.ask("POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`, headers...)
			if a.StatusCode == 202 {
				made.Add(1)
				return
			}
			a.refuses(409, "exists")
		})
	}
	wait.Wait()
	require.EqualValues(t, 1, made.Load())
	var all Me
	anna.ask("GET", "/api/v1/auth/me", "").is(200, &all)
	require.Len(t, all.Tenants, 1)
	u, err := p.UserNamed(t.Context(), "anna")
	require.NoError(t, err)
	require.Len(t, u.Tenants, 1, "the others left no grant")
}

func TestAnAnswerDoesNotListAllThatIsWrong(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	anna := p.mustUser("anna", MemberRole)
	wrong := strings.TrimSuffix(strings.Repeat("1,", 5_000), ",")
	refused := anna.ask("POST", "/api/v1/tokens", `{"name":"x","scopes":[`+wrong+`]}`).refuses(422, "invalid")
	require.Len(t, refused.Errors, maxPointers)
}

// TestATenantIsNotRenamedToAnotherOnesName, as none is created with it.
func TestATenantIsNotRenamedToAnotherOnesName(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna, bert := p.mustUser("anna", MemberRole), p.mustUser("bert", MemberRole)
	shop, blog := anna.mustTenant("shop"), anna.mustTenant("blog")
	bert.mustTenant("his")
	rename := func(name string) *answer {
		return anna.ask("PATCH", "/api/v1/tenants/"+blog.ID, `{"name":"`+name+`"}`, "If-Match", "*")
	}
	rename("shop").refuses(409, "exists")
	rename("blog").is(200)
	rename("his").is(200)
	anna.ask("DELETE", "/api/v1/tenants/"+shop.ID, "").is(204)
	rename("shop").is(200)
}
