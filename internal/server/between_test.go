package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// mustFail has the making of a tenant's database have failed for good.
func (p *plane) mustFail(id string) {
	p.t.Helper()
	require.NoError(p.t, p.db.Write(p.t.Context(), func(q *rows.Queries) error {
		return q.PutTrouble(p.t.Context(), rows.PutTroubleParams{TenantID: id, Making: true, Failures: maxTries, Reason: "x"})
	}))
}

// mustWork takes all steps that are due, none of which makes a database, and returns how many there were.
func (p *plane) mustWork() int {
	p.t.Helper()
	jobs, _, err := p.due(p.t.Context())
	require.NoError(p.t, err)
	for _, j := range jobs {
		require.NotEqual(p.t, jobMaking, j.doing)
		p.try(p.t.Context(), j)
	}
	return len(jobs)
}

func TestACancelledTenantThatHadFailedIsDeleted(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	_, _, err := p.AddRegion(t.Context(), "iad", pgtest.Server(t))
	require.NoError(t, err)
	anna := p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	path := "/api/v1/tenants/" + made.ID
	p.mustFail(made.ID)
	anna.ask("POST", path+"/subscription/cancel", "").is(200)
	var now data[Status]
	for range 7 {
		require.Zero(t, p.mustWork())
		anna.ask("GET", path+"/status", "").is(200, &now)
		require.Equal(t, failed, now.Data.Status)
		p.clock.pass(24 * time.Hour)
	}
	require.Equal(t, 1, p.mustWork())
	anna.ask("GET", path+"/status", "").is(200, &now)
	require.Equal(t, deleting, now.Data.Status)
	require.Equal(t, 1, p.mustWork())
	anna.ask("GET", path, "").refuses(404, "not_found")
}

// TestACancelledTenantThatHadFailedStaysSo though its region does not answer: nothing else that fails has its
// database made again.
func TestACancelledTenantThatHadFailedStaysSo(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustClosedRegion("iad")
	anna := p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	path := "/api/v1/tenants/" + made.ID
	p.mustFail(made.ID)
	anna.ask("POST", path+"/subscription/cancel", "").is(200)
	var now data[Status]
	for range 9 {
		p.mustWork()
		p.mustRest(lookEvery)
		anna.ask("GET", path+"/status", "").is(200, &now)
		require.Equal(t, failed, now.Data.Status)
		require.Equal(t, "x", now.Data.Message)
		p.clock.pass(24 * time.Hour)
	}
	p.mustWork()
	p.mustRest(firstPause * 8)
	anna.ask("PATCH", path, `{}`, "If-Match", "*").is(200)
	p.clock.pass(longest)
	require.Zero(t, p.mustWork())
	anna.ask("POST", path+"/retry-provision", "").is(200, &now.Data)
	require.Equal(t, provisioning, now.Data.Status)
	p.mustDo()
}

// TestADatabaseThatWasMadeBeyondItsRowIsKept: both files are from a backup of when it was being made, and
// its time is over. It is made read-only then, and kept as long again.
func TestADatabaseThatWasMadeBeyondItsRowIsKept(t *testing.T) {
	t.Parallel()
	p, anna, path, url := mustServe(t)
	harness.Mess(t, p.registryPath(), "UPDATE databases SET state = 'provisioning'", "UPDATE tenants SET database_url = NULL")
	p.mustFail(string(idIn(path)))
	anna.ask("POST", path+"/subscription/cancel", "").is(200)
	p.clock.pass(retention)
	require.Equal(t, 1, p.mustWork())
	require.Contains(t, string(mustEvents(p, path)), "kept for 7 more days")
	require.Equal(t, []string{"on"}, pgtest.Exec(t, url, "SHOW default_transaction_read_only"))
	require.Zero(t, p.mustWork())
	p.clock.pass(retention)
	require.Equal(t, 1, p.mustWork())
	var now data[Status]
	anna.ask("GET", path+"/status", "").is(200, &now)
	require.Equal(t, deleting, now.Data.Status)
}

func TestATenantThatHadFailedIsDropped(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	p.mustFail(made.ID)
	// killed between the two halves of drop
	require.NoError(t, p.change(t.Context(), func(reg *registry.Registry) error { return reg.DropDatabase(t.Context(), registry.TenantID(made.ID)) }))
	jobs, _, err := p.due(t.Context())
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	require.Equal(t, "drop its database", jobs[0].doing)
}

func TestARefusedCreationLeavesNoGrant(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	for range 3 {
		anna.ask("POST", "/api/v1/tenants", `{"name":"x","region":"idd"}`).refuses(422, "invalid")
	}
	u, err := p.UserNamed(t.Context(), "anna")
	require.NoError(t, err)
	require.Empty(t, u.Tenants)
}

