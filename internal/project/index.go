package project

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// IndexPath is where the index of the sessions lies within the directory.
const IndexPath = "sessions/index.json"

// tenantKey comes before the id of a tenant where the index names one.
const tenantKey = "tenant_"

// Index is what sessions/index.json says:
//
//	{
//	  "version": 1,
//	  "sessions": {
//	    "tenant_local_19c": {
//	      "version": 4,
//	      "tenant_key": "local_19c",
//	      "profile_name": "dev",
//	      …
//	    }
//	  },
//	  "active_key": "tenant_local_19c",
//	  "active_profile_name": "dev",
//	  "updated_at": "2026-02-01T10:00:00Z"
//	}
type Index struct {
	// EntryVersion is 4 or 6, as the first entry by its key that says one of them; 0
	// where none does. Programs that write the one can't read the other.
	EntryVersion int
	// Sessions are the entries that a registry can hold, by the tenant's id. A session
	// was chosen when it was last used.
	Sessions []registry.Session
	// Active is the tenant that active_key names, nil where it names none.
	Active *registry.TenantID
	// ActiveKey and ActiveProfile are active_key and active_profile_name as they stand.
	ActiveKey, ActiveProfile *string
	// Foreign are the other entries, by their key.
	Foreign []ForeignEntry
}

// ForeignEntry is an entry that sp leaves to others, and why.
type ForeignEntry struct{ Key, Why string }

// indexText is an index with what is needed to write over it.
type indexText struct {
	Index
	top, sessions jsontext.Object
}

// The members that an index defines, in the order in which they are written.
var indexNames = []string{"version", "sessions", "active_key", "active_profile_name", "updated_at"}

// ReadIndex reads the text of sessions/index.json. An entry that is not as it should
// be spoils no other one. Its errors are ErrUnusable.
func ReadIndex(text []byte) (Index, error) {
	parsed, err := parseIndex(text)
	return parsed.Index, err
}

// parseIndex reads an index; no text is one that says nothing.
func parseIndex(text []byte) (x indexText, err error) {
	if len(text) == 0 {
		return x, nil
	}
	if x.top, err = parseObject(text, indexNames...); err != nil {
		return x, err
	}
	if err := x.readTop(); err != nil {
		return indexText{}, err
	}
	x.readSessions()
	return x, nil
}

func (x *indexText) readTop() error {
	switch version := x.top.Value("version"); {
	case version == "", version == "0", version == "1": // as the original takes them
	case strings.Trim(version, "0123456789") == "" && len(version) < 10:
		return corrupt("its version is %s, and sp knows 1 (upgrade sp, or move it away)", version)
	default:
		return corrupt("its version is not one that sp knows")
	}
	switch sessions := x.top.Value("sessions"); {
	case sessions == "":
	case sessions[0] != '{':
		return corrupt("sessions is not an object")
	default:
		x.sessions, _ = jsontext.ObjectOf(sessions).Once()
	}
	f := fields{Object: x.top}
	x.ActiveKey, x.ActiveProfile = f.optional("active_key"), f.optional("active_profile_name")
	if x.top.Value("updated_at") != "" {
		f.time("updated_at")
	}
	if f.why != "" {
		return corrupt("%s", f.why)
	}
	if x.ActiveKey != nil {
		x.Active = tenantIn(*x.ActiveKey)
	}
	return nil
}

func (x *indexText) readSessions() {
	for _, m := range slices.SortedFunc(slices.Values(x.sessions), func(a, b jsontext.Member) int { return strings.Compare(a.Name, b.Name) }) {
		session, version, why := sessionOf(m.Name, m.Value)
		if x.EntryVersion == 0 {
			x.EntryVersion = version
		}
		if why != "" {
			x.Foreign = append(x.Foreign, ForeignEntry{Key: m.Name, Why: why})
			continue
		}
		x.Sessions = append(x.Sessions, session)
	}
}

// byTenant are the sessions that authenticate, which alone have entries.
func byTenant(sessions []registry.Session) map[registry.TenantID]registry.Session {
	found := map[registry.TenantID]registry.Session{}
	for _, s := range sessions {
		if s.Authentication != nil {
			found[s.Tenant] = s
		}
	}
	return found
}

// tenantsOf lists the tenants of the maps, each once, in order.
func tenantsOf(all ...map[registry.TenantID]registry.Session) []registry.TenantID {
	var ids []registry.TenantID
	for _, sessions := range all {
		ids = slices.AppendSeq(ids, maps.Keys(sessions))
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// tenantIn returns the tenant whose key this is.
func tenantIn(key string) *registry.TenantID {
	id, ok := strings.CutPrefix(key, tenantKey)
	if !ok || id == "" {
		return nil
	}
	tenant := registry.TenantID(id)
	return &tenant
}

// sameSession tells whether two sessions have the same entry; version 4 knows no issuer.
func sameSession(a, b registry.Session, version int) bool {
	x, y := a.Authentication, b.Authentication
	return a.Tenant == b.Tenant && a.Profile == b.Profile &&
		(version == 4 || issuerOf(x) == issuerOf(y)) && x.Token.Equal(y.Token) &&
		x.SessionID == y.SessionID && x.ContextID == y.ContextID &&
		x.UserID == y.UserID && x.UserEmail == y.UserEmail && userTypeOf(x) == userTypeOf(y) &&
		sameTimes(x.CreatedAt, y.CreatedAt, x.ExpiresAt, y.ExpiresAt, x.LastUsed, y.LastUsed)
}

func sameTimes(pairs ...time.Time) bool {
	for i := 0; i < len(pairs); i += 2 {
		if !pairs[i].Equal(pairs[i+1]) {
			return false
		}
	}
	return true
}

func issuerOf(a *registry.Authentication) string {
	if a.Issuer == nil {
		return ""
	}
	return *a.Issuer
}
