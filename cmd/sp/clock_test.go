package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAClockThatJumpsBreaksNothing (fault 36) sets the clock back and forward between
// commands: ids stay unique, the order is that of the commands, and a sync that lies
// in the future is not stale, nor in the way of anything.
func TestAClockThatJumpsBreaksNothing(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("init")
	s.must("export")
	var names []string
	for i, now := range []time.Time{
		noon, noon, noon.Add(-time.Hour), noon.AddDate(10, 0, 0), time.Unix(0, 0), time.Unix(-1, 999_999_999),
		time.Date(2016, 12, 31, 23, 59, 59, 999_999_999, time.UTC), // before a leap second
		noon.In(time.FixedZone("", -11*3600)), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), noon,
	} {
		s.now = now
		name := fmt.Sprintf("n%d", i)
		names = append(names, name)
		s.must("tenant", "create", "--name", name, "--database-url", "postgres://h/"+name)
		s.must("tenant", "select", s.ids()[i])
		s.must("profile", "create", name)
		s.must("session", "switch", name)
		require.Equal(t, "postgres://h/"+name+"\n", s.must("resolve").stdout)
		s.must("export", "--check")
		for _, command := range []string{"status", "explain", "tenant list", "tenant list --stale", "session show", "import --dry-run .systemprompt/tenants.json"} {
			s.must(strings.Fields(command)...)
		}
		s.must("import", ".systemprompt/tenants.json")
	}
	ids := map[string]bool{}
	for _, id := range s.ids() {
		ids[id] = true
	}
	require.Len(t, ids, len(names), s.ids())
	require.Equal(t, names, s.column("name"))
}

func TestASyncInTheFutureIsNotStale(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("import", s.write("in.json", `{"tenants": [{"id": "a", "name": "a", "tenant_type": "cloud"}], "synced_at": "2036-02-01T12:00:00Z"}`))
	require.Contains(t, s.must("status").stdout, "synced\t2036-02-01T12:00:00Z\n")
	s.now = noon.AddDate(11, 0, 0)
	require.Contains(t, s.must("status").stdout, "synced\t2036-02-01T12:00:00Z (stale)\n")
}

func (s *sandbox) ids() []string { return s.column("id") }

// column is one member of every tenant, in the order of the list.
func (s *sandbox) column(member string) (values []string) {
	var document struct{ Tenants []map[string]any }
	require.NoError(s.t, json.Unmarshal([]byte(s.must("tenant", "list", "--json").stdout), &document))
	for _, tenant := range document.Tenants {
		values = append(values, fmt.Sprint(tenant[member]))
	}
	return values
}