func TestACancellationOfATenantThatIsGoneEnds(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	at := p.clock.Now().Add(-time.Hour).UnixMicro()
	require.NoError(t, p.db.Write(t.Context(), func(q *rows.Queries) error {
		return q.PutCancellation(t.Context(), rows.PutCancellationParams{TenantID: "gone", DeleteAt: &at, Applied: true})
	}))
	before := revisionOf(p)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	require.NoError(t, p.Run(ctx))
	require.Less(t, revisionOf(p)-before, int64(5))
	left := 0
	require.NoError(t, p.db.Read(t.Context(), func(q *rows.Queries) error {
		l, err := q.Cancellations(t.Context())
		left = len(l)
		return err
	}))
	require.Zero(t, left)
}

func TestATenantWhoseCancellationWasTakenBackStays(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	p.mustReady(made.ID)
	anna.ask("POST", "/api/v1/tenants/"+made.ID+"/subscription/cancel", "").is(200)
	p.clock.pass(8 * 24 * time.Hour)
	jobs, _, err := p.due(t.Context()) // waits for a slot
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	p.clock.pass(-7 * 24 * time.Hour) // it was taken back while there was time
	var now data[Tenant]
	anna.ask("PATCH", "/api/v1/tenants/"+made.ID, `{}`, "If-Match", "*").is(200, &now)
	require.Equal(t, "active", now.Data.Status)
	p.clock.pass(7 * 24 * time.Hour)
	require.NoError(t, jobs[0].step(t.Context()))
	anna.ask("GET", "/api/v1/tenants/"+made.ID, "").is(200, &now)
	require.Equal(t, "active", now.Data.Status, "it was answered 200 and active, and is dropped")
	anna.ask("POST", "/api/v1/tenants/"+made.ID+"/subscription/cancel", "").is(200)
	p.clock.pass(8 * 24 * time.Hour)
	anna.ask("PATCH", "/api/v1/tenants/"+made.ID, `{}`, "If-Match", "*").is(200, &now)
	require.Equal(t, "active", now.Data.Status, "it was not being deleted yet")
	require.NoError(t, p.change(t.Context(), func(reg *registry.Registry) error { return reg.DropDatabase(t.Context(), registry.TenantID(made.ID)) }))
	anna.ask("PATCH", "/api/v1/tenants/"+made.ID, `{}`, "If-Match", "*").refuses(409, "conflict")
}

func TestAReadTokenOfAnAdminEndsNoTokens(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	admin, anna := p.mustUser("root", AdminRole), p.mustUser("anna", MemberRole)
	made, err := p.CreateToken(t.Context(), admin.user.ID, TokenRequest{Name: "monitor", Scopes: []string{"read"}})
	require.NoError(t, err)
	monitor := &client{plane: p, user: admin.user, token: made.Secret}
	var all data[[]Token]
	monitor.ask("GET", "/api/v1/tokens", "").is(200, &all)
	for _, one := range all.Data {
		if one.User == anna.user.ID {
			require.Equal(t, 403, monitor.ask("DELETE", "/api/v1/tokens/"+one.ID, "").StatusCode)
		}
	}
}

func TestWhoMayNotComeInAnyMoreHasNoLoginLeft(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	anna := p.mustUser("anna", MemberRole)
	end := p.clock.Now().Add(24 * time.Hour).UnixMicro()
	require.NoError(t, p.db.Write(t.Context(), func(q *rows.Queries) error {
		if err := q.InsertLogin(t.Context(), rows.InsertLoginParams{Session: "s", UserID: anna.user.ID, Scopes: "read write", ExpiresAt: end}); err != nil {
			return err
		}
		return q.InsertRefreshToken(t.Context(), rows.InsertRefreshTokenParams{Hash: secret.Hash("stolen"), Session: "s", Generation: 1})
	}))
	no, yes := false, true
	_, err := p.EditUser(t.Context(), anna.user.ID, UserEdit{Active: &no})
	require.NoError(t, err)
	_, err = p.EditUser(t.Context(), anna.user.ID, UserEdit{Active: &yes})
	require.NoError(t, err)
	r, err := http.PostForm(p.http.URL+"/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"stolen"}, "client_id": {"sp_cli"}})
	require.NoError(t, err)
	defer r.Body.Close()
	require.Equal(t, 400, r.StatusCode)
}

func TestAListIsNeverOlderThanItsETag(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna, bert := p.mustUser("anna", MemberRole), p.mustUser("bert", MemberRole)
	made := anna.mustTenant("shop")
	who, err := p.admit(t.Context(), "Bearer "+bert.token, bearerScheme, nil)
	require.NoError(t, err)
	require.NoError(t, p.Grant(t.Context(), "bert", registry.TenantID(made.ID), true))
	got, err := p.listed(context.WithValue(t.Context(), principalKey, who), "")
	require.NoError(t, err)
	require.Equal(t, 200, bert.ask("GET", "/api/v1/auth/me", "", "If-None-Match", got.ETag).StatusCode, "the grant is never seen")
}

func TestAnETagIsOneUsers(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna, bert := p.mustUser("anna", MemberRole), p.mustUser("bert", MemberRole)
	anna.mustTenant("shop")
	bert.mustTenant("his")
	tag := anna.ask("GET", "/api/v1/auth/me", "").is(200).Header.Get("ETag")
	require.Equal(t, 200, bert.ask("GET", "/api/v1/auth/me", "", "If-None-Match", tag).StatusCode)
}

func TestOfManyEditsOfOneVersionOneIsMade(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	tag := anna.ask("GET", "/api/v1/tenants/"+made.ID, "").is(200).Header.Get("ETag")
	var won atomic.Int32
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			if anna.ask("PATCH", "/api/v1/tenants/"+made.ID, `{"name":"n`+string(rune('a'+i))+`"}`, "If-Match", tag).StatusCode == 200 {
				won.Add(1)
			}
		})
	}
	wait.Wait()
	require.EqualValues(t, 1, won.Load())
}

