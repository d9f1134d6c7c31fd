package registry

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// model is the registry once more, as plainly as can be: maps and slices, and
// the rules of DESIGN.md section 2 written down a second time.
type model struct {
	revision, tenantsRevision int64
	synced                    time.Time
	tenants                   []modelTenant // in order of entry
	profiles                  map[string]TenantID
	sessions                  map[TenantID]Session
	selected, previous, gone  TenantID // "" is none
	standard                  string
}

// modelTenant keeps the optional members by their names; what is absent is not in it.
type modelTenant struct {
	id, name string
	kind     Kind
	access   bool
	members  map[string]string
	unknown  []string // x, y: the only names here, each with its value behind a colon
}

const modelMask = "postgres://u:***@h/d"

func (m *modelTenant) tenant() Tenant {
	text := func(name string) *string {
		if value, ok := m.members[name]; ok {
			return &value
		}
		return nil
	}
	return Tenant{
		ID: TenantID(m.id), Name: m.name, Kind: m.kind, ExternalDBAccess: m.access,
		AppID: text("app_id"), Hostname: text("hostname"), Region: text("region"), SharedContainerDB: text("shared_container_db"),
		DatabaseURL: secret.Optional(text("database_url")), InternalDatabaseURL: secret.Optional(text("internal_database_url")),
		SyncToken: secret.Optional(text("sync_token")), Unknown: NewUnknown(strings.Join(m.unknown, ",")),
	}
}

func (m *model) at(id TenantID) int {
	return slices.IndexFunc(m.tenants, func(t modelTenant) bool { return t.id == string(id) })
}

func (m *model) contents() contents {
	c := contents{Revision: m.revision, TenantsRevision: m.tenantsRevision, Document: FormatTime(m.synced) + " {}"}
	for _, t := range m.tenants {
		c.Tenants = append(c.Tenants, reveal(t.tenant()))
	}
	for name, tenant := range m.profiles {
		c.Profiles = append(c.Profiles, Profile{name, tenant})
	}
	slices.SortFunc(c.Profiles, func(a, b Profile) int { return cmp.Compare(a.Name, b.Name) })
	for _, session := range m.sessions {
		c.Sessions = append(c.Sessions, session)
	}
	slices.SortFunc(c.Sessions, func(a, b Session) int { return cmp.Compare(a.Tenant, b.Tenant) })
	c.Selection = Selection{Tenant: some(m.selected), Previous: some(m.previous), Deleted: some(m.gone), DefaultProfile: some(m.standard)}
	return c
}

func some[T ~string](text T) *T {
	if text == "" {
		return nil
	}
	return &text
}

// changed counts a change; tenants tells whether a file of tenants shows it.
func (m *model) changed(tenants bool) {
	m.revision++
	if tenants {
		m.tenantsRevision = m.revision
	}
}

func (m *model) create(t modelTenant, allowTwin bool) error {
	for _, url := range []string{"database_url", "internal_database_url"} {
		if value, ok := t.members[url]; ok && (value == "" || value == modelMask) {
			return pgurl.ErrInvalid
		}
	}
	if m.at(TenantID(t.id)) >= 0 || !allowTwin && m.named(t.name, "") {
		return ErrExists
	}
	m.tenants = append(m.tenants, t)
	m.changed(true)
	return nil
}

func (m *model) named(name, except string) bool {
	return slices.ContainsFunc(m.tenants, func(t modelTenant) bool { return t.name == name && t.id != except })
}

func (m *model) rename(id TenantID, name string, allowTwin bool) error {
	at := m.at(id)
	if at < 0 {
		return ErrNotFound
	}
	before := m.tenants[at].name
	if name != before && !allowTwin && m.named(name, string(id)) {
		return ErrExists
	}
	m.tenants[at].name = name
	m.changed(name != before)
	return nil
}

func (m *model) delete(id TenantID) error {
	if m.at(id) < 0 {
		return ErrNotFound
	}
	m.remove(id)
	m.changed(true)
	return nil
}

