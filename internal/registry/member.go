package registry

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/jsontext"
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
	Member{Name: "name", Title: "name", About: "its name", field: func(t *Tenant) any { return &t.Name }},
	Member{Name: "app_id", Title: "app id", About: "the id of its application in the cloud", field: func(t *Tenant) any { return &t.AppID }},
	Member{Name: "hostname", Title: "hostname", About: "the host where it is deployed", field: func(t *Tenant) any { return &t.Hostname }},
	Member{Name: "region", Title: "region", About: "its region", field: func(t *Tenant) any { return &t.Region }},
	Member{Name: "database_url", Title: "database", About: "the `URL` of its database", URL: true, field: func(t *Tenant) any { return &t.DatabaseURL }},
	Member{Name: "internal_database_url", Title: "internal database", About: "the `URL` of its database inside the cloud", URL: true, field: func(t *Tenant) any { return &t.InternalDatabaseURL }},
	Member{Name: "tenant_type", Title: "type", Fixed: true, field: func(t *Tenant) any { return &t.Kind }},
	Member{Name: "external_db_access", Title: "external access", About: "its database accepts connections from outside (=false: no)", field: func(t *Tenant) any { return &t.ExternalDBAccess }},
	Member{Name: "sync_token", Title: "sync token", About: "the `TOKEN` for synchronization", Forgettable: true, field: func(t *Tenant) any { return &t.SyncToken }},
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

// record is what a change leaves in the history.
type record struct {
	command     string
	undoes      *int64
	first, last int64 // positions of the tenants that it appended; 0 is none
	entries     int64
	remake      func() error // the indexes that entry dropped
	revoked     []string     // the members of a tenant whose old values are worthless now
	purge       bool         // keep none of the secrets that it removes
	taken       author
	purged      bool // it forgets what was removed before, and is told of for that alone
	digester    *digester
}

// entry puts into the history what a thing was before this change; of several the
// first holds.
func (c *change) entry(ctx context.Context, what Entity, id string, tenant TenantID, position *int64, before image) error {
	if c.record.entries++; c.record.entries&(c.record.entries-1) == 0 { // now and then, and never again in most changes
		if err := c.expect(ctx, 2*c.record.entries); err != nil {
			return err
		}
	}
	return c.q.InsertEntry(ctx, queries.InsertEntryParams{
		Sequence: c.revision, Kind: string(what), ID: id, TenantID: string(tenant),
		Position: position, Before: before.text(), Revoked: strings.Join(c.record.revoked, " and "),
	})
}

// expect is told how many entries the change will have. Of very many, unless there are many
// times as many in the history already, it drops the indexes of the history: that of its things
// until it is looked at, the others, at which no change looks, until the end.
func (c *change) expect(ctx context.Context, entries int64) error {
	if entries < 8192 || c.write == nil || c.record.remake != nil || c.record.purge {
		return nil
	}
	all, err := c.q.CountAllEntries(ctx)
	if err != nil || all > 4*entries {
		return err
	}
	if c.remakeThings, err = c.write.DropIndexes(ctx, "entries_thing"); err == nil {
		c.record.remake, err = c.write.DropIndexes(ctx, "entries_position", "kept_secrets_digest", "kept_secrets_until")
	}
	return err
}

// reindex makes the indexes again that expect dropped.
func (c *change) reindex() error {
	remake := c.record.remake
	if c.record.remake = nil; remake == nil {
		return nil
	}
	return errors.Join(remake(), c.indexThings())
}

// close puts the change itself into the history, if it did anything. An undo that
// found nothing left to do is there, so that it is not done again, and a purge, so that
// who misses what it destroyed finds it.
func (r *record) close(ctx context.Context, c *change) error {
	if r.entries == 0 && r.first == 0 && r.undoes == nil && !r.purged {
		return nil
	}
	params := queries.InsertChangeParams{
		Sequence: c.revision, MadeAt: c.now.UnixMicro(), Command: r.command, Undoes: r.undoes, Taken: int64(r.taken),
	}
	if r.first != 0 {
		params.FirstAdded, params.LastAdded = &r.first, &r.last
	}
	return c.q.InsertChange(ctx, params)
}

// digests returns what makes digests; its key is made when the first is wanted.
func (c *change) digests(ctx context.Context) (digester, error) {
	if c.record.digester != nil {
		return *c.record.digester, nil
	}
	d, err := c.View.digests(ctx)
	if err == nil && len(d.key) == 0 {
		key := make([]byte, 32)
		if _, err = io.ReadFull(c.random, key); err == nil {
			err = c.q.SetDigestKey(ctx, hex.EncodeToString(key))
		}
		d = newDigester(key)
	}
	c.record.digester = &d
	return d, err
}

// Unknown is a list of JSON members that the record does not define, kept for
// the tool that wrote them: compact text, as jsontext calls it, such as
//
//	"docker_project":"x","nested":{"a":[1,2]}
//
// The zero Unknown is empty.
// The text is a Secret because nobody knows what is in it.
type Unknown struct{ text secret.Secret }

// NewUnknown returns the members written in text, which must have the form that
// the comment of Unknown draws.
func NewUnknown(text string) Unknown {
	if text == "" {
		return Unknown{}
	}
	return Unknown{text: secret.New(text)}
}

// check tells whether the text has its form; what cuts it relies on that.
func (m Unknown) check() error {
	if m.Empty() {
		return nil
	}
	if !jsontext.AreCompact(m.Reveal()) {
		return errors.New("unknown members are not compact JSON")
	}
	return nil
}

// Reveal returns the members' text.
func (m Unknown) Reveal() string { return m.text.Reveal() }

// Empty tells whether there are no members.
func (m Unknown) Empty() bool { return m.text.Empty() }

// Names returns the members' names, as escaped in JSON but without the quotes.
func (m Unknown) Names() []string {
	var names []string
	for name := range m.all {
		names = append(names, name)
	}
	return names
}

// value returns the member's value as JSON text.
func (m Unknown) value(name string) (string, bool) {
	for n, value := range m.all {
		if n == name {
			return value, true
		}
	}
	return "", false
}

// all yields each member's name and value, both as JSON text, the name without its quotes.
func (m Unknown) all(yield func(name, value string) bool) {
	for name, value := range jsontext.Members(m.Reveal()) {
		if !yield(name[1:len(name)-1], value) {
			return
		}
	}
}

// with returns m with the members of newer put in: a known name takes the newer
// value in its old place, a new one comes last.
func (m Unknown) with(newer Unknown) Unknown {
	values := map[string]string{}
	for name, value := range newer.all {
		values[name] = value
	}
	var text strings.Builder
	put := func(name, value string) {
		if text.Len() > 0 {
			text.WriteByte(',')
		}
		text.WriteString(`"` + name + `":` + value)
	}
	for name, value := range m.all {
		if v, ok := values[name]; ok {
			value = v
			delete(values, name)
		}
		put(name, value)
	}
	for name, value := range newer.all {
		if _, ok := values[name]; ok {
			put(name, value)
		}
	}
	return NewUnknown(text.String())
}

// differing names the members that only one of the two has, or whose values differ.
func (m Unknown) differing(o Unknown) []string {
	if m.text.Equal(o.text) {
		return nil
	}
	others := map[string]string{}
	for name, value := range o.all {
		others[name] = value
	}
	var names []string
	for name, value := range m.all {
		if v, ok := others[name]; !ok || v != value {
			names = append(names, name)
		}
		delete(others, name)
	}
	for name := range o.all {
		if _, ok := others[name]; ok {
			names = append(names, name)
		}
	}
	if names == nil {
		return []string{"(order of the members that the record does not define)"}
	}
	return names
}
