package server

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestARefusalStandsInTheAuditAsWhatWasRefused: by the same word as where it is done, and with its tenant,
// by which it is looked for.
func TestARefusalStandsInTheAuditAsWhatWasRefused(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "127.0.0.1")
	anna, rita := p.mustUser("anna", MemberRole), p.mustUser("rita", ReaderRole)
	made := anna.mustTenant("shop")
	rita.ask("GET", "/api/v1/tenants/"+made.ID+"/credentials", "").refuses(403, "denied")
	const token = "7c8e722d-4321-48af-be5b-c42d2192ea79"
	rita.ask("DELETE", "/api/v1/tokens/"+token, "").refuses(403, "denied")
	acts, err := p.Acts(t.Context(), ActsAsked{Limit: 2})
	require.NoError(t, err)
	require.Equal(t, []string{"token.delete", "", token, "denied"}, []string{acts[0].Action, acts[0].Tenant, acts[0].Target, acts[0].Outcome})
	require.Equal(t, []string{"credentials.read", made.ID, "", "denied"}, []string{acts[1].Action, acts[1].Tenant, acts[1].Target, acts[1].Outcome})
	require.Equal(t, []string{"rita", rita.user.ID, "127.0.0.1"}, []string{acts[1].User, acts[1].UserID, acts[1].Address})
	require.NotEmpty(t, acts[1].Token)
	require.NotEmpty(t, acts[1].Request)
}

// TestASecretInThePathOfARequestIsNotKept: neither in the audit nor in the log, which every plane of the
// tests looks for in the end.
func TestASecretInThePathOfARequestIsNotKept(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	anna, rita := p.mustUser("anna", MemberRole), p.mustUser("rita", ReaderRole)
	url := url.PathEscape("postgres://u:canary-admin@h/d")
	for _, who := range []*client{anna, rita} {
		for _, word := range []string{anna.token, rita.token, url} {
			for _, asked := range []string{"DELETE /api/v1/tokens/", "DELETE /api/v1/tenants/", "PATCH /api/v1/users/", "GET /api/v1/tenants/", "GET /api/v2/"} {
				method, path, _ := strings.Cut(asked, " ")
				a := who.ask(method, path+word, `{}`)
				require.GreaterOrEqual(t, a.StatusCode, 400, asked)
				require.NotContains(t, string(a.text), anna.token)
				require.NotContains(t, string(a.text), "canary-admin")
			}
		}
		who.ask("POST", "/api/v1/tokens", `{"name":"`+anna.token+`","scopes":["read"]}`)
	}
	acts, err := p.Acts(t.Context(), ActsAsked{Limit: 100})
	require.NoError(t, err)
	require.NotEmpty(t, acts)
}