func (m *model) remove(id TenantID) {
	at := m.at(id)
	m.tenants = slices.Delete(m.tenants, at, at+1)
	delete(m.sessions, id)
	for name, tenant := range m.profiles {
		if tenant == id {
			m.forget(name)
		}
	}
	if m.selected == id {
		m.selected, m.gone = "", id
	}
	if m.previous == id {
		m.previous = ""
	}
}

func (m *model) forget(profile string) {
	if m.sessions[m.profiles[profile]].Profile == profile {
		delete(m.sessions, m.profiles[profile])
	}
	delete(m.profiles, profile)
	if m.standard == profile {
		m.standard = ""
	}
}

func (m *model) choose(id TenantID) error {
	if m.at(id) < 0 {
		return ErrNotFound
	}
	if m.selected != id {
		m.previous, m.selected = cmp.Or(m.selected, m.previous), id
	}
	if m.previous == id {
		m.previous = ""
	}
	m.gone = ""
	return nil
}

// modelFile is an import: what the file holds, and how it is taken.
type modelFile struct {
	tenants             []modelTenant
	synced              time.Time
	prune, exact, first bool
	dry                 bool
	revision            *int64
}

func (m *model) load(f modelFile) error {
	if f.revision != nil && *f.revision != m.revision {
		return ErrConflict
	}
	n := m.clone()
	if err := n.merge(f); err != nil || f.dry {
		return err
	}
	*m = *n
	return nil
}

func (m *model) clone() *model {
	n := *m
	n.tenants, n.profiles, n.sessions = nil, map[string]TenantID{}, map[TenantID]Session{}
	for _, t := range m.tenants {
		n.tenants = append(n.tenants, t.clone())
	}
	for name, tenant := range m.profiles {
		n.profiles[name] = tenant
	}
	for tenant, session := range m.sessions {
		n.sessions[tenant] = session
	}
	return &n
}

func (t modelTenant) clone() modelTenant {
	members := map[string]string{}
	for name, value := range t.members {
		members[name] = value
	}
	t.members, t.unknown = members, slices.Clone(t.unknown)
	return t
}

func (m *model) merge(f modelFile) error {
	seen, touched := map[string]bool{}, false
	for _, t := range f.tenants {
		if seen[t.id] && !f.first {
			return ErrInvalid
		} else if seen[t.id] {
			continue
		}
		seen[t.id] = true
		at := m.at(TenantID(t.id))
		if at < 0 {
			m.tenants, touched = append(m.tenants, t.clone()), true
			continue
		}
		before := reveal(m.tenants[at].tenant())
		m.tenants[at] = m.tenants[at].merged(t.clone(), f.exact)
		touched = touched || before != reveal(m.tenants[at].tenant())
	}
	for _, t := range slices.Clone(m.tenants) {
		if f.prune && !seen[t.id] {
			m.remove(TenantID(t.id))
			touched = true
		}
	}
	if m.tenantsRevision == 0 && !f.synced.Equal(m.synced) || f.synced.After(m.synced) {
		m.synced, touched = f.synced, true
	}
	m.changed(touched)
	return nil
}

// merged is what becomes of a known tenant when a file says file of it.
func (t modelTenant) merged(file modelTenant, exact bool) modelTenant {
	for name, value := range t.members {
		in, given := file.members[name]
		masks := strings.HasSuffix(name, "database_url") && given && in == modelMask && value != "" && value != modelMask
		if !given && !exact || masks {
			file.members[name] = value
		}
	}
	if exact {
		return file
	}
	unknown := slices.Clone(t.unknown)
	for _, u := range file.unknown {
		same := func(old string) bool { return old[:3] == u[:3] } // the quoted name
		if at := slices.IndexFunc(unknown, same); at >= 0 {
			unknown[at] = u
		} else {
			unknown = append(unknown, u)
		}
	}
	file.unknown = unknown
	return file
}
