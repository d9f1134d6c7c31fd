package project

import (
	"cmp"
	"slices"
	"time"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

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
	f := fields{Object: entry}
	s, tenant := f.session(version)
	switch {
	case f.why != "":
		return registry.Session{}, version, f.why
	case tenant == nil || *tenant != string(*id):
		return registry.Session{}, version, "tenant_key names another tenant than its key"
	case registry.CheckProfileName(s.Profile) != nil:
		return registry.Session{}, version, "profile_name is no name of a profile"
	}
	s.Tenant = *id
	return s, version, ""
}

func (f *fields) session(version int) (s registry.Session, tenant *string) {
	a := registry.Authentication{Token: secret.New(f.text("session_token"))}
	tenant = f.optional("tenant_key")
	s.Profile = f.text("profile_name")
	f.optional("profile_path")
	if version == 6 {
		if issuer := f.text("issuer"); issuer != "" { // which is how none is written
			a.Issuer = &issuer
		}
	}
	a.SessionID, a.ContextID = f.text("session_id"), f.text("context_id")
	a.UserID, a.UserEmail, a.UserType = f.text("user_id"), f.text("user_email"), "admin"
	if version == 6 || f.Value("user_type") != "" {
		a.UserType = f.text("user_type")
	}
	if f.why == "" && !slices.Contains(userTypes, a.UserType) {
		f.why = "user_type is unknown"
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

// fields takes values out of an object and remembers the first that is not as it should be.
type fields struct {
	jsontext.Object
	why string
}

func (f *fields) fail(why string) {
	if f.why == "" {
		f.why = why
	}
}

func (f *fields) text(name string) string {
	value := f.Value(name)
	text, ok := jsontext.Text(value)
	switch {
	case value == "":
		f.fail("it has no " + name)
	case !ok:
		f.fail(name + " is not a string")
	}
	return text
}

// optional returns nil where the member is absent or null.
func (f *fields) optional(name string) *string {
	if value := f.Value(name); value == "" || value == "null" {
		return nil
	}
	text := f.text(name)
	return &text
}

func (f *fields) time(name string) time.Time {
	text := f.text(name)
	at, err := registry.ParseTime(text)
	if err != nil {
		f.fail(name + " is not a time")
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
