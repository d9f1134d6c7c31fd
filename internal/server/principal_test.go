package server

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/secret"
)

// TestWhoMayWhat asks everything with every role, with narrower tokens and with none.
func TestWhoMayWhat(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	root, anna := p.mustUser("root", AdminRole), p.mustUser("anna", MemberRole)
	rita := p.mustUser("rita", ReaderRole)
	made := anna.mustTenant("shop")
	p.mustReady(made.ID)
	_, err := p.EditUser(t.Context(), rita.user.ID, UserEdit{Tenants: &[]string{made.ID}})
	require.NoError(t, err)
	narrow := func(c *client, scopes ...string) *client {
		made, err := p.CreateToken(t.Context(), c.user.ID, TokenRequest{Name: "narrow", Scopes: scopes})
		require.NoError(t, err)
		return &client{plane: p, user: c.user, token: made.Secret}
	}
	var sync SyncToken
	anna.ask("POST", "/api/v1/tenants/"+made.ID+"/rotate-sync-token", "").is(200, &sync)
	nobody, unknown, syncing := &client{plane: p}, &client{plane: p, token: "sp_pat_unknown"}, &client{plane: p, token: sync.Token}
	ended := narrow(anna, "read")
	require.NoError(t, p.db.Write(t.Context(), func(q *rows.Queries) error {
		token, err := q.TokenByHash(t.Context(), secret.Hash(ended.token))
		if err == nil {
			_, err = q.DeleteToken(t.Context(), token.ID)
		}
		return err
	}))
	reads, writes, secrets, admins := narrow(anna, "read"), narrow(anna, "write"), narrow(anna, "secrets"), narrow(root, "read", "write", "secrets", "admin")
	id := "/api/v1/tenants/" + made.ID
	for _, o := range []struct {
		method, path, body string
		may                []*client
	}{
		{"GET", "/api/v1/auth/me", "", []*client{root, anna, rita, reads, admins}},
		{"GET", "/api/v1/tenants", "", []*client{root, anna, rita, reads, admins}},
		{"GET", id, "", []*client{root, anna, rita, reads, admins}},
		{"GET", id + "/status", "", []*client{root, anna, rita, reads, admins}},
		{"GET", "/api/v1/regions", "", []*client{root, anna, rita, reads, admins}},
		{"GET", "/api/v1/tokens", "", []*client{root, anna, rita, reads, admins}},
		{"GET", id + "/credentials", "", []*client{root, anna, secrets, admins}},
		{"POST", "/api/v1/tokens", `{"name":"x","scopes":["secrets"]}`, []*client{root, anna, secrets, admins}},
		{"PUT", id + "/external-db-access", `{"enabled":false}`, []*client{root, anna, writes, admins}},
		{"POST", id + "/retry-provision", "", []*client{root, anna, writes, admins}},
		{"GET", id + "/files", "", []*client{syncing}},
		{"GET", "/api/v1/users", "", []*client{root, admins}},
		{"GET", "/api/v1/audit", "", []*client{root, admins}},
		{"POST", id + "/rotate-sync-token", "", []*client{root, anna, admins}}, // ends the sync token of before
	} {
		for _, c := range []*client{nobody, unknown, ended} {
			require.Equal(t, "Bearer", c.ask(o.method, o.path, o.body).is(401).Header.Get("WWW-Authenticate"))
		}
		for _, c := range []*client{syncing, root, anna, rita, reads, writes, secrets, admins} {
			a := c.ask(o.method, o.path, o.body)
			may := false
			for _, one := range o.may {
				may = may || one == c
			}
			switch {
			case may && a.StatusCode >= 300:
				require.Fail(t, "refused", "%s %s %s: %s", c.user.Name, o.method, o.path, a.text)
			case !may:
				a.refuses(403, "denied")
			}
		}
	}
}

