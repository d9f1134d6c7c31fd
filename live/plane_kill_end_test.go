package live

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

// TestWhatEndsWhileItsPlaneIsKilledEndsAllTheSame, by the loop of the next process: a login whose grace is
// over, what may be written to a tenant that was cancelled, and then a tenant that was deleted, with all that
// belonged to it.
func TestWhatEndsWhileItsPlaneIsKilledEndsAllTheSame(t *testing.T) {
	needStrace(t)
	t.Parallel()
	h := newHost(t, "kill_plane_end")
	h.addRegion("iad", h.admin)
	anna := h.user("anna", "member", "read,write,secrets")
	var path string
	var before, url secret.Secret
	h.prepared = func(i int) {
		id := h.ready(anna, fmt.Sprint("k", i))
		path, before = "/api/v1/tenants/"+id, h.url(anna, id)
		url = secret.New(h.ask(anna, 200, "POST", path+"/rotate-credentials", "").member("internal_database_url"))
		h.await(func() bool { return harness.ChangeSQLite(h.registry(), endGrace) == nil })
	}
	h.sweep(14, func(int) {
		a := h.insist(anna, "POST", path+"/subscription/cancel", "null")
		require.Equal(t, 200, a.status, "%s", a.text)
		h.until(func() bool {
			is, err := pgtest.Try(url, `SHOW default_transaction_read_only`)
			return err == nil && slices.Equal(is, []string{"on"}) && h.none(`SELECT tenant_id FROM databases WHERE retire_at IS NOT NULL`)
		})
		require.False(t, opens(before))
		a = h.insist(anna, "DELETE", path, "")
		require.Contains(t, []int{204, 404}, a.status, "%s", a.text)
		h.until(func() bool { return h.none(`SELECT tenant_id FROM databases`) })
	}, func(int) {
		require.False(t, opens(url))
		require.Equal(t, 404, h.insist(anna, "GET", path+"/status", "").status)
		h.agree()
	})
}

// endGrace has the login that a rotation left be due to end.
const endGrace = `PRAGMA journal_mode = TRUNCATE; UPDATE databases SET retire_at = 1 WHERE retire_at IS NOT NULL`

// none tells whether a query of the registry finds nothing.
func (h *host) none(query string) bool {
	found, err := askedOf(h.registry(), query)
	return err == nil && len(found) == 0
}

// until waits until something is so by the loop alone. Where spd has ended, it is started again.
func (h *host) until(isSo func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); !isSo(); time.Sleep(10 * time.Millisecond) {
		require.True(h.t, time.Now().Before(deadline), "not so within a minute: %s", h.plane.said)
		if !h.runs() {
			h.startAgain()
		}
	}
}
