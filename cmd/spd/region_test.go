package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

// nobodyListens is an address of this machine where no server is.
const nobodyListens = "127.0.0.1:1"

// TestALostRegionIsRemovedWithItsTenants after a question, or with -y.
func TestALostRegionIsRemovedWithItsTenants(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna")
	s.mustTenantOn(nobodyListens, shop, "shop")
	s.mustTenantOn(nobodyListens, blog, "blog")
	f := s.refuses(4, "in_use", "region", "remove", "iad")
	require.Contains(t, *f.Hint, "if its server is gone for good: spd region remove iad --lost")
	require.NotContains(t, f.NextSteps, "spd region remove iad --lost")
	require.Contains(t, s.refuses(2, "confirmation_required", "region", "remove", "iad", "--lost").Message,
		"Forget region iad and its 2 tenants: "+shop+" (shop), "+blog+" (blog)? Its server 127.0.0.1:1 does not answer;")
	s.people, s.stdin = true, "n\n"
	require.Equal(t, 2, s.run("region", "remove", "iad", "--lost").exit)
	s.people = false
	require.Contains(t, s.must("region", "list").stdout, "iad")

	o := s.must("region", "remove", "iad", "--lost", "-y")
	require.Equal(t, "spd: region iad removed\nspd: forgotten with it: "+shop+" (shop), "+blog+" (blog); their databases are left on 127.0.0.1:1\n", o.stderr)
	require.Empty(t, s.must("region", "list").stdout+s.must("tenant", "list").stdout)
	require.Contains(t, s.must("audit", "--tenant", shop).stdout, "\ttenant.forget\t"+shop+"\tiad\tdone\n")
	require.Equal(t, "region iad: not found", s.refuses(3, "not_found", "region", "remove", "iad", "--lost", "-y").Message)

	s.mustTenantOn(nobodyListens, twin, "shop")
	var told map[string]any
	require.NoError(t, json.Unmarshal([]byte(s.must("region", "remove", "iad", "--lost", "-y", "--json").stdout), &told))
	require.Equal(t, map[string]any{"code": "iad", "forgotten": []any{map[string]any{"id": twin, "name": "shop"}}}, told)
}

// TestAServerThatLetsNobodyInIsNotLost: its administrator has another password, and the databases are there.
func TestAServerThatLetsNobodyInIsNotLost(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna")
	s.mustTenantOn(pgtest.Listen(t, pgtest.Says("28P01", "password authentication failed")), shop, "shop")
	f := s.refuses(4, "in_use", "region", "remove", "iad", "--lost", "-y")
	require.Contains(t, f.Message, "answers")
	require.Contains(t, f.NextSteps, "spd region add iad --server-stdin")
	require.Contains(t, s.must("tenant", "list").stdout, shop)
}

// TestAServerThatTakesNobodyNowIsNotLost: it is full, or reads a disk that does not answer.
func TestAServerThatTakesNobodyNowIsNotLost(t *testing.T) {
	t.Parallel()
	for state, message := range map[string]string{"53300": "sorry, too many clients already", "58030": "could not read file"} {
		s := newSandbox(t)
		s.must("user", "add", "anna")
		s.mustTenantOn(pgtest.Listen(t, pgtest.Says(state, message)), shop, "shop")
		require.Contains(t, s.refuses(4, "in_use", "region", "remove", "iad", "--lost", "-y").Message, "answers")
		require.Contains(t, s.must("tenant", "list").stdout, shop)
	}
}

// TestARegionThatOthersCannotReachIsToldOf when it is added, and when spd serves others: sp refuses its
// tenants' URLs on other machines. For users on this one it works, and is as good as any.
func TestARegionThatOthersCannotReachIsToldOf(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	admin := pgtest.Server(t)
	s.stdin = admin.Reveal()
	added := s.must("region", "add", "iad", "--server-stdin").stderr
	require.Contains(t, added, "spd: region iad added\nspd: region iad is at 127.0.0.1, which only programs on this machine reach: if ")
	for url, told := range map[string]int{"https://cloud.example": 1, "http://localhost:8787": 0, "http://127.0.0.1:8787": 0, "": 0} {
		line := []string{"--listen", "127.0.0.1:0"}
		if url != "" {
			line = append(line, "--url", url)
		}
		served := s.must(line...).stderr
		require.Equal(t, told, strings.Count(served, "region iad is at 127.0.0.1, which users of https://cloud.example on other machines can't reach: "), served)
		require.Equal(t, told, strings.Count(served, "region iad"), served)
	}
}
