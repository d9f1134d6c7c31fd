package task

import (
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/registry"
)

// TenantRecord is a tenant in JSON: its members as in tenants.json, with null for those that it
// lacks, and what else sp knows about it. Secrets are masked unless revealed.
type TenantRecord struct {
	Tenant registry.Tenant `json:"-"`
	How    Showing         `json:"-"`
	Besides
}

// Besides is what is shown of a tenant after the members of its record.
type Besides struct {
	UnknownMembers     []string `json:"unknown_members"`
	Selected           bool     `json:"selected"`
	MissingCredentials bool     `json:"missing_credentials"`
}

// DatabaseRecord is a database that sp made, in JSON.
type DatabaseRecord struct {
	Name    string                 `json:"name"`
	Server  string                 `json:"server"`
	State   registry.DatabaseState `json:"state"`
	OldEnds *string                `json:"old_login_ends_at"`
}

// DatabaseOf returns a database for an answer.
func DatabaseOf(d registry.Database) DatabaseRecord {
	shown := DatabaseRecord{Name: d.Name, Server: d.Server, State: d.State}
	if d.RetireAt != nil {
		at := registry.FormatTime(*d.RetireAt)
		shown.OldEnds = &at
	}
	return shown
}

// RecordOf returns a tenant for an answer.
func RecordOf(t registry.Tenant, s registry.Selection, how Showing) TenantRecord {
	return TenantRecord{Tenant: t, How: how, Besides: Besides{
		UnknownMembers:     append([]string{}, t.Unknown.Names()...),
		Selected:           IsSelected(t.ID, s),
		MissingCredentials: t.HasMissingCredentials(),
	}}
}

// MarshalJSON writes the members of the record, then those of Besides.
func (r TenantRecord) MarshalJSON() ([]byte, error) {
	return r.With(r.Besides)
}

// With writes the members of the record, then those of the given value.
func (r TenantRecord) With(besides any) ([]byte, error) {
	text := []byte("{")
	for _, m := range registry.Members {
		value := "null"
		if shown := r.How.Member(m, r.Tenant); shown != nil && m.Truth {
			value = *shown
		} else if shown != nil {
			quoted, err := cli.Marshal(shown, "")
			if err != nil {
				return nil, err
			}
			value = quoted
		}
		text = fmt.Appendf(text, "%q:%s,", m.Name, value)
	}
	rest, err := cli.Marshal(besides, "")
	return append(text, strings.TrimPrefix(rest, "{")...), err
}
