package tenant

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// members are those of a value in JSON.
func members(t *testing.T, value any) map[string]any {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	var found map[string]any
	require.NoError(t, json.Unmarshal(text, &found))
	return found
}

// TestARotationAnswersWithTheWholeRecord: it is what show says, and what only a rotation knows.
func TestARotationAnswersWithTheWholeRecord(t *testing.T) {
	t.Parallel()
	ends := task.Time(time.Date(2026, 2, 1, 12, 10, 0, 0, time.UTC))
	tenant := registry.NewLocal("a", "first", secret.New("postgres://u:s3cret@h/a"))
	shown := record{task.RecordOf(tenant, registry.Selection{}, task.Masked), behind{
		Database: &task.DatabaseRecord{Name: "sp_a", Server: "local", State: registry.Ready, OldEnds: &ends}, Forgotten: []string{},
	}}
	found := members(t, rotated{shown, false, []task.TenantRef{task.RefOf(registry.Tenant{ID: "b", Name: "second", Kind: registry.Local})}, []task.StrangerRecord{}})
	for name, value := range members(t, shown) {
		require.Equal(t, value, found[name], name)
	}
	require.Equal(t, "2026-02-01T12:10:00.000000Z", found["database"].(map[string]any)["old_login_ends_at"])
	require.Equal(t, map[string]any{"id": "b", "name": "second", "type": "local"}, found["also"].([]any)[0])
	require.Equal(t, false, found["passwords_unchecked"])
	require.NotContains(t, found["database_url"], "s3cret")
}

// TestEveryDeletionAnswersTheSameMembers, whether or not the tenant was still there.
func TestEveryDeletionAnswersTheSameMembers(t *testing.T) {
	t.Parallel()
	d := registry.Database{Tenant: "a", Name: "sp_a", Server: "local", State: registry.Dropping}
	whole := members(t, removalOf(registry.Removed{Tenant: registry.NewLocal("a", "first", secret.Secret{})}, &d, registry.Deletion{Dropped: true}))
	orphan := members(t, orphanRemoval(d, true))
	require.Len(t, orphan, len(whole))
	for name := range whole {
		require.Contains(t, orphan, name)
	}
	require.Equal(t, "a", orphan["id"])
	require.Nil(t, orphan["name"])
	require.Equal(t, whole["database"], orphan["database"])
}

// TestFlagsAreOfTheRecord: an edit has a flag for each member that can change, three for a secret.
func TestFlagsAreOfTheRecord(t *testing.T) {
	t.Parallel()
	flags := map[string]bool{}
	for _, f := range editCommand().Flags {
		require.NotContains(t, f.Usage, "`", f.Name)
		flags[f.Name] = true
	}
	for _, m := range registry.Members {
		require.Equal(t, !m.Fixed, flags[flagOf(m)], m.Name)
		require.Equal(t, m.Secret && !m.Fixed, flags[flagOf(m)+"-stdin"], m.Name)
	}
}
