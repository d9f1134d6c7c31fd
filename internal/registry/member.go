package registry

import (
	"errors"
	"strconv"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// Member is one member of the record that tenants.json has of a tenant: a row of
// Members.
type Member struct {
	Name  string // in tenants.json, and of its column
	Title string // in a line for people
	About string // what it is, in the words of help; `THIS` names its value
	// URL leads to a database. A mask never replaces one.
	URL bool
	// Forgettable is a member that some versions of the original do not know, and drop
	// when they write the file: that it is missing says nothing.
	Forgettable bool
	// Fixed stays what it was when the tenant was made.
	Fixed bool

	// What the type of its field says: Required is there and not empty, Optional may be
	// absent, Secret is never shown, and Truth is true or false. Choices are all that it can be.
	Required, Optional, Secret, Truth bool
	Choices                           []string

	field func(*Tenant) any
	index int // of its row
}

// Members is the record: its members, in the order of tenants.json. This table
// drives comparing, merging, the history, the file and the command line. Beside the field
// of Tenant, a new member needs a row here, its column in a migration and in the queries.
var Members = rowsOfMembers(
	Member{Name: "id", Title: "id", Fixed: true, field: func(t *Tenant) any { return &t.ID }},
	Member{Name: "name", Title: "name", About: "what people call it", field: func(t *Tenant) any { return &t.Name }},
	Member{Name: "app_id", Title: "app id", About: "its application in the cloud", field: func(t *Tenant) any { return &t.AppID }},
	Member{Name: "hostname", Title: "hostname", About: "where it is deployed", field: func(t *Tenant) any { return &t.Hostname }},
	Member{Name: "region", Title: "region", About: "where in the world", field: func(t *Tenant) any { return &t.Region }},
	Member{Name: "database_url", Title: "database", About: "the `URL` of its database", URL: true, field: func(t *Tenant) any { return &t.DatabaseURL }},
	Member{Name: "internal_database_url", Title: "internal database", About: "the `URL` for a cloud tenant's own side", URL: true, field: func(t *Tenant) any { return &t.InternalDatabaseURL }},
	Member{Name: "tenant_type", Title: "type", Fixed: true, field: func(t *Tenant) any { return &t.Kind }},
	Member{Name: "external_db_access", Title: "external access", About: "connections from outside are taken (=false: not)", field: func(t *Tenant) any { return &t.ExternalDBAccess }},
	Member{Name: "sync_token", Title: "sync token", About: "the `TOKEN` that authorises synchronisation", Forgettable: true, field: func(t *Tenant) any { return &t.SyncToken }},
	Member{Name: "shared_container_db", Title: "shared container", About: "the `NAME` of its database in a shared container", Forgettable: true, field: func(t *Tenant) any { return &t.SharedContainerDB }},
)

func rowsOfMembers(rows ...Member) (members []*Member) {
	for i := range rows {
		m := &rows[i]
		m.index = i
		switch m.field(&Tenant{}).(type) {
		case *TenantID, *string:
			m.Required = true
		case *Kind:
			m.Choices = []string{string(Local), string(Cloud)}
		case *bool:
			m.Truth = true
		case **string:
			m.Optional = true
		case **secret.Secret:
			m.Optional, m.Secret = true, true
		}
		members = append(members, m)
	}
	return members
}

// Reveal returns what a tenant has as the member, in text, and whether it has it.
func (m *Member) Reveal(t *Tenant) (text string, there bool) {
	switch f := m.field(t).(type) {
	case *TenantID:
		return string(*f), true
	case *string:
		return *f, true
	case *Kind:
		return string(*f), true
	case *bool:
		return strconv.FormatBool(*f), true
	case **string:
		if *f != nil {
			return **f, true
		}
	case **secret.Secret:
		if *f != nil {
			return (*f).Reveal(), true
		}
	}
	return "", false
}

// Set gives a tenant a text as the member. The error says what is wrong with it.
func (m *Member) Set(t *Tenant, text string) error {
	switch f := m.field(t).(type) {
	case *TenantID:
		*f = TenantID(text)
	case *string:
		*f = text
	case *Kind:
		if *f = Kind(text); !isKind(*f) {
			return errors.New("is neither local nor cloud")
		}
	case *bool:
		if *f = text == "true"; !*f && text != "false" {
			return errors.New("is neither true nor false")
		}
	case **string:
		own := text // of text itself every call would make a copy
		*f = &own
	case **secret.Secret:
		own := secret.New(text)
		*f = &own
	}
	return nil
}

// take gives a tenant what another one has as the member, or takes it away.
func (m *Member) take(t, from *Tenant) {
	switch f := m.field(t).(type) {
	case **string:
		*f = nil
	case **secret.Secret:
		*f = nil
	}
	if text, there := m.Reveal(from); there {
		_ = m.Set(t, text) // which is what a tenant had
	}
}

// isSame tells whether two tenants have the same as the member; absent and empty differ.
func (m *Member) isSame(t, o *Tenant) bool {
	text, there := m.Reveal(t)
	other, also := m.Reveal(o)
	return text == other && there == also
}

// SecretOf returns the secret that a tenant has as the member, nil if it has none.
func (m *Member) SecretOf(t *Tenant) *secret.Secret {
	if f, ok := m.field(t).(**secret.Secret); ok {
		return *f
	}
	return nil
}

// has tells whether a tenant has the member.
func (m *Member) has(t *Tenant) bool {
	_, there := m.Reveal(t)
	return there
}

// masks tells whether a file has stars where a tenant has a real value.
func (m *Member) masks(known, file *Tenant) bool {
	ours, theirs := m.SecretOf(known), m.SecretOf(file)
	return m.URL && ours != nil && theirs != nil && !ours.Empty() && pgurl.IsMasked(*theirs) && !pgurl.IsMasked(*ours)
}
