package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

// TestAnEventWakesWhoFollowsItsTenantAlone: of two hundred who follow their own, each would look as
// often as there are events of all.
func TestAnEventWakesWhoFollowsItsTenantAlone(t *testing.T) {
	t.Parallel()
	var n news
	one, again, other := n.wait("one"), n.wait("one"), n.wait("other")
	n.tell("nobody's")
	n.tell("one")
	for _, told := range []<-chan struct{}{one, again} {
		_, open := <-told
		require.False(t, open)
	}
	require.Len(t, n.next, 1)
	select {
	case <-other:
		require.Fail(t, "woken for another's event")
	default:
	}
	n.tell("other")
	_, open := <-other
	require.False(t, open)
	require.Empty(t, n.next)
}

// TestAStreamEndsForWhoIsLockedOut, though there is no event.
func TestAStreamEndsForWhoIsLockedOut(t *testing.T) {
	t.Parallel()
	for name, lockOut := range map[string]func(p *plane, bert *client, tenant string) error{
		"no grant": func(p *plane, _ *client, tenant string) error {
			return p.Grant(t.Context(), "bert", registry.TenantID(tenant), false)
		},
		"not active": func(p *plane, bert *client, _ string) error {
			_, err := p.EditUser(t.Context(), bert.user.ID, UserEdit{Active: new(false)})
			return err
		},
		"no token": func(p *plane, bert *client, _ string) error {
			tokens, err := p.Tokens(t.Context())
			for _, token := range tokens {
				if token.User == bert.user.ID {
					err = errors.Join(err, p.DeleteToken(t.Context(), token.ID))
				}
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mustPlane(t)
			p.beat = 20 * time.Millisecond
			p.mustRegion("iad", "db.example.org")
			anna, bert := p.mustUser("anna", MemberRole), p.mustUser("bert", MemberRole)
			id := anna.mustTenant("shop").ID
			require.NoError(t, p.Grant(t.Context(), "bert", registry.TenantID(id), true))
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, "GET", p.http.URL+"/api/v1/tenants/"+id+"/events", nil)
			require.NoError(t, err)
			r.Header.Set("Authorization", "Bearer "+bert.token)
			response, err := p.http.Client().Do(r)
			require.NoError(t, err)
			defer func() { require.NoError(t, response.Body.Close()) }()
			lines := bufio.NewReader(response.Body)
			for line := ""; !strings.Contains(line, "heartbeat"); { // so it goes on by itself
				line, err = lines.ReadString('\n')
				require.NoError(t, err)
			}
			require.NoError(t, lockOut(p, bert, id))
			_, err = io.Copy(io.Discard, lines)
			require.NoError(t, err, "it goes on")
		})
	}
}

// TestAStreamGoesOnBehindWhatWasRead: what is no number is nothing that was read, and behind a number that no
// event has yet comes what is new.
func TestAStreamGoesOnBehindWhatWasRead(t *testing.T) {
	t.Parallel()
	for last, ids := range map[string][]string{
		"": {"1", "2"}, "x": {"1", "2"}, "-5": {"1", "2"}, "9223372036854775808": {"1", "2"}, "0": {"1", "2"}, "1": {"2"}, "1000000": {"2"}, "9223372036854775807": {"2"},
	} {
		t.Run(last, func(t *testing.T) {
			t.Parallel()
			p := mustPlane(t)
			p.beat = 20 * time.Millisecond
			p.mustRegion("iad", "db.example.org")
			anna := p.mustUser("anna", MemberRole)
			id := anna.mustTenant("shop").ID
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, "GET", p.http.URL+"/api/v1/tenants/"+id+"/events", nil)
			require.NoError(t, err)
			r.Header.Set("Authorization", "Bearer "+anna.token)
			r.Header.Set("Last-Event-ID", last)
			response, err := p.http.Client().Do(r)
			require.NoError(t, err)
			defer func() { require.NoError(t, response.Body.Close()) }()
			var got []string
			began := false
			for lines := bufio.NewScanner(response.Body); lines.Scan(); {
				if number, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
					got = append(got, number)
				}
				if !began && strings.Contains(lines.Text(), "heartbeat") {
					began = true
					p.mustReady(id)
					require.NoError(t, p.tell(t.Context(), registry.TenantID(id), event{Type: "tenant_ready", Status: ready}))
				}
			}
			require.Equal(t, ids, got)
		})
	}
}
