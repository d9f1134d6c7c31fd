package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// takings are the ways in which somebody loses a tenant, with what is answered then.
var takings = map[string]struct {
	take   func(ctx context.Context, p *plane, from *client, tenant registry.TenantID) error
	status int
}{
	"no grant": {func(ctx context.Context, p *plane, from *client, tenant registry.TenantID) error {
		return p.Grant(ctx, from.user.Name, tenant, false)
	}, 404},
	"not active": {func(ctx context.Context, p *plane, from *client, _ registry.TenantID) error {
		_, err := p.EditUser(ctx, from.user.ID, UserEdit{Active: new(false)})
		return err
	}, 401},
	"another role": {func(ctx context.Context, p *plane, from *client, _ registry.TenantID) error {
		_, err := p.EditUser(ctx, from.user.ID, UserEdit{Role: new("reader")})
		return err
	}, 403},
}

// mustGrant has mallory use a tenant of anna's.
func (p *plane) mustGrant(anna *client) (mallory *client, id registry.TenantID) {
	p.t.Helper()
	id = registry.TenantID(anna.mustTenant("shop").ID)
	mallory = p.mustUser("mallory", MemberRole)
	require.NoError(p.t, p.Grant(p.t.Context(), "mallory", id, true))
	return mallory, id
}

// inHand waits until a request with a key is under way.
func (c *client) inHand(key string) {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		return c.db.Read(c.t.Context(), func(q *rows.Queries) error {
			_, err := q.Call(c.t.Context(), rows.CallParams{UserID: c.user.ID, Key: key})
			return err
		}) == nil
	}, 10*time.Second, time.Millisecond)
}

// TestARotationThatWaitsForItsTurnIsRefusedToWhoLostTheTenant.
func TestARotationThatWaitsForItsTurnIsRefusedToWhoLostTheTenant(t *testing.T) {
	t.Parallel()
	for name, one := range takings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mustPlane(t)
			p.mustClosedRegion("iad")
			mallory, id := p.mustGrant(p.mustUser("anna", MemberRole))
			p.mustReady(string(id))
			for range atOnce {
				p.rotating <- struct{}{}
			}
			const key = "key-of-a-rotation-0123"
			came := make(chan *answer, 1)
			go func() {
				came <- mallory.ask("POST", "/api/v1/tenants/"+string(id)+"/rotate-credentials", "", "Idempotency-Key", key)
			}()
			mallory.inHand(key)
			require.NoError(t, one.take(t.Context(), p, mallory, id))
			for range atOnce {
				<-p.rotating
			}
			(<-came).is(one.status)
		})
	}
}

// TestARotationThatWaitsForItsDatabaseChangesNothingForWhoLostTheTenant.
func TestARotationThatWaitsForItsDatabaseChangesNothingForWhoLostTheTenant(t *testing.T) {
	t.Parallel()
	p, anna, path, before := mustServe(t)
	mallory := p.mustUser("mallory", MemberRole)
	require.NoError(t, p.Grant(t.Context(), "mallory", idIn(path), true))
	subject, err := p.on(t.Context(), idIn(path))
	require.NoError(t, err)
	other, err := provision.Connect(t.Context(), subject.Server.Admin)
	require.NoError(t, err)
	require.NoError(t, other.Lock(t.Context(), provision.Database{Name: subject.Database.Name, Tenant: string(idIn(path))}))
	waiting := "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND query LIKE '%" + subject.Database.Name + "%'"
	came := make(chan *answer, 1)
	go func() { came <- mallory.ask("POST", path+"/rotate-credentials", "") }()
	require.Eventually(t, func() bool { return pgtest.Exec(t, subject.Server.Admin, waiting)[0] != "0" }, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, p.Grant(t.Context(), "mallory", idIn(path), false))
	require.NoError(t, other.Close())
	(<-came).refuses(404, "not_found")
	var now Credentials
	anna.ask("GET", path+"/credentials", "").is(200, &now)
	require.True(t, now.InternalURL == before.Reveal(), "it was rotated")
}

// TestWhoLostATenantDoesNothingWithIt, though it was his when he asked: whatever waits, waits behind that.
func TestWhoLostATenantDoesNothingWithIt(t *testing.T) {
	t.Parallel()
	for name, one := range takings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mustPlane(t)
			p.mustClosedRegion("iad")
			mallory, id := p.mustGrant(p.mustUser("anna", MemberRole))
			p.mustReady(string(id))
			asked := func(scopes ...string) context.Context {
				who, err := p.admit(t.Context(), "Bearer "+mallory.token, bearerScheme, scopes)
				require.NoError(t, err)
				return context.WithValue(t.Context(), principalKey, who)
			}
			writes, shows, both := asked("write"), asked("secrets"), asked("write", "secrets")
			require.NoError(t, one.take(t.Context(), p, mallory, id))
			before := revisionOf(p)
			for did, do := range map[string]func() error{
				"credentials": func() error { _, err := p.reveal(shows, id); return err },
				"rotation":    func() error { _, err := p.rotate(both, id, "", 0); return err },
				"sync token":  func() error { _, err := p.newSyncToken(both, id); return err },
				"token": func() error {
					_, err := p.createToken(shows, TokenRequest{Name: "x", Scopes: []string{"secrets"}, Tenants: []string{string(id)}})
					return err
				},
				"edit":     func() error { return p.edit(writes, id, "*", tenantEdit{Name: new("mine")}) },
				"external": func() error { _, err := p.setExternal(writes, id, true); return err },
				"delete":   func() error { return p.deleteTenant(writes, id) },
				"retry":    func() error { _, err := p.retry(writes, id); return err },
				"cancel":   func() error { return p.putCancellation(writes, id) },
			} {
				refused, ok := p.refused(t.Context(), do()).(*Problem)
				require.True(t, ok, did)
				require.Equal(t, one.status, refused.Status, did)
			}
			if !strings.HasPrefix(name, "no grant") {
				_, err := p.createTenant(writes, "", tenantRequest{Name: "new", Region: "iad"})
				require.Equal(t, one.status, err.(*Problem).Status)
			}
			require.Equal(t, before, revisionOf(p), "the registry was changed")
		})
	}
}

