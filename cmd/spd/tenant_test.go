package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// inRegistry changes the registry of the control plane as spd would.
func (s *sandbox) inRegistry(fn func(*registry.Registry) error) {
	s.t.Helper()
	reg, err := registry.Open(s.t.Context(), filepath.Join(s.dir(), "sp.db"), registry.Options{
		Now: time.Now, Rand: rand.Reader, Wait: 10 * time.Second, Command: "test", Trust: db.Trust{Named: true},
	})
	require.NoError(s.t, err)
	require.NoError(s.t, fn(reg))
	require.NoError(s.t, reg.Close())
}

// inStore changes serve.db as spd would.
func (s *sandbox) inStore(fn func(*rows.Queries) error) {
	s.t.Helper()
	store, err := rows.Open(s.t.Context(), filepath.Join(s.dir(), "serve.db"))
	require.NoError(s.t, err)
	require.NoError(s.t, store.Write(s.t.Context(), fn))
	require.NoError(s.t, store.Close())
}

// mustTenant records a tenant in the region iad, whose server nobody is to ask.
func (s *sandbox) mustTenant(id, name string) { s.mustTenantOn("db.example.org:5432", id, name) }

// mustTenantOn records a tenant in the region iad, and where the server of that is.
func (s *sandbox) mustTenantOn(address, id, name string) {
	s.t.Helper()
	server, err := registry.ServerAt(secret.New("postgres://admin:pw@" + address + "/postgres"))
	require.NoError(s.t, err)
	s.inRegistry(func(reg *registry.Registry) error {
		if err := reg.AddRegion(s.t.Context(), "iad", server); err != nil {
			return err
		}
		t := registry.NewLocal(registry.TenantID(id), name, secret.Secret{})
		t.DatabaseURL, t.Region = nil, new("iad")
		_, err := reg.CreateTenant(s.t.Context(), registry.NewTenant{
			Tenant: t, AllowDuplicateName: true, Database: &registry.PlannedDatabase{Server: server, Name: "sp_" + id[:8]},
		})
		return err
	})
}

const shop, blog, twin = "7c8e722d-4321-48af-be5b-c42d2192ea79", "7c8e9999-4321-48af-be5b-c42d2192ea79", "0dbc782d-8755-47f3-9441-4131604c5220"

// TestIdsOfTenantsAreWholeAtATerminal, however many users have a tenant: grant and sp take them.
func TestIdsOfTenantsAreWholeAtATerminal(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna")
	s.mustTenant(shop, "shop")
	var users []string
	for i := range 9 {
		users = append(users, fmt.Sprintf("somebody-%d", i))
		s.must("user", "add", users[i])
		s.must("grant", users[i], "shop")
	}
	s.people = true
	shown := s.must("tenant", "list").stdout
	require.Contains(t, shown, "  "+shop+"  shop  iad     provisioning  somebody-0,…\n")
	requireNarrow(t, shown)
}

// requireNarrow holds what is shown to the 80 columns of a terminal.
func requireNarrow(t *testing.T, shown string) {
	t.Helper()
	for line := range strings.Lines(shown) {
		require.LessOrEqual(t, len([]rune(line)), 81, line)
	}
}

// TestAWordForATenantIsEnough: its name or the beginning of its id, if only one is meant.
func TestAWordForATenantIsEnough(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna")
	s.mustTenant(shop, "shop")
	s.mustTenant(blog, "blog")
	s.mustTenant(twin, "blog")
	for _, word := range []string{"shop", "7c8e722d", "7c8e722d…", "7c8e722d...", shop, "id:" + shop} {
		o := s.must("grant", "anna", word)
		require.Equal(t, "spd: user anna can use tenant "+shop+" (shop)\n", o.stderr, word)
		s.must("grant", "anna", word, "--revoke")
	}
	for word, ids := range map[string][]string{"blog": {blog, twin}, "7c8e": {shop, blog}} {
		for _, line := range [][]string{{"grant", "anna", word}, {"token", "create", "anna", "--tenant", word}, {"audit", "--tenant", word}} {
			f := s.refuses(2, "ambiguous", line...)
			for _, id := range ids {
				require.Contains(t, f.Message, id, line)
				require.Contains(t, f.Candidates, id, line)
			}
		}
	}
	for _, line := range [][]string{{"grant", "anna", "shpo"}, {"token", "create", "anna", "--tenant", "shpo"}, {"audit", "--tenant", "shpo"}} {
		f := s.refuses(3, "not_found", line...)
		require.Equal(t, "tenant shpo: not found", f.Message)
		require.Contains(t, *f.Hint, "did you mean shop?")
	}
	require.Equal(t, 2, strings.Count(s.must("audit", "--tenant", "shop", "--limit", "2").stdout, shop))
	require.Empty(t, s.must("audit", "--tenant", "00000000-4321-48af-be5b-c42d2192ea79").stdout, "the audit has deleted ones, too")
	var made struct{ Tenants []string }
	require.NoError(t, json.Unmarshal([]byte(s.must("token", "create", "anna", "--tenant", "shop", "--json").stdout), &made))
	require.Equal(t, []string{shop}, made.Tenants)
}

