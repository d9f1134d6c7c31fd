package follow

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// IndexPath is the path of the index of sessions within the directory.
const IndexPath = "sessions/index.json"

// tenantKey comes before the id of a tenant where the index names one.
const tenantKey = "tenant_"

// index is what sessions/index.json says:
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
type index struct {
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
	Foreign []foreignEntry
}

// foreignEntry is an entry that sp leaves to others, and why.
type foreignEntry struct{ Key, Why string }

// indexText is an index with what is needed to write over it.
type indexText struct {
	index
	top, sessions jsontext.Object
}

// The members that an index defines, in the order in which they are written.
var indexNames = []string{"version", "sessions", "active_key", "active_profile_name", "updated_at"}

// readIndex reads the text of sessions/index.json. An entry that is not as it should
// be spoils no other one. Its errors are ErrUnusable.
func readIndex(text []byte) (index, error) {
	parsed, err := parseIndex(text)
	return parsed.index, err
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
	f := fields{jsontext.Fields{Object: x.top}}
	x.ActiveKey, x.ActiveProfile = f.Optional("active_key"), f.Optional("active_profile_name")
	if x.top.Value("updated_at") != "" {
		f.time("updated_at")
	}
	if f.Why != "" {
		return corrupt("%s", f.Why)
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
			x.Foreign = append(x.Foreign, foreignEntry{Key: m.Name, Why: why})
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

// The members that an entry of the index defines, in the order in which they are
// written. issuer belongs to version 6 alone.
var entryNames = []string{
	"version", "tenant_key", "profile_name", "profile_path", "session_token", "issuer", "session_id", "context_id",
	"user_id", "user_email", "user_type", "created_at", "expires_at", "last_used",
}

// userTypes are what the original reads; any other one makes it refuse the file.
var userTypes = []string{"admin", "user", "a2a", "mcp", "service", "anon", "unknown"}

// entryNamesOf returns the members that an entry of a version defines.
func entryNamesOf(version int) []string {
	if version == 4 {
		return slices.DeleteFunc(slices.Clone(entryNames), func(name string) bool { return name == "issuer" })
	}
	return entryNames
}

// sessionOf reads an entry, or says why it is none of ours; version is told if it is
// one that sp knows.
func sessionOf(key, value string) (s registry.Session, version int, why string) {
	if value[0] != '{' {
		return s, 0, "it is not an object"
	}
	entry := jsontext.ObjectOf(value)
	version = map[string]int{"4": 4, "6": 6}[entry.Value("version")]
	id := tenantIn(key)
	switch {
	case key == "local":
		return s, version, "it is of no tenant"
	case id == nil:
		return s, version, "its key is not tenant_ID"
	case version == 0:
		return s, 0, "its version is neither 4 nor 6"
	}
	entry, twice := entry.Once(entryNamesOf(version)...)
	if twice != "" {
		return s, version, "it says " + twice + " twice"
	}
	f := fields{jsontext.Fields{Object: entry}}
	s, tenant := f.session(version)
	switch {
	case f.Why != "":
		return registry.Session{}, version, f.Why
	case tenant == nil || *tenant != string(*id):
		return registry.Session{}, version, "tenant_key names another tenant than its key"
	case registry.CheckProfileName(s.Profile) != nil:
		return registry.Session{}, version, "profile_name is no name of a profile"
	}
	s.Tenant = *id
	return s, version, ""
}

func (f *fields) session(version int) (s registry.Session, tenant *string) {
	a := registry.Authentication{Token: secret.New(f.Text("session_token"))}
	tenant = f.Optional("tenant_key")
	s.Profile = f.Text("profile_name")
	f.Optional("profile_path")
	if version == 6 {
		if issuer := f.Text("issuer"); issuer != "" { // which is how none is written
			a.Issuer = &issuer
		}
	}
	a.SessionID, a.ContextID = f.Text("session_id"), f.Text("context_id")
	a.UserID, a.UserEmail, a.UserType = f.Text("user_id"), f.Text("user_email"), "admin"
	if version == 6 || f.Value("user_type") != "" {
		a.UserType = f.Text("user_type")
	}
	if f.Why == "" && !slices.Contains(userTypes, a.UserType) {
		f.Why = "user_type is unknown"
	}
	f.times(&a, version)
	s.ChosenAt, s.Authentication = a.LastUsed, &a
	return s, tenant
}

// times reads the three times. Version 6 may leave out two of them and means now, which
// a text can't say: one that is there stands in for them.
func (f *fields) times(a *registry.Authentication, version int) {
	has := func(name string) bool { return version == 4 || f.Value(name) != "" }
	a.ExpiresAt = f.time("expires_at")
	a.CreatedAt = a.ExpiresAt
	switch {
	case has("created_at"):
		a.CreatedAt = f.time("created_at")
	case has("last_used"):
		a.CreatedAt = f.time("last_used")
	}
	a.LastUsed = a.CreatedAt
	if has("last_used") {
		a.LastUsed = f.time("last_used")
	}
}

// fields are the members of an object, of which some are times.
type fields struct{ jsontext.Fields }

func (f *fields) time(name string) time.Time {
	text := f.Text(name)
	at, err := registry.ParseTime(text)
	if err != nil {
		f.Fail(name + " is not a time")
	}
	return at
}

// entryOf writes the entry of a session that authenticates over the one that was there,
// whose unknown members it keeps.
func entryOf(s registry.Session, version int, there jsontext.Object, pathOf func(string) string) jsontext.Object {
	a := s.Authentication
	entry := jsontext.Object{{Name: "version", Value: map[int]string{4: "4", 6: "6"}[version]}}
	put := func(name, text string) {
		entry = append(entry, jsontext.Member{Name: name, Value: jsontext.Quote(text)})
	}
	put("tenant_key", string(s.Tenant))
	put("profile_name", s.Profile)
	if pathOf != nil {
		put("profile_path", pathOf(s.Profile))
	}
	put("session_token", a.Token.Reveal())
	if version == 6 {
		put("issuer", issuerOf(a))
	}
	put("session_id", a.SessionID)
	put("context_id", a.ContextID)
	put("user_id", a.UserID)
	put("user_email", a.UserEmail)
	put("user_type", userTypeOf(a))
	put("created_at", registry.FormatTime(a.CreatedAt))
	put("expires_at", registry.FormatTime(a.ExpiresAt))
	put("last_used", registry.FormatTime(a.LastUsed))
	return append(entry, there.Without(entryNamesOf(version)...)...)
}

// userTypeOf is never empty, which would make the original refuse the file.
func userTypeOf(a *registry.Authentication) string { return cmp.Or(a.UserType, "admin") }
