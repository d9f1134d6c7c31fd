package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
}
