package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// cutCreation begins the creation of a tenant, which the control plane answers until its sync token is asked
// for.
func (l *life) cutCreation(args ...string) {
	l.t.Helper()
	inner := l.plane.http.Config.Handler
	l.plane.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/rotate-sync-token") {
			answer(w, http.StatusServiceUnavailable, map[string]any{"title": "closed for today"})
			return
		}
		inner.ServeHTTP(w, r)
	})
	o := l.run(args...)
	require.Equal(l.t, 9, o.exit, o.stderr)
	require.Len(l.t, l.here(`SELECT key FROM cloud_calls WHERE tenant_id IS NOT NULL`), 1)
	l.plane.http.Config.Handler = inner
}

func (l *life) loginWith(token string) {
	l.t.Helper()
	l.stdin = token
	l.must("login", "--token-stdin", l.plane.http.URL)
}

var createShop = []string{"tenant", "create", "--region", "iad", "--name", "shop"}

// TestACreationIsGoneOnWithByTheAccountThatBeganIt: a control plane knows a key of that user alone, and
// another user's would make a second tenant that is never stored.
func TestACreationIsGoneOnWithByTheAccountThatBeganIt(t *testing.T) {
	t.Parallel()
	l, _ := newCalmLife(t, "")
	bert := l.plane.mustToken("bert")
	l.cutCreation(createShop...)
	hers := l.there(`SELECT id FROM tenants`)[0]

	l.must("logout")
	l.loginWith(bert)
	o := l.must(createShop...)
	require.NotContains(t, o.stderr, "going on with")
	require.NotContains(t, o.stdout, hers)
	require.Len(t, l.there(`SELECT id FROM tenants`), 2)
	const told = " by anna@"
	require.Contains(t, l.must("tenant", "list").stderr, told)

	l.env["SP_TOKEN"], l.env["SP_CLOUD_URL"] = l.token, l.plane.http.URL
	o = l.must(createShop...)
	require.Contains(t, o.stderr, "going on with the creation")
	require.Equal(t, hers+"\n", o.stdout)
	require.Empty(t, l.here(`SELECT key FROM cloud_calls`))
	require.Equal(t, l.there(`SELECT id FROM tenants ORDER BY id`), l.here(`SELECT id FROM tenants ORDER BY id`))
}

func TestACreationIsGoneOnWithThoughTheTenantWasRenamed(t *testing.T) {
	t.Parallel()
	l, _ := newCalmLife(t, "")
	l.cutCreation(createShop...)
	id := l.there(`SELECT id FROM tenants`)[0]
	require.NoError(t, l.plane.change(func(reg *registry.Registry) error {
		name := secret.New("bazaar")
		_, _, err := reg.UpdateTenant(t.Context(), registry.TenantEdit{ID: registry.TenantID(id), Set: map[string]*secret.Secret{"name": &name}})
		return err
	}))
	require.Equal(t, id+"\n", l.must(createShop...).stdout)
	l.check(0, id)
	require.Equal(t, []string{"bazaar"}, l.here(`SELECT name FROM tenants`))
}

// TestACreationIsGoneOnWithAsItIsAskedForNow has the database reached from outside, or not any more, though
// it was begun otherwise.
func TestACreationIsGoneOnWithAsItIsAskedForNow(t *testing.T) {
	t.Parallel()
	with, without := append(createShop[:len(createShop):len(createShop)], "--external-db-access"), append(createShop[:len(createShop):len(createShop)], "--external-db-access=false")
	for _, one := range []struct {
		began, now []string
		outside    string
	}{{createShop, with, "1"}, {with, createShop, "1"}, {with, without, "0"}} {
		l, _ := newCalmLife(t, "")
		l.cutCreation(one.began...)
		id := strings.TrimSpace(l.must(one.now...).stdout)
		l.check(0, id)
		for _, rows := range [][]string{l.here(`SELECT external_db_access FROM tenants`), l.there(`SELECT external_db_access FROM tenants`)} {
			require.Equal(t, []string{one.outside}, rows, one.now)
		}
		require.Equal(t, one.outside == "1", l.run("resolve", "--tenant", id, "--network", "external").exit == 0)
	}
}

// TestACallThatIsUnderWayNoMoreNamesWhatComesNext, as where the tenant was deleted meanwhile.
func TestACallThatIsUnderWayNoMoreNamesWhatComesNext(t *testing.T) {
	t.Parallel()
	s, p := withTheirs(t)
	p.answers(http.MethodPost, "/api/v1/tenants/t-9/rotate-sync-token", func(w http.ResponseWriter, _ *http.Request) {
		other := *s
		other.must("tenant", "delete", "t-9", "--keep-database", "-y")
		answer(w, http.StatusOK, map[string]string{"status": "rotated", "sync_token": "sp_sync_new"})
	})
	o := s.run("tenant", "rotate-sync-token", "t-9", "-y")
	require.Equal(t, 4, o.exit, o.stderr)
	require.Contains(t, o.stderr, "sp: the request to the control plane: the tenant was deleted, or the registry restored: no longer kept\n"+
		"sp: hint: sp tenant list shows whether the tenant is there; if it is, sp tenant rotate-sync-token t-9 makes another one\n")
}
