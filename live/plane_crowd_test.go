package live

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// TestTwoHundredClientsAtOnce create, list and rotate without an error, and spd stays small. Each rotates as
// soon as his tenant is there, while others create. They take all the machine has, so nothing runs beside it.
func TestTwoHundredClientsAtOnce(t *testing.T) {
	const clients, most = 200, 256 << 10 // kB
	h := newHost(t, "crowd")
	h.addRegion("iad", h.admin)
	users := make([]account, 4)
	for i := range users {
		users[i] = h.user(fmt.Sprint("user", i), "member", "read,write,secrets")
	}
	h.start()
	crowd := make([]guest, clients)
	for i := range crowd {
		token := h.ask(users[i%len(users)], 201, "POST", "/api/v1/tokens", `{"name":"guest","scopes":["read","write","secrets"]}`).member("data.token")
		crowd[i] = guest{host: h, name: fmt.Sprint("guest", i), token: token}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var wait sync.WaitGroup
	var creating, met atomic.Int64
	creating.Store(clients)
	for i := range crowd {
		wait.Go(func() {
			g := &crowd[i]
			g.err = g.create(ctx)
			creating.Add(-1)
			if g.err == nil {
				g.err = g.rotate(ctx)
			}
			if creating.Load() > 0 {
				met.Add(1)
			}
		})
	}
	wait.Wait()
	for _, g := range crowd {
		require.NoError(t, g.err, "%s: %s", g.name, h.plane.said)
	}
	require.GreaterOrEqual(t, met.Load(), int64(clients/2), "rotations that were done while others created")
	peak := h.peak()
	for _, g := range crowd {
		require.True(t, opens(g.url), g.name)
	}
	h.agree()
	t.Logf("spd: at most %d MB; %d rotated while others created", peak>>10, met.Load())
	require.Less(t, peak, most)
}

// peak is the most memory that spd has had, in kB.
func (h *host) peak() int {
	h.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.plane.cmd.Process.Pid))
	require.NoError(h.t, err)
	found := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	require.NotNil(h.t, found)
	kb, err := strconv.Atoi(string(found[1]))
	require.NoError(h.t, err)
	return kb
}

// guest is one of many who ask at once.
type guest struct {
	*host
	name, token string
	path        string        // of his tenant
	url         secret.Secret // what opens its database
	err         error
}

// create makes a tenant, and waits for its database; meanwhile it lists.
func (g *guest) create(ctx context.Context) error {
	made, err := g.want(ctx, 202, "POST", "/api/v1/tenants", `{"name":"`+g.name+`","region":"iad"}`, "Idempotency-Key: a-key-to-create-"+g.name)
	if err != nil {
		return err
	}
	g.path = "/api/v1/tenants/" + made.member("data.id")
	if err := g.list(ctx); err != nil {
		return err
	}
	told, err := g.want(ctx, 200, "GET", g.path+"/events", "")
	if err == nil && !strings.Contains(string(told.text), "tenant_ready") {
		err = fmt.Errorf("it is not ready: %s", told.text)
	}
	return err
}

// rotate gives the database another password.
func (g *guest) rotate(ctx context.Context) error {
	rotated, err := g.want(ctx, 200, "POST", g.path+"/rotate-credentials", `{"grace_seconds":0}`, "Idempotency-Key: a-key-to-rotate-"+g.name)
	if err != nil {
		return err
	}
	g.url = secret.New(rotated.member("internal_database_url"))
	return g.list(ctx)
}

// list lists twice, the second time what did not change since unless it did.
func (g *guest) list(ctx context.Context) error {
	all, err := g.want(ctx, 200, "GET", "/api/v1/auth/me", "")
	if err != nil {
		return err
	}
	if !strings.Contains(string(all.text), `"`+g.name+`"`) {
		return fmt.Errorf("it is not in the list")
	}
	again, err := callPlane(ctx, g.plane.url, g.token, "GET", "/api/v1/auth/me", "", "If-None-Match: "+all.header.Get("ETag"))
	if err == nil && again.status != 200 && again.status != 304 {
		err = fmt.Errorf("list: %d: %s", again.status, again.text)
	}
	return err
}

func (g *guest) want(ctx context.Context, status int, method, path, body string, headers ...string) (answer, error) {
	a, err := callPlane(ctx, g.plane.url, g.token, method, path, body, headers...)
	if err == nil && a.status != status {
		err = fmt.Errorf("%s %s: %d: %s", method, path, a.status, a.text)
	}
	return a, err
}
