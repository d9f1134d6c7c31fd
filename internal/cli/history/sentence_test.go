package history

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

// TestAChangeIsToldInWords: each kind of thing by what the change means, in the tenants' names.
func TestAChangeIsToldInWords(t *testing.T) {
	t.Parallel()
	called := map[registry.TenantID]string{"a": "my-project", "b": "my-project-prod"}
	s := sayer{terminal: true, names: func(id registry.TenantID) task.TenantRef {
		if name, ok := called[id]; ok {
			return task.TenantRef{ID: id, Name: &name}
		}
		return task.TenantRef{ID: id}
	}}
	for _, c := range []struct {
		entity        registry.Entity
		id            string
		before, after string // JSON; "" for not there
		want          string
	}{
		{registry.TenantEntity, "a", "", `{"name": "my-project"}`, "created tenant my-project"},
		{registry.TenantEntity, "a", `{"name": "my-project", "region": "iad"}`, "", "removed tenant my-project"},
		{registry.TenantEntity, "a", `{"name": "old"}`, `{"name": "my-project"}`, "renamed tenant old to my-project"},
		{registry.TenantEntity, "a", `{"name": "old"}`, `{"name": "my-project", "region": "iad"}`, "renamed tenant old to my-project (region)"},
		{registry.TenantEntity, "a", `{"region": "iad"}`, `{"database_url": {"digest": "x"}}`, "changed tenant my-project (database_url, region)"},
		{registry.TenantEntity, "gone", `{"a": 1, "b": 1, "c": 1}`, `{"d": 1, "e": 1}`, "changed tenant gone (a, b, c, 2 more)"},
		{registry.ProfileEntity, "p", "", `{"tenant_id": "a"}`, "created profile p of my-project"},
		{registry.ProfileEntity, "p", `{"tenant_id": "a"}`, "", "removed profile p of my-project"},
		{registry.ProfileEntity, "p", `{"tenant_id": "a"}`, `{"tenant_id": "b"}`, "linked profile p to my-project-prod instead of my-project"},
		{registry.ProfileEntity, "p", `{}`, `{"secrets.api": {"digest": "x"}}`, "changed profile p (secrets.api)"},
		{registry.SessionEntity, "a", "", `{"profile": "p", "chosen_at": "x"}`, "chose profile p for my-project"},
		{registry.SessionEntity, "a", `{"profile": "p"}`, `{"profile": "q"}`, "chose profile q for my-project instead of p"},
		{registry.SessionEntity, "a", `{}`, `{"token": {"digest": "x"}}`, "logged in to my-project"},
		{registry.SessionEntity, "a", `{"token": {"digest": "x"}}`, `{}`, "logged out of my-project"},
		{registry.SessionEntity, "a", `{"profile": "p"}`, "", "ended the session of my-project"},
		{registry.SelectionEntity, "selection", `{"tenant_id": "a"}`, `{"tenant_id": "b", "previous_tenant_id": "a"}`, "selected my-project-prod instead of my-project"},
		{registry.SelectionEntity, "selection", `{}`, `{"tenant_id": "b"}`, "selected my-project-prod"},
		{registry.SelectionEntity, "selection", `{"tenant_id": "b"}`, `{"deleted_tenant_id": "b"}`, "selected no tenant instead of my-project-prod"},
		{registry.SelectionEntity, "selection", `{}`, `{"default_profile": "p"}`, "made p the default profile"},
		{registry.SelectionEntity, "selection", `{"default_profile": "p"}`, `{"default_profile": "q"}`, "made q the default profile instead of p"},
		{registry.SelectionEntity, "selection", `{"default_profile": "p"}`, `{}`, "made no profile the default instead of p"},
		{registry.SelectionEntity, "selection", `{"previous_tenant_id": "a"}`, `{}`, "changed the selection"},
		{"document", "document", `{"synced_at": "x"}`, `{"synced_at": "y"}`, "set synced_at"},
	} {
		change := registry.Change{Entries: []registry.Entry{{Entity: c.entity, ID: c.id, Before: image(t, c.before), After: image(t, c.after)}}}
		require.Equal(t, c.want, s.words(change))
	}
}

func image(t *testing.T, text string) (image map[string]json.RawMessage) {
	t.Helper()
	if text != "" {
		require.NoError(t, json.Unmarshal([]byte(text), &image))
	}
	return image
}

// TestTheUseOfASessionIsNotToldBesideAnotherThing: it says only that a time went on.
func TestTheUseOfASessionIsNotToldBesideAnotherThing(t *testing.T) {
	t.Parallel()
	s := sayer{names: func(id registry.TenantID) task.TenantRef { return task.TenantRef{ID: id} }}
	use := registry.Entry{Entity: registry.SessionEntity, ID: "a", Before: image(t, `{"chosen_at": "x"}`), After: image(t, `{"chosen_at": "y"}`)}
	selection := registry.Entry{Entity: registry.SelectionEntity, ID: "selection", Before: image(t, `{"tenant_id": "a"}`), After: image(t, `{"tenant_id": "b"}`)}
	require.Equal(t, "selected b instead of a", s.words(registry.Change{Entries: []registry.Entry{use, selection}}))
	require.Equal(t, "used the session of a", s.words(registry.Change{Entries: []registry.Entry{use}}))
}

// TestManyEntriesOfAKindAreCounted, and so is what the history leaves out.
func TestManyEntriesOfAKindAreCounted(t *testing.T) {
	t.Parallel()
	s := sayer{names: func(id registry.TenantID) task.TenantRef { return task.TenantRef{ID: id} }}
	c := registry.Change{Omitted: 7}
	for _, id := range []string{"a", "b", "c", "d"} {
		c.Entries = append(c.Entries, registry.Entry{Entity: registry.TenantEntity, ID: id, After: image(t, `{"name": "`+id+`"}`)})
	}
	require.Equal(t, "created tenant 4 of them; and 7 more", describeEntries(c))
	require.Equal(t, "created 4 tenants; and 7 more", s.words(c))
	c.Entries = c.Entries[:2]
	require.Equal(t, "created tenants a, b; and 7 more", s.words(c))
}

// TestAtATerminalTheTimeHasItsAge.
func TestAtATerminalTheTimeHasItsAge(t *testing.T) {
	t.Parallel()
	made := time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	s := sayer{now: made.Add(26 * time.Hour), command: 16}
	restored, undone := int64(3), int64(4)
	require.Equal(t, []string{"5", "2026-02-01 12:00Z", "26h", "restore b.db", "restored a backup of change 3"},
		s.sentence(registry.Change{Sequence: 5, MadeAt: made, Command: "sp restore b.db", Restored: &restored}))
	require.Equal(t, []string{"5", "2026-02-01 12:00Z", "26h", "undo", "undid change 4: "},
		s.sentence(registry.Change{Sequence: 5, MadeAt: made, Command: "sp undo", Undoes: &undone}))
	require.Equal(t, []string{"5", "2026-02-01 12:00Z", "26h", "log purge", "forgot what undo and copies could bring back"},
		s.sentence(registry.Change{Sequence: 5, MadeAt: made, Command: "sp log purge", Purged: true}))
}