// TestAWordForATokenIsEnough: the beginning of its id, if it is the only one.
func TestAWordForATokenIsEnough(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna")
	var made struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(s.must("token", "create", "anna", "--json").stdout), &made))
	require.Equal(t, "token "+made.ID[1:]+": not found", s.refuses(3, "not_found", "token", "delete", made.ID[1:]).Message)
	require.Contains(t, *s.refuses(3, "not_found", "token", "delete", "…").Hint, "spd token list")
	require.Contains(t, *s.refuses(3, "not_found", "token", "delete", made.ID[:34]+"zz").Hint, "did you mean "+made.ID+"?")
	require.Equal(t, "spd: token "+made.ID+" deleted\n", s.must("token", "delete", made.ID[:8]+"…").stderr)
	require.Empty(t, s.must("token", "list").stdout)
}

// TestATokenThatMayBeTwoIsNamed by both ids, and neither is deleted.
func TestATokenThatMayBeTwoIsNamed(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna")
	var ids []string
	for range 17 { // of which two begin alike
		var made struct{ ID string }
		require.NoError(t, json.Unmarshal([]byte(s.must("token", "create", "anna", "--json").stdout), &made))
		for _, id := range ids {
			if id[0] == made.ID[0] {
				f := s.refuses(2, "ambiguous", "token", "delete", id[:1])
				require.Contains(t, f.Message, id)
				require.Contains(t, f.Candidates, made.ID)
				require.Equal(t, len(ids)+1, strings.Count(s.must("token", "list").stdout, "\n"))
				return
			}
		}
		ids = append(ids, made.ID)
	}
	t.Fatal("no two begin alike")
}

// TestTokensSayWhenTheyEnd, and their ids are whole.
func TestTokensSayWhenTheyEnd(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna")
	var made struct{ ID, Prefix string }
	require.NoError(t, json.Unmarshal([]byte(s.must("token", "create", "anna", "--expires", "720h", "--json").stdout), &made))
	require.Equal(t, made.ID+"\tanna\tspd token create\t"+made.Prefix+"…\tread,write,secrets\t2026-03-03T12:00:00Z\tnever\n", s.must("token", "list").stdout)
	s.people = true
	shown := s.must("token", "list").stdout
	require.Contains(t, shown, "  "+made.ID+"  anna  ")
	require.Contains(t, shown, "  2026-03-03  never\n")
	require.Contains(t, shown, "EXPIRES     LAST USED\n")
	requireNarrow(t, shown)
}

// TestATenantsStatusIsInTheWordsOfEverybody, with why one failed.
func TestATenantsStatusIsInTheWordsOfEverybody(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna")
	for i, name := range []string{"new", "works", "broken", "going", "cancelled"} {
		s.mustTenant(fmt.Sprint(i)+shop[1:], name)
	}
	id := func(i int) string { return fmt.Sprint(i) + shop[1:] }
	s.inRegistry(func(reg *registry.Registry) error {
		for _, i := range []int{1, 4} {
			if _, err := reg.PublishCredentials(t.Context(), registry.Credentials{Tenant: registry.TenantID(id(i)), URL: secret.New("postgres://u:p@h/d"), Login: registry.LoginA}); err != nil {
				return err
			}
		}
		return reg.DropDatabase(t.Context(), registry.TenantID(id(3)))
	})
	s.inStore(func(q *rows.Queries) error {
		at := int64(1)
		if err := q.PutCancellation(t.Context(), rows.PutCancellationParams{TenantID: id(4), DeleteAt: &at}); err != nil {
			return err
		}
		return q.PutTrouble(t.Context(), rows.PutTroubleParams{TenantID: id(2), Making: true, Failures: 10, Reason: "db.example.org:5432: connection refused"})
	})
	o := s.must("tenant", "list")
	require.Equal(t, id(0)+"\tnew\tiad\tprovisioning\n"+id(1)+"\tworks\tiad\tready\n"+id(2)+"\tbroken\tiad\tfailed\n"+
		id(3)+"\tgoing\tiad\tdeleting\n"+id(4)+"\tcancelled\tiad\tready, cancelled\n", o.stdout)
	require.Equal(t, "spd: failed: "+id(2)+" (broken): db.example.org:5432: connection refused\n", o.stderr)
	var told struct{ Tenants []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(s.must("tenant", "list", "--json").stdout), &told))
	require.Equal(t, map[string]any{
		"id": id(2), "name": "broken", "region": "iad", "status": "failed", "message": "db.example.org:5432: connection refused",
		"subscription_canceled": false, "users": []any{},
	}, told.Tenants[2])
	require.Nil(t, told.Tenants[1]["message"])
	require.Equal(t, true, told.Tenants[4]["subscription_canceled"])
}
