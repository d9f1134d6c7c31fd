package server

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// mustClosedRegion adds a region at whose port nobody listens.
func (p *plane) mustClosedRegion(code string) {
	p.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(p.t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(p.t, err)
	require.NoError(p.t, listener.Close())
	server, err := registry.ServerAt(secret.New("postgres://admin:canary-admin@" + listener.Addr().String() + "/postgres"))
	require.NoError(p.t, err)
	require.NoError(p.t, p.addRegion(p.t.Context(), code, server))
}

// mustDo takes the only step that is due.
func (p *plane) mustDo() {
	p.t.Helper()
	jobs, _, err := p.due(p.t.Context())
	require.NoError(p.t, err)
	require.Len(p.t, jobs, 1)
	p.try(p.t.Context(), jobs[0])
}

// mustRest wants nothing to be due, and the loop to look again in time.
func (p *plane) mustRest(most time.Duration) {
	p.t.Helper()
	jobs, next, err := p.due(p.t.Context())
	require.NoError(p.t, err)
	require.Empty(p.t, jobs)
	require.LessOrEqual(p.t, next, most)
}

// TestATenantWhoseRegionDoesNotAnswerFailsInTheEnd and can be begun again. The pauses between the
// tries double, and what is told of them has no secret.
func TestATenantWhoseRegionDoesNotAnswerFailsInTheEnd(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustClosedRegion("iad")
	anna := p.mustUser("anna", MemberRole)
	path := "/api/v1/tenants/" + anna.mustTenant("shop").ID
	pause := firstPause
	var now data[Status]
	for range maxTries - 1 {
		p.mustDo()
		anna.ask("GET", path+"/status", "").is(200, &now)
		require.Equal(t, provisioning, now.Data.Status)
		require.Contains(t, now.Data.Message, "connection refused")
		p.mustRest(min(pause, lookEvery))
		p.clock.pass(pause - time.Millisecond)
		p.mustRest(time.Millisecond)
		p.clock.pass(time.Millisecond)
		pause = min(2*pause, longest)
	}
	p.mustDo()
	anna.ask("GET", path+"/status", "").is(200, &now)
	require.Equal(t, failed, now.Data.Status)
	require.Contains(t, now.Data.Message, "connection refused")
	p.clock.pass(24 * time.Hour)
	p.mustRest(lookEvery)
	told := string(anna.ask("GET", path+"/events", "").is(200).text)
	for _, one := range []string{"try 1: ", "try 9: ", "connection refused", `"status":"failed"`} {
		require.Contains(t, told, one)
	}
	require.NotContains(t, told+now.Data.Message+p.log.String(), "canary")

	anna.ask("POST", path+"/retry-provision", "").is(200, &now.Data)
	require.Equal(t, provisioning, now.Data.Status)
	p.mustDo()
	require.Contains(t, string(mustEvents(p, path)), "begun again")
	p.mustRest(firstPause)
}

func mustEvents(p *plane, path string) (text []byte) {
	p.t.Helper()
	found, err := p.eventsAfter(p.t.Context(), registry.TenantID(strings.TrimPrefix(path, "/api/v1/tenants/")), 0)
	require.NoError(p.t, err)
	for _, e := range found {
		text = append(text, e.Message+"\n"...)
	}
	return text
}

// TestPausesAreBounded, so that a region that comes back is seen within minutes. What is no creation
// is tried for ever.
func TestPausesAreBounded(t *testing.T) {
	t.Parallel()
	require.Equal(t, time.Second, pauseAfter(1))
	require.Equal(t, 8*time.Second, pauseAfter(4))
	require.Equal(t, 256*time.Second, pauseAfter(9))
	require.Equal(t, longest, pauseAfter(10))
	require.Equal(t, longest, pauseAfter(1_000_000))
	p := mustPlane(t)
	p.mustClosedRegion("iad")
	anna := p.mustUser("anna", MemberRole)
	path := "/api/v1/tenants/" + anna.mustTenant("shop").ID
	anna.ask("DELETE", path, "").is(204)
	for range 3 * maxTries {
		p.mustDo()
		p.clock.pass(longest)
	}
	require.NoError(t, p.db.Read(t.Context(), func(q *rows.Queries) error {
		all, err := q.Troubles(t.Context())
		require.Len(t, all, 1)
		require.NotNil(t, all[0].NextAt)
		return err
	}))
	anna.ask("DELETE", path, "").is(204)
	var now data[Status]
	anna.ask("GET", path+"/status", "").is(200, &now)
	require.Equal(t, deleting, now.Data.Status)
}

// TestTheLoopForgetsNoTenantThatIsBeingMade: without an idempotency key nothing says yet that it comes.
// What is gone is forgotten before anybody asks.
func TestTheLoopForgetsNoTenantThatIsBeingMade(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	anna := p.mustUser("anna", MemberRole)
	who, err := p.admit(t.Context(), "Bearer "+anna.token, bearerScheme, []string{"write"})
	require.NoError(t, err)
	const coming = registry.TenantID("0b0f9a26-0000-4000-8000-000000000001")
	require.NoError(t, p.grantTo(context.WithValue(t.Context(), principalKey, who), coming)) // the first step of a creation
	granted := func() []registry.TenantID {
		u, err := p.UserNamed(t.Context(), "anna")
		require.NoError(t, err)
		return u.Tenants
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.NoError(t, p.Run(ctx))
	require.Equal(t, []registry.TenantID{coming}, granted())
	_, err = p.Handler(t.Context()) // the next process
	require.NoError(t, err)
	require.Empty(t, granted())
}