func TestATokenCanDoNoMoreThanWhoMadeIt(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	first, second := anna.mustTenant("first"), anna.mustTenant("second")
	anna.ask("POST", "/api/v1/tokens", `{"name":"x","scopes":["admin"]}`).refuses(403, "denied")
	var made data[NewToken]
	anna.ask("POST", "/api/v1/tokens", `{"name":"job","scopes":["read","write","secrets"],"tenants":["`+first.ID+`"],"expires_in":60}`).is(201, &made)
	job := &client{plane: p, token: made.Data.Secret}
	job.ask("GET", "/api/v1/tenants/"+first.ID, "").is(200)
	job.ask("GET", "/api/v1/tenants/"+second.ID, "").refuses(404, "not_found")
	job.ask("POST", "/api/v1/tenants", `{"name":"third","region":"iad"}`).refuses(403, "denied")
	var mine Me
	job.ask("GET", "/api/v1/auth/me", "").is(200, &mine)
	require.Len(t, mine.Tenants, 1)
	job.ask("POST", "/api/v1/tokens", `{"name":"x","scopes":["read"],"tenants":["`+second.ID+`"]}`).refuses(404, "not_found")
	root := p.mustUser("root", AdminRole)
	for _, absent := range []string{"", " ", "nosuch", first.ID + " " + second.ID} {
		root.ask("POST", "/api/v1/tokens", `{"name":"x","scopes":["read"],"tenants":["`+absent+`"]}`).refuses(404, "not_found")
	}
	var further data[NewToken]
	job.ask("POST", "/api/v1/tokens", `{"name":"x","scopes":["read"]}`).is(201, &further)
	require.EqualValues(t, first.ID, further.Data.Tenants[0])

	var list data[[]Token]
	listed := anna.ask("GET", "/api/v1/tokens", "").is(200, &list)
	require.NotContains(t, string(listed.text), made.Data.Secret)
	require.Len(t, list.Data, 3)
	p.mustUser("bert", MemberRole).ask("DELETE", "/api/v1/tokens/"+further.Data.ID, "").refuses(404, "not_found")
	job.ask("GET", "/api/v1/tokens", "").is(200, &list)
	require.Len(t, list.Data, 2)
	var whole data[NewToken]
	anna.ask("POST", "/api/v1/tokens", `{"name":"whole","scopes":["read"]}`).is(201, &whole)
	job.ask("DELETE", "/api/v1/tokens/"+whole.Data.ID, "").refuses(404, "not_found")
	anna.ask("DELETE", "/api/v1/tokens/"+further.Data.ID, "").is(204)
	anna.ask("DELETE", "/api/v1/tokens/"+further.Data.ID, "").refuses(404, "not_found")
	p.clock.pass(61 * time.Second)
	job.ask("GET", "/api/v1/tenants", "").refuses(401, "unauthenticated")
}

// TestATokenEndsWithWhatItWasMadeWith also where a login, or two, came between.
func TestATokenEndsWithWhatItWasMadeWith(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	anna := p.mustUser("anna", MemberRole)
	// login is what somebody does with a personal token, who enters it on the login page.
	login := func(with NewToken) *client {
		token, row, err := p.newToken("sp_at_")
		require.NoError(t, err)
		session := "session of " + with.ID
		row.Kind, row.UserID, row.Session, row.Scopes = accessKind, &anna.user.ID, &session, "read write secrets"
		require.NoError(t, p.db.Write(t.Context(), func(q *rows.Queries) error {
			err := q.InsertLogin(t.Context(), rows.InsertLoginParams{
				Session: session, UserID: anna.user.ID, TokenID: &with.ID, Scopes: row.Scopes, ExpiresAt: p.clock.Now().Add(time.Hour).UnixMicro(),
			})
			return errors.Join(err, q.InsertToken(t.Context(), row))
		}))
		return &client{plane: p, user: anna.user, token: token.Reveal()}
	}
	create := func(with *client) NewToken {
		var made data[NewToken]
		with.ask("POST", "/api/v1/tokens", `{"name":"x","scopes":["read","write","secrets"],"expires_in":3600}`).is(201, &made)
		return made.Data
	}
	var first data[NewToken]
	anna.ask("POST", "/api/v1/tokens", `{"name":"first","scopes":["read","write","secrets"],"expires_in":60}`).is(201, &first)
	begun := login(first.Data)
	second := create(begun)
	require.Equal(t, first.Data.Expires, second.Expires, "no later than what it was made with")
	further := login(second)
	third := create(further)
	require.Equal(t, first.Data.Expires, third.Expires)
	all := []*client{begun, further, {plane: p, token: second.Secret}, {plane: p, token: third.Secret}}
	for _, c := range all {
		c.ask("GET", "/api/v1/tenants", "").is(200)
	}
	anna.ask("DELETE", "/api/v1/tokens/"+first.Data.ID, "").is(204)
	for _, c := range all {
		c.ask("GET", "/api/v1/tenants", "").refuses(401, "unauthenticated")
	}
}