// TestTheAuditSaysWhyTheOperatorWasRefused: as it says so to those who ask over the API.
func TestTheAuditSaysWhyTheOperatorWasRefused(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	require.ErrorIs(t, p.RemoveRegion(t.Context(), "iad"), registry.ErrNotFound)
	acts, err := p.Acts(t.Context(), ActsAsked{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, "not_found", acts[0].Outcome)
}

// operations are those of the API.
func operations() (all []*huma.Operation) {
	for _, path := range (&Server{}).API().Paths {
		for _, o := range []*huma.Operation{path.Get, path.Put, path.Post, path.Patch, path.Delete} {
			if o != nil {
				all = append(all, o)
			}
		}
	}
	return all
}

// TestEveryOperationThatIsRefusedHasAWordInTheAudit, but for those that only look, which are not there.
func TestEveryOperationThatIsRefusedHasAWordInTheAudit(t *testing.T) {
	t.Parallel()
	for _, o := range operations() {
		scheme, scopes := demanded(o)
		looks := scheme == "" || slices.Equal(scopes, []string{string(Read)}) || scheme == syncScheme && o.Method == http.MethodGet
		require.Equal(t, looks, actions[o.OperationID] == "", o.OperationID)
	}
}

// mustNote has fn be refused, and wants one entry of it.
func (p *plane) mustNote(action, outcome string, fn func()) Act {
	p.t.Helper()
	before, err := p.Acts(p.t.Context(), ActsAsked{Limit: 1000})
	require.NoError(p.t, err)
	fn()
	acts, err := p.Acts(p.t.Context(), ActsAsked{Limit: 1000})
	require.NoError(p.t, err)
	require.Len(p.t, acts, len(before)+1, action)
	require.Equal(p.t, []string{action, outcome}, []string{acts[0].Action, acts[0].Outcome})
	return acts[0]
}

// TestEachRefusalStandsOnceInTheAudit: for want of a scope, for what is not as it is described, and for what
// is not there.
func TestEachRefusalStandsOnceInTheAudit(t *testing.T) {
	t.Parallel()
	p, syncing, mine, _ := mustSync(t)
	root, rita := p.mustUser("root", AdminRole), p.mustUser("rita", ReaderRole)
	const nobody = "7c8e722d-4321-48af-be5b-c42d2192ea79"
	bodies := map[string]string{
		"createTenant": `{"name":"x","region":"idd"}`, "createToken": `{"name":"x","scopes":["read"],"tenants":["` + nobody + `"]}`,
		"editTenant": `{}`, "editUser": `{"active":true}`, "externalAccess": `{"enabled":true}`,
	}
	for _, o := range operations() {
		action := actions[o.OperationID]
		if action == "" {
			continue
		}
		may, body, headers := root, bodies[o.OperationID], []string{"If-Match", "*"}
		if scheme, _ := demanded(o); scheme == syncScheme {
			may, headers = syncing, append(headers, "Content-Type", archiveType)
		}
		path := strings.ReplaceAll(o.Path, "{id}", nobody)
		denied := p.mustNote(action, "denied", func() { rita.ask(o.Method, path, body, headers...).refuses(403, "denied") })
		require.Equal(t, "rita", denied.User)
		known := strings.ReplaceAll(o.Path, "{id}", strings.Split(mine, "/")[4])
		p.mustNote(action, "invalid", func() { may.ask(o.Method, known+"?colour=red", body, headers...).refuses(422, "invalid") })
		if o.RequestBody != nil && may == root {
			p.mustNote(action, "invalid", func() { may.ask(o.Method, known, `{"colour":"red"}`, headers...).refuses(422, "invalid") })
		}
		if path != o.Path {
			gone := p.mustNote(action, "not_found", func() { may.ask(o.Method, path, body, headers...).refuses(404, "not_found") })
			require.Equal(t, nobody, gone.Tenant+gone.Target)
		}
	}
	p.mustNote("tenant.create", "invalid", func() { root.ask("POST", "/api/v1/tenants", bodies["createTenant"]).refuses(422, "invalid") })
	p.mustNote("tenant.create", "invalid", func() {
		root.ask("POST", "/api/v1/tenants", bodies["createTenant"], "Idempotency-Key", "").refuses(422, "invalid")
	})
	p.mustNote("token.create", "not_found", func() { root.ask("POST", "/api/v1/tokens", bodies["createToken"]).refuses(404, "not_found") })
	p.mustNote("user.edit", "invalid", func() {
		root.ask("PATCH", "/api/v1/users/"+rita.user.ID, `{"tenants":["nosuch"]}`).refuses(422, "invalid")
	})
}

// TestEachRefusalOfTheOperatorStandsOnceInTheAudit: of all that spd can do but look.
func TestEachRefusalOfTheOperatorStandsOnceInTheAudit(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	ctx := t.Context()
	p.mustRegion("iad", "db.example.org")
	root, anna := p.mustUser("root", AdminRole), p.mustUser("anna", MemberRole)
	tenant := registry.TenantID(anna.mustTenant("shop").ID)
	locked := p.mustUser("locked", MemberRole)
	_, err := p.EditUser(ctx, locked.user.ID, UserEdit{Active: new(false)})
	require.NoError(t, err)
	away := secret.New("postgres://admin:canary-admin@127.0.0.1:1/postgres")
	p.Machine = func(m *hosting.Machine) {
		m.Programs = func(string) (postgres.Programs, error) { return postgres.Programs{}, postgres.ErrNone }
	}
	acts := map[string][]struct {
		action, outcome, target string
		do                      func() error
	}{
		"AddUser": {
			{"user.add", "invalid", "", func() error { _, _, err := p.AddUser(ctx, "a b", MemberRole); return err }},
			{"user.add", "invalid", "ben", func() error { _, _, err := p.AddUser(ctx, "ben", "king"); return err }},
			{"user.add", "exists", "anna", func() error { _, _, err := p.AddUser(ctx, "anna", MemberRole); return err }},
		},
		"JoinCode": {
			{"user.code", "not_found", "", func() error { _, _, err := p.JoinCode(ctx, "nobody"); return err }},
			{"user.code", "unauthenticated", "locked", func() error { _, _, err := p.JoinCode(ctx, "locked"); return err }},
		},
		"EditUser": {
			{"user.edit", "not_found", "", func() error { _, err := p.EditUser(ctx, "nobody", UserEdit{}); return err }},
			{"user.edit", "conflict", "root", func() error { _, err := p.EditUser(ctx, root.user.ID, UserEdit{Active: new(false)}); return err }},
		},
		"EditUserNamed": {
			{"user.edit", "not_found", "", func() error { _, err := p.EditUserNamed(ctx, "nobody", UserEdit{}); return err }},
			{"user.edit", "conflict", "root", func() error { _, err := p.EditUserNamed(ctx, "root", UserEdit{Active: new(false)}); return err }},
		},
		"Grant": {
			{"grant.add", "not_found", "", func() error { return p.Grant(ctx, "anna", "nosuch", true) }},
			{"grant.add", "not_found", "", func() error { return p.Grant(ctx, "nobody", tenant, true) }},
			{"grant.remove", "not_found", "", func() error { return p.Grant(ctx, "nobody", tenant, false) }},
		},
		"CreateTokenFor": {
			{"token.create", "not_found", "", func() error { _, err := p.CreateTokenFor(ctx, "nobody", TokenRequest{}); return err }},
			{"token.create", "invalid", "", func() error { _, err := p.CreateTokenFor(ctx, "anna", TokenRequest{Name: anna.token}); return err }},
			{"token.create", "invalid", "anna", func() error {
				_, err := p.CreateTokenFor(ctx, "anna", TokenRequest{Scopes: []string{"admin"}})
				return err
			}},
			{"token.create", "not_found", "anna", func() error {
				_, err := p.CreateTokenFor(ctx, "anna", TokenRequest{Tenants: []string{"nosuch"}})
				return err
			}},
			{"token.create", "unauthenticated", "locked", func() error { _, err := p.CreateTokenFor(ctx, "locked", TokenRequest{}); return err }},
		},
		"DeleteToken": {{"token.delete", "not_found", "", func() error { return p.DeleteToken(ctx, "nosuch") }}},
		"AddRegion": {
			{"region.add", "unavailable", "", func() error { _, _, err := p.AddRegion(ctx, "a b", away); return err }},
			{"region.add", "invalid", "fra", func() error { _, _, err := p.AddRegion(ctx, "fra", secret.New("nowhere")); return err }},
			{"region.add", "unavailable", "fra", func() error { _, _, err := p.AddRegion(ctx, "fra", away); return err }},
		},
		"AddOwnRegion": {{"region.add", "failed", "local", func() error { return p.AddOwnRegion(ctx, "local", func(string) {}) }}},
		"RemoveRegion": {
			{"region.remove", "not_found", "", func() error { return p.RemoveRegion(ctx, "fra") }},
			{"region.remove", "in_use", "iad", func() error { return p.RemoveRegion(ctx, "iad") }},
		},
		"LostRegion":   {{"region.remove", "not_found", "", func() error { _, err := p.LostRegion(ctx, "fra"); return err }}},
		"ForgetRegion": {{"region.remove", "not_found", "", func() error { _, err := p.ForgetRegion(ctx, "fra"); return err }}},
	}
	looks := []string{"API", "Acts", "Close", "FindTenant", "Handler", "LocalRegions", "Regions", "Run", "Stop", "StopOwnServers", "Tenants", "Tokens", "UserNamed", "Users"}
	for i := range reflect.TypeFor[*Server]().NumMethod() {
		name := reflect.TypeFor[*Server]().Method(i).Name
		require.True(t, slices.Contains(looks, name) || len(acts[name]) > 0, "%s is in the audit, or only looks?", name)
		for _, one := range acts[name] {
			noted := p.mustNote(one.action, one.outcome, func() { require.Error(t, one.do(), name) })
			require.Equal(t, []string{"spd", one.target}, []string{noted.User, noted.Target}, name)
		}
	}
}

// TestARegionThatIsOneAlreadyIsRefusedInTheAudit: by its code, its server, and that by another address.
func TestARegionThatIsOneAlreadyIsRefusedInTheAudit(t *testing.T) {
	t.Parallel()
	p, admin := mustPlane(t), pgtest.Server(t)
	_, _, err := p.AddRegion(t.Context(), "iad", admin)
	require.NoError(t, err)
	twin, err := url.Parse(admin.Reveal())
	require.NoError(t, err)
	twin.Host = "localhost:" + twin.Port()
	add := func(code string, at secret.Secret) func() {
		return func() {
			_, _, err := p.AddRegion(t.Context(), code, at)
			require.Error(t, err)
		}
	}
	require.Empty(t, p.mustNote("region.add", "invalid", add("a b", admin)).Target)
	require.Equal(t, "fra", p.mustNote("region.add", "exists", add("fra", admin)).Target)
	require.Equal(t, "fra", p.mustNote("region.add", "exists", add("fra", secret.New(twin.String()))).Target)
}
