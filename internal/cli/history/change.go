package history

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

// record is a change in JSON.
type record struct {
	Sequence int64     `json:"sequence"`
	At       task.Time `json:"at"`
	Command  string    `json:"command"`
	Undoes   *int64    `json:"undoes"`
	Restored *int64    `json:"restored"`
	Purged   bool      `json:"purged"`
	Entries  []entry   `json:"entries"`
	Omitted  int       `json:"omitted"`
}

// entry is what a change did to one thing; null says that it was not there.
type entry struct {
	Entity registry.Entity            `json:"entity"`
	ID     string                     `json:"id"`
	Tenant *task.TenantRef            `json:"tenant"`
	Before map[string]json.RawMessage `json:"before"`
	After  map[string]json.RawMessage `json:"after"`
}

func recordOf(c registry.Change, names task.Names) record {
	shown := record{
		Sequence: c.Sequence, At: task.Time(c.MadeAt), Command: c.Command,
		Undoes: c.Undoes, Restored: c.Restored, Purged: c.Purged, Entries: []entry{}, Omitted: c.Omitted,
	}
	for _, e := range c.Entries {
		shown.Entries = append(shown.Entries, entryOf(e, names))
	}
	return shown
}

func entryOf(e registry.Entry, names task.Names) entry {
	shown := entry{Entity: e.Entity, ID: e.ID, Before: shownAs(e.Before), After: shownAs(e.After)}
	if e.Tenant != "" {
		ref := names(e.Tenant)
		shown.Tenant = &ref
	}
	return shown
}

// shownAs is one side of an entry with its times as answers write them; those of the document stay as the
// file has them.
func shownAs(side map[string]json.RawMessage) map[string]json.RawMessage {
	side = maps.Clone(side)
	for _, name := range []string{"chosen_at", "created_at", "expires_at", "last_used"} {
		var at time.Time
		if text, there := side[name]; there && json.Unmarshal(text, &at) == nil {
			side[name], _ = task.Time(at).MarshalJSON() // it always can
		}
	}
	return side
}
