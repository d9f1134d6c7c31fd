package main

import (
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// What the commands that have not moved yet use of db status.

// databaseStatus is how a database that sp made is, in JSON.
type databaseStatus struct {
	Name    string                 `json:"name"`
	Server  string                 `json:"server"`
	Tenant  registry.TenantID      `json:"tenant_id"`
	State   registry.DatabaseState `json:"state"`
	Orphan  bool                   `json:"tenant_is_gone"`
	Missing bool                   `json:"missing"`
	OldEnds *string                `json:"old_login_ends_at"`
}

func databaseStatusOf(d registry.Database, gone bool) databaseStatus {
	s := databaseStatus{Name: d.Name, Server: d.Server, Tenant: d.Tenant, State: d.State, Orphan: gone}
	if d.RetireAt != nil {
		at := registry.FormatTime(*d.RetireAt)
		s.OldEnds = &at
	}
	return s
}

// notes says how the database is.
func (d databaseStatus) notes() []string {
	notes := []string{string(d.State)}
	if d.Missing {
		notes = []string{"missing: it was recorded as " + string(d.State)}
	}
	if d.Orphan {
		notes = append(notes, "its tenant is gone: sp tenant delete "+project.Quoted(string(d.Tenant))+" -y drops it")
	}
	if d.OldEnds != nil {
		notes = append(notes, "the old login ends at "+*d.OldEnds)
	}
	return notes
}