func TestAUserWhoMayNotComeInHasNoTokens(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	root, anna := p.mustUser("root", AdminRole), p.mustUser("anna", MemberRole)
	anna.ask("GET", "/api/v1/tenants", "").is(200)
	root.ask("PATCH", "/api/v1/users/"+anna.user.ID, `{"role":"reader"}`).is(200)
	anna.ask("POST", "/api/v1/tenants", `{"name":"x","region":"iad"}`).refuses(403, "denied")
	for _, empty := range []string{"before", "limit"} {
		require.Equal(t, empty, root.ask("GET", "/api/v1/audit?user=&"+empty+"=", "").refuses(422, "invalid").Errors[0].Pointer)
	}
	absent := make([]string, maxItems)
	for i := range absent {
		absent[i] = fmt.Sprintf(`"%d"`, i)
	}
	for body, pointer := range map[string]string{
		`{"tenants":["nosuch"]}`: "/tenants/0", `{"tenants":null}`: "/tenants", `{"role":null}`: "/role", `{"active":"no"}`: "/active",
		`{"tenants":[` + strings.Repeat(`"",`, 9999) + `""]}`: "/tenants", `{"tenants":[` + strings.Join(absent, ",") + `]}`: "/tenants/0",
	} {
		require.Equal(t, pointer, root.ask("PATCH", "/api/v1/users/"+anna.user.ID, body).refuses(422, "invalid").Errors[0].Pointer)
	}
	root.ask("PATCH", "/api/v1/users/"+anna.user.ID, `{"active":false}`).is(200)
	anna.ask("GET", "/api/v1/tenants", "").refuses(401, "unauthenticated")
	root.ask("PATCH", "/api/v1/users/"+anna.user.ID, `{"active":true}`).is(200)
	anna.ask("GET", "/api/v1/tenants", "").refuses(401, "unauthenticated")
	root.ask("PATCH", "/api/v1/users/nobody", `{"active":true}`).refuses(404, "not_found")
	root.ask("PATCH", "/api/v1/users/"+anna.user.ID, `{"role":"king"}`).refuses(422, "invalid")
}

func TestTheAuditTellsWhoDidWhatAndNoSecret(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	root, anna := p.mustUser("root", AdminRole), p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	p.mustReady(made.ID)
	var found Credentials
	anna.ask("GET", "/api/v1/tenants/"+made.ID+"/credentials", "").is(200, &found)
	require.Contains(t, found.InternalURL, "canary-"+made.ID)
	require.Contains(t, found.DatabaseURL, ":***@")
	p.mustUser("bert", MemberRole).ask("GET", "/api/v1/tenants/"+made.ID+"/credentials", "").is(404)
	var acts data[[]Act]
	told := root.ask("GET", "/api/v1/audit?tenant="+made.ID, "").is(200, &acts)
	var words []string
	for _, a := range acts.Data {
		words = append(words, a.User+" "+a.Action+" "+a.Outcome+" "+a.Address)
	}
	require.Equal(t, []string{"bert credentials.read not_found 127.0.0.1", "anna credentials.read done 127.0.0.1", "anna tenant.create done 127.0.0.1"}, words)
	for _, text := range []string{string(told.text), p.log.String()} {
		require.NotContains(t, text, "canary")
		require.NotContains(t, text, anna.token)
	}
	root.ask("GET", "/api/v1/audit?limit=1", "").is(200, &acts)
	require.Len(t, acts.Data, 1)
	before := acts.Data[0].ID
	root.ask("GET", "/api/v1/audit?limit=1&before="+strconv.FormatInt(before, 10), "").is(200, &acts)
	require.Less(t, acts.Data[0].ID, before)
	root.ask("GET", "/api/v1/audit?limit=0", "").refuses(422, "invalid")
	root.ask("GET", "/api/v1/audit?colour=red", "").refuses(422, "invalid")
}

func TestWhatThereIsNotIsAProblem(t *testing.T) {
	t.Parallel()
	anna := mustPlane(t).mustUser("anna", MemberRole)
	anna.ask("GET", "/api/v2/tenants", "").refuses(404, "not_found")
	require.Contains(t, anna.ask("PUT", "/api/v1/tenants", "{}").Header.Get("Allow"), "POST")
	anna.ask("PUT", "/api/v1/tenants", "{}").refuses(405, "unsupported")
	anna.ask("GET", "/healthz", "").is(200)
	anna.ask("GET", "/readyz", "").is(200)
}

