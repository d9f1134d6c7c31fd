package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rows "github.com/sp-registry/sp/db/server"
)

// TestTheAuditIsReadableAtATerminal of 80 columns: times and outcomes stay whole.
func TestTheAuditIsReadableAtATerminal(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna@example.org")
	s.must("token", "create", "anna@example.org")
	require.Equal(t, "2026-02-01T12:00:00Z\tspd\t\tuser.add\t\tanna@example.org\tdone\n", strings.SplitAfterN(s.must("audit").stdout, "\n", 2)[1])
	s.people = true
	shown := s.must("audit").stdout
	require.Contains(t, shown, "2026-02-01 12:00  spd        user.add      anna@example.org  done\n")
	require.Contains(t, shown, "spd audit --json")
	long := strings.Repeat("ä", 18) // as many bytes as an id has
	s.must("user", "add", long)
	require.Contains(t, s.must("audit").stdout, long+"  done\n")
	s.inStore(func(q *rows.Queries) error {
		return q.InsertAudit(t.Context(), rows.InsertAuditParams{
			At: 1, UserName: "the sync token of tenant " + shop, TokenID: twin, Address: "2001:db8:1234:5678:9abc:def0:1234:5678",
			Action: "files.write", TenantID: shop, Outcome: "done",
		})
	})
	require.Contains(t, s.must("audit").stdout, "  1970-01-01 00:00  sync token  2001:db8")
}

// TestWhatSpdHasNotIsNull in its documents, as in those of sp.
func TestWhatSpdHasNotIsNull(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("user", "add", "anna")
	s.must("token", "create", "anna")
	s.mustTenant(shop, "shop")
	for _, line := range [][]string{{"audit"}, {"token", "list"}, {"user", "list"}, {"tenant", "list"}} {
		require.NotContains(t, s.must(append(line, "--json")...).stdout, `""`, line)
	}
	require.Contains(t, s.must("audit", "--json").stdout, `      "address": null,
      "request_id": null,
      "action": "token.create",
      "tenant_id": null,
      "target": "anna",
`)
}
