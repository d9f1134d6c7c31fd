package server

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
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

// TestEveryOperationThatIsRefusedHasAWordInTheAudit, but for those that only look, which are not there.
func TestEveryOperationThatIsRefusedHasAWordInTheAudit(t *testing.T) {
	t.Parallel()
	for _, path := range (&Server{}).API().Paths {
		for _, o := range []*huma.Operation{path.Get, path.Put, path.Post, path.Patch, path.Delete} {
			if o == nil {
				continue
			}
			if scheme, scopes := demanded(o); scheme == bearerScheme && !slices.Equal(scopes, []string{string(Read)}) {
				require.NotEmpty(t, actions[o.OperationID], o.OperationID)
			}
		}
	}
}