// TestTheLastAdminCannotLockHimselfOut: nobody could let him in again over the API.
func TestTheLastAdminCannotLockHimselfOut(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	root, ben := p.mustUser("root", AdminRole), p.mustUser("ben", MemberRole)
	for _, body := range []string{`{"active":false}`, `{"role":"reader"}`, `{"role":"member","active":true,"tenants":[]}`} {
		refused := root.ask("PATCH", "/api/v1/users/"+root.user.ID, body).refuses(409, "conflict")
		require.Contains(t, refused.Err.Message, "root has to stay an active admin")
	}
	acts, err := p.Acts(t.Context(), ActsAsked{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []string{"root", "user.edit", "root", "conflict"}, []string{acts[0].User, acts[0].Action, acts[0].Target, acts[0].Outcome})
	root.ask("PATCH", "/api/v1/users/"+root.user.ID, `{"tenants":[],"role":"admin"}`).is(200)
	root.ask("PATCH", "/api/v1/users/"+ben.user.ID, `{"role":"admin"}`).is(200)
	root.ask("PATCH", "/api/v1/users/"+root.user.ID, `{"active":false}`).is(200)
	root.ask("GET", "/api/v1/users", "").refuses(401, "unauthenticated")
}

// TestATokenForCertainTenantsGoesNotBeyondThem, whatever its user may: not by users and the audit, which are
// those of all tenants, and by no other token or tenant that it makes.
func TestATokenForCertainTenantsGoesNotBeyondThem(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	root, anna := p.mustUser("root", AdminRole), p.mustUser("anna", MemberRole)
	mine, other := anna.mustTenant("mine"), anna.mustTenant("other")
	all := `"scopes":["read","write","secrets","admin"]`
	refused := root.ask("POST", "/api/v1/tokens", `{"name":"x",`+all+`,"tenants":["`+mine.ID+`"]}`).refuses(422, "invalid")
	require.Equal(t, "/scopes", refused.Errors[0].Pointer)
	require.Contains(t, refused.Detail, "for certain tenants")
	_, err := p.CreateTokenFor(t.Context(), "root", TokenRequest{Name: "x", Scopes: []string{"admin"}, Tenants: []string{mine.ID}})
	require.ErrorIs(t, err, ErrInvalid)

	made, err := p.CreateToken(t.Context(), root.user.ID, TokenRequest{ // as one that was made before
		Name: "x", Scopes: []string{"read", "write", "secrets", "admin"}, Tenants: []string{mine.ID},
	})
	require.NoError(t, err)
	limited := &client{plane: p, user: root.user, token: made.Secret}
	for _, asked := range []string{"PATCH /api/v1/users/" + anna.user.ID + ` {"role":"admin"}`, "GET /api/v1/users", "GET /api/v1/audit"} {
		words := strings.SplitN(asked+"  ", " ", 3)
		require.Contains(t, limited.ask(words[0], words[1], strings.TrimSpace(words[2])).refuses(403, "denied").Detail, "certain tenants", asked)
	}
	limited.ask("GET", "/api/v1/tenants/"+mine.ID, "").is(200)
	for _, asked := range []string{
		"GET ", "PATCH ", "DELETE ", "GET /status", "GET /events", "GET /credentials", "POST /rotate-credentials", "POST /rotate-sync-token",
		"POST /retry-provision", "POST /subscription/cancel", "PUT /external-db-access",
	} {
		method, path, _ := strings.Cut(asked, " ")
		body := map[string]string{"PATCH ": `{}`, "PUT /external-db-access": `{"enabled":true}`}[asked]
		limited.ask(method, "/api/v1/tenants/"+other.ID+path, body, "If-Match", "*").refuses(404, "not_found")
	}
	limited.ask("POST", "/api/v1/tenants", `{"name":"third","region":"iad"}`).refuses(403, "denied")
	limited.ask("POST", "/api/v1/tokens", `{"name":"x",`+all+`}`).refuses(422, "invalid")
	limited.ask("POST", "/api/v1/tokens", `{"name":"x","scopes":["read"],"tenants":["`+mine.ID+`","`+other.ID+`"]}`).refuses(404, "not_found")
	for _, tenants := range []string{"", `,"tenants":[]`} {
		var further data[NewToken]
		limited.ask("POST", "/api/v1/tokens", `{"name":"x","scopes":["read"]`+tenants+`}`).is(201, &further)
		require.EqualValues(t, []string{mine.ID}, []string{string(further.Data.Tenants[0])})
	}
	var seen data[[]Token]
	limited.ask("GET", "/api/v1/tokens", "").is(200, &seen)
	for _, token := range seen.Data {
		require.Equal(t, root.user.ID, token.User)
		require.Len(t, token.Tenants, 1)
	}
	var brief data[[]TenantBrief]
	limited.ask("GET", "/api/v1/tenants", "").is(200, &brief)
	require.Len(t, brief.Data, 1)
}