// TestWhoIsNoAdminAnyMoreEditsNobody, least of all himself.
func TestWhoIsNoAdminAnyMoreEditsNobody(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustUser("root", AdminRole)
	mallory := p.mustUser("mallory", AdminRole)
	who, err := p.admit(t.Context(), "Bearer "+mallory.token, bearerScheme, []string{"admin"})
	require.NoError(t, err)
	asked := context.WithValue(t.Context(), principalKey, who)
	_, err = p.EditUser(t.Context(), mallory.user.ID, UserEdit{Role: new("member")})
	require.NoError(t, err)
	_, err = p.EditUser(asked, mallory.user.ID, UserEdit{Role: new("admin")})
	require.Equal(t, 403, p.refused(t.Context(), err).(*Problem).Status)
	_, err = p.Users(asked)
	require.Equal(t, 403, p.refused(t.Context(), err).(*Problem).Status)
	_, err = p.Acts(asked, ActsAsked{Limit: 1})
	require.Equal(t, 403, p.refused(t.Context(), err).(*Problem).Status)
}

// TestWhoIsNoAdminAnyMoreEndsNobodysToken: with the scope that ending one's own takes, which he still has.
func TestWhoIsNoAdminAnyMoreEndsNobodysToken(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustUser("root", AdminRole)
	anna, mallory := p.mustUser("anna", MemberRole), p.mustUser("mallory", AdminRole)
	who, err := p.admit(t.Context(), "Bearer "+mallory.token, bearerScheme, []string{"write"})
	require.NoError(t, err)
	asked := context.WithValue(t.Context(), principalKey, who)
	_, err = p.EditUser(t.Context(), mallory.user.ID, UserEdit{Role: new("member")})
	require.NoError(t, err)
	hers, err := p.admit(t.Context(), "Bearer "+anna.token, bearerScheme, nil)
	require.NoError(t, err)
	require.ErrorIs(t, p.deleteToken(asked, hers.token.ID), errNoToken)
	anna.ask("GET", "/api/v1/tenants", "").is(200)
	seen, err := p.Tokens(asked)
	require.NoError(t, err)
	require.Len(t, seen, 1, "his own")
	require.NoError(t, p.deleteToken(asked, who.token.ID))
}

// TestWhoWaitedForAListHasNoneOfWhatWasTakenMeanwhile: many may wait while one is rendered.
func TestWhoWaitedForAListHasNoneOfWhatWasTakenMeanwhile(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(p *plane, mallory *client, tenant registry.TenantID) error{
		"an admin": func(p *plane, mallory *client, _ registry.TenantID) error {
			_, err := p.EditUser(t.Context(), mallory.user.ID, UserEdit{Role: new("member")})
			return err
		},
		"a member": func(p *plane, mallory *client, tenant registry.TenantID) error {
			return p.Grant(t.Context(), "mallory", tenant, false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mustPlane(t)
			p.mustRegion("iad", "db.example.org")
			p.mustUser("root", AdminRole)
			mallory, id := p.mustGrant(p.mustUser("anna", MemberRole))
			if name == "an admin" {
				_, err := p.EditUser(t.Context(), mallory.user.ID, UserEdit{Role: new("admin"), Tenants: &[]string{}})
				require.NoError(t, err)
			}
			mallory.ask("GET", "/api/v1/auth/me", "").is(200)
			who, err := p.admit(t.Context(), "Bearer "+mallory.token, bearerScheme, []string{"read"})
			require.NoError(t, err)
			require.NoError(t, take(p, mallory, id))
			asked := context.WithValue(t.Context(), principalKey, who)
			answer, err := p.listed(asked, "")
			require.NoError(t, err)
			var now Me
			mallory.ask("GET", "/api/v1/auth/me", "", "If-None-Match", answer.ETag).is(304)
			mallory.ask("GET", "/api/v1/auth/me", "").is(200, &now)
			require.Empty(t, now.Tenants)
			require.NoError(t, p.read(asked, func(view *registry.View) error {
				return p.each(asked, view, func(shown registry.Tenant) error {
					require.NotEqual(t, id, shown.ID)
					return nil
				})
			}))
		})
	}
}
