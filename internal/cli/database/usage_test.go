package database

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// TestTheTableFits80Columns: what is never cut leaves room for the rest, however much there is of it.
func TestTheTableFits80Columns(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var d databaseState
	d.DatabaseRecord = task.DatabaseRecord{Name: "sp_a", State: registry.Provisioning}
	d.Size, d.Oldest, d.Written = new(int64(999_499_999_999)), timeOf(new(now.Add(-47*time.Hour))), timeOf(new(now.Add(-9999*24*time.Hour)))
	d.Sessions = slices.Repeat([]session{{Old: true}}, 999)
	f := found{Servers: []state{{Databases: []databaseState{d}}, {}}}
	a := f.forPeople(now)
	width := 0
	for row := range a.Rows {
		require.Equal(t, []string{"sp_a", "", "", "999 GB", "999 (999 old)", "47h", "written 9999d", "provisioning"}, row.Cells)
		for i, cell := range row.Cells {
			const least = 4 // of a column that is cut
			held := least
			if slices.Contains(a.Whole, a.Heads[i]) {
				held = max(cli.Width(a.Heads[i]), cli.Width(cell))
			}
			width += 2 + held
		}
	}
	require.LessOrEqual(t, width, 80)
}

func TestCallersAreNamedOnce(t *testing.T) {
	t.Parallel()
	d := registry.Database{Name: "sp_a", Login: registry.LoginB}
	u := usageOf(d, "sp_a", map[string]provision.Usage{"sp_a": {There: true, Sessions: []provision.Session{
		{Role: "sp_a_a", Application: "web", Client: "10.0.0.1"},
		{Role: "sp_a_a", Application: "web", Client: "10.0.0.1"},
		{Role: "sp_a_a"},
		{Role: "sp_a_b", Application: "new"},
		{Role: "postgres", Application: "pgAdmin"},
	}}})
	require.Equal(t, []string{"web at 10.0.0.1", "a client without a name"}, callers(u.onOldLogin()))
	require.Nil(t, u.Sessions[4].Login, "it is no login of the tenant's")
}

func TestSizesAreForPeople(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 7_634_279: "7.6 MB", 54_109_503_488: "54 GB", 999_999: "1000 kB", 3e15: "3000 TB"} {
		require.Equal(t, want, sizeOf(bytes))
	}
}

// TestAStoppedServersDatabasesAreNotReady, of whose use nothing is known; what starts it is named.
func TestAStoppedServersDatabasesAreNotReady(t *testing.T) {
	t.Parallel()
	var d databaseState
	d.DatabaseRecord = task.DatabaseRecord{Name: "sp_a", State: registry.Ready}
	s := state{record: record{Name: "local"}, Databases: []databaseState{d}}
	s.State, s.advice = hosting.ServerStopped, cli.Advise("%s starts server local", cli.To("sp db up"))
	a := found{Servers: []state{s}}.forPeople(time.Now())
	require.Equal(t, []string{"NAME", "TENANT", "SERVER", "STATE"}, a.Heads)
	for row := range a.Rows {
		require.Equal(t, []string{"sp_a", "", "", "stopped"}, row.Cells)
	}
	require.Contains(t, a.Foot.String(), "sp db up starts server local")
}