func TestANameThatIsNotAllowedIsPointedAt(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	for _, name := range []string{`a\nb`, ` `, `a\u0000b`, strings.Repeat("é", 200), `postgres://u:p@h/d`} {
		a := anna.ask("POST", "/api/v1/tenants", `{"name":"`+name+`","region":"iad"}`)
		t.Logf("%.20q: %d %s", name, a.StatusCode, a.text)
	}
}

func TestATokenEndsWithTheOneThatItWasMadeWith(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	anna := p.mustUser("anna", MemberRole)
	made, err := p.CreateToken(t.Context(), anna.user.ID, TokenRequest{Name: "job", Scopes: []string{"read", "secrets"}, Expires: 60})
	require.NoError(t, err)
	job := &client{plane: p, user: anna.user, token: made.Secret}
	var child data[NewToken]
	job.ask("POST", "/api/v1/tokens", `{"name":"forever","scopes":["read","secrets"]}`).is(201, &child)
	require.NoError(t, p.DeleteToken(t.Context(), made.ID))
	p.clock.pass(time.Hour)
	c := &client{plane: p, user: anna.user, token: child.Data.Secret}
	require.Equal(t, 401, c.ask("GET", "/api/v1/auth/me", "").StatusCode)
}

func TestAPanicInAChangeKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	func() {
		defer func() { _ = recover() }()
		_ = p.db.Write(t.Context(), func(*rows.Queries) error { panic("x") })
	}()
	done := make(chan error, 1)
	go func() { done <- p.db.Write(t.Context(), func(q *rows.Queries) error { return nil }) }()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(3 * time.Second):
		t.Error("every later write waits for ever")
		panic("end the test: Close would wait, too")
	}
}

func TestAGrantThatEndedDoesNotComeBackWithAKey(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	harness.Mess(t, p.storePath(), "UPDATE calls SET done = 0") // as of a process that died before the end
	require.NoError(t, p.Grant(t.Context(), "anna", registry.TenantID(made.ID), false))
	anna.ask("POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`, "Idempotency-Key", "key-of-shop-0123456789").refuses(404, "not_found")
	anna.ask("GET", "/api/v1/tenants/"+made.ID, "").refuses(404, "not_found")
}

// A job that waited for a slot while its tenant went.
func TestAStepOfATenantThatIsGoneLeavesNothing(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	jobs, _, err := p.due(t.Context())
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	require.NoError(t, p.change(t.Context(), func(reg *registry.Registry) error {
		_, err := reg.DeleteTenant(t.Context(), registry.Deletion{ID: registry.TenantID(made.ID), Dropped: true})
		return err
	}))
	require.NoError(t, p.forget(t.Context(), registry.TenantID(made.ID)))
	p.try(t.Context(), jobs[0])
	require.NoError(t, p.db.Read(t.Context(), func(q *rows.Queries) error {
		left, err := q.Troubles(t.Context())
		t.Log(left)
		require.Empty(t, left)
		return err
	}))
}

func TestARefusedReadingOfASecretIsInTheAudit(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna, rita := p.mustUser("anna", MemberRole), p.mustUser("rita", ReaderRole)
	made := anna.mustTenant("shop")
	require.NoError(t, p.Grant(t.Context(), "rita", registry.TenantID(made.ID), true))
	rita.ask("GET", "/api/v1/tenants/"+made.ID+"/credentials", "").refuses(403, "denied")
	acts, err := p.Acts(t.Context(), ActsAsked{User: rita.user.ID, Limit: 10})
	require.NoError(t, err)
	require.NotEmpty(t, acts)
}

func TestTheAuditSaysWithWhom(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	root, anna := p.mustUser("root", AdminRole), p.mustUser("anna", MemberRole)
	root.ask("PATCH", "/api/v1/users/"+anna.user.ID, `{"role":"admin"}`).is(200)
	acts, err := p.Acts(t.Context(), ActsAsked{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, "user.edit", acts[0].Action)
	require.Equal(t, "anna", acts[0].Target)
}

func revisionOf(p *plane) (revision int64) {
	p.t.Helper()
	require.NoError(p.t, p.read(p.t.Context(), func(view *registry.View) error {
		st, err := view.State(p.t.Context())
		revision = st.Revision
		return err
	}))
	return revision
}
