package task

import (
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// TenantRecord is a tenant in JSON: its members as in tenants.json, with null for those that it
// lacks, and what else sp knows about it. Secrets are masked unless revealed.
type TenantRecord struct {
	Tenant registry.Tenant `json:"-"`
	How    Showing         `json:"-"`
	Besides
}

// Time is an instant in an answer: in JSON always with microseconds, so that a program can compare the
// texts; to people as tenants.json would write it.
type Time time.Time

// MarshalJSON writes it in RFC 3339, in UTC.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format(`"2006-01-02T15:04:05.000000Z"`)), nil
}

func (t Time) String() string { return registry.FormatTime(time.Time(t)) }

// Clock is a time as people read it, to the second.
func Clock(t time.Time) string { return registry.FormatTime(t.Truncate(time.Second)) }

// Besides is what is shown of a tenant behind its record.
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
	OldEnds *Time                  `json:"old_login_ends_at"`
}

// DatabaseOf returns a database for an answer.
func DatabaseOf(d registry.Database) DatabaseRecord {
	shown := DatabaseRecord{Name: d.Name, Server: d.Server, State: d.State}
	if d.RetireAt != nil {
		shown.OldEnds = new(Time(*d.RetireAt))
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
	text := append(make([]byte, 0, 1<<10), '{')
	for _, m := range registry.Members {
		text = append(jsontext.AppendString(text, m.Name), ':')
		switch shown := r.How.Member(m, &r.Tenant); {
		case shown == nil:
			text = append(text, "null"...)
		case m.Truth:
			text = append(text, *shown...)
		default:
			text = jsontext.AppendString(text, *shown)
		}
		text = append(text, ',')
	}
	rest, err := cli.Compact(besides)
	return append(text, strings.TrimPrefix(rest, "{")...), err
}
