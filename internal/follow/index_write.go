package follow

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// indexState is what a registry has to say in sessions/index.json.
type indexState struct {
	// Sessions are written where they authenticate.
	Sessions []registry.Session
	// Active is the selected tenant, and ActiveProfile the profile that is active.
	Active        *registry.TenantID
	ActiveProfile *string
	// Chosen says that a session or what is selected was changed just now, here: then
	// what is active is written whatever the index says.
	Chosen bool
	// EntryVersion, 4 or 6, is for an index that says none; 0 means 4.
	EntryVersion int
	// ProfilePath returns the path of a profile's profile.yaml; without it, none is
	// written.
	ProfilePath func(name string) string
	// Directory is the one that the paths are in, "" where none are written.
	Directory string
}

// baseOfIndex returns what the state says by itself, to compare with later: entries of
// version 6 in the order of their tenants, without updated_at and, in place of their paths,
// with the directory of these at its end. It depends on nothing else.
func baseOfIndex(state indexState) []byte {
	var sessions jsontext.Object
	known := byTenant(state.Sessions)
	for _, id := range tenantsOf(known) {
		sessions = append(sessions, jsontext.Member{Name: tenantKey + string(id), Value: entryOf(known[id], 6, nil, nil).Compact()})
	}
	top := jsontext.Object{{Name: "version", Value: "1"}, {Name: "sessions", Value: sessions.Compact()}, {Name: "active_key", Value: keyOf(state.Active)}}
	if state.ActiveProfile != nil {
		top = append(top, jsontext.Member{Name: "active_profile_name", Value: jsontext.Quote(*state.ActiveProfile)})
	}
	if state.Directory != "" {
		top = append(top, jsontext.Member{Name: directoryName, Value: jsontext.Quote(state.Directory)})
	}
	return []byte(top.Compact())
}

// directoryName is a member that only what baseOfIndex makes has.
const directoryName = "directory"

// showsDirectory tells whether baseOfIndex made a text for the paths of that directory.
func showsDirectory(base []byte, directory string) bool {
	return bytes.HasSuffix(base, []byte(","+jsontext.Quote(directoryName)+":"+jsontext.Quote(directory)+"}"))
}

func keyOf(active *registry.TenantID) string {
	if active == nil {
		return "null"
	}
	return jsontext.Quote(tenantKey + string(*active))
}

// writeIndex returns the text of sessions/index.json that says now what differs between
// base, what baseOfIndex made when sp wrote last, and the state. All else stays as
// existing has it, and if nothing differs the text is the same, bytes and all. Without
// existing the state is written as a whole; with existing for base, too, existing's
// entries are made to say what the state says, whoever changed them.
func writeIndex(existing, base []byte, now indexState, at time.Time) ([]byte, error) {
	x, err := parseIndex(existing)
	if err != nil {
		return nil, err
	}
	old, err := parseIndex(base)
	if err != nil {
		return nil, fmt.Errorf("what was written last: %w", err)
	}
	if err := now.check(); err != nil {
		return nil, err
	}
	if len(existing) == 0 {
		old = indexText{}
	}
	changed := x.putSessions(old, now)
	changed = x.putActive(old, now) || changed
	if !changed && len(existing) > 0 {
		return existing, nil
	}
	return x.text(at), nil
}

// check refuses what JSON can't hold.
func (s indexState) check() error {
	for _, session := range s.Sessions {
		if session.Authentication != nil && !utf8.ValidString(entryOf(session, 6, nil, s.ProfilePath).Compact()) {
			return fmt.Errorf("session of tenant %q: %w: it is not UTF-8", session.Tenant, registry.ErrInvalid)
		}
	}
	if !utf8.ValidString(keyOf(s.Active)) || s.ActiveProfile != nil && !utf8.ValidString(*s.ActiveProfile) {
		return fmt.Errorf("what is active: %w: it is not UTF-8", registry.ErrInvalid)
	}
	return nil
}

// putSessions puts in the entries that differ between old and now.
func (x *indexText) putSessions(old indexText, now indexState) (changed bool) {
	version := x.EntryVersion
	if version == 0 {
		version = now.EntryVersion
	}
	if version != 6 {
		version = 4
	}
	entries := make(map[string]string, len(x.sessions))
	for _, m := range x.sessions {
		entries[m.Name] = m.Value
	}
	before, after := byTenant(old.Sessions), byTenant(now.Sessions)
	for _, id := range tenantsOf(before, after) {
		key := tenantKey + string(id)
		b, was := before[id]
		s, is := after[id]
		there, stands := entries[key]
		switch {
		case !is && stands:
			delete(entries, key)
			changed = true
		case is && !(was && sameSession(b, s, 6)):
			entry := entryOf(s, version, objectIn(there), now.ProfilePath).Compact()
			changed = changed || entry != there
			entries[key] = entry
		case is && stands:
			entry := led(objectIn(there), s.Profile, now.ProfilePath)
			changed = changed || entry != nil
			if entry != nil {
				entries[key] = entry.Compact()
			}
		}
	}
	if changed {
		x.sessions = sorted(entries)
	}
	return changed
}

// led returns an entry with the path of its profile in this directory, nil if it has no
// other: in a project that was moved or copied, the path there leads into the old one.
func led(entry jsontext.Object, profile string, pathOf func(string) string) jsontext.Object {
	if path := entry.Value("profile_path"); pathOf == nil || path == "" || path == "null" ||
		path == jsontext.Quote(pathOf(profile)) || entry.Value("profile_name") != jsontext.Quote(profile) {
		return nil
	}
	return entry.With("profile_path", jsontext.Quote(pathOf(profile)))
}

func sorted(entries map[string]string) (o jsontext.Object) {
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		o = append(o, jsontext.Member{Name: name, Value: entries[name]})
	}
	return o
}

// objectIn returns the object that a value is, each name once, with nothing in it where
// it is none.
func objectIn(value string) jsontext.Object {
	o, _ := jsontext.ObjectOf(value).Once()
	return o
}

// putActive puts in what is active where that differs between old and now.
func (x *indexText) putActive(old indexText, now indexState) (changed bool) {
	if key := keyOf(now.Active); (now.Chosen || keyOf(old.Active) != key) && x.top.Value("active_key") != key {
		x.top, changed = x.top.With("active_key", key), true
	}
	switch {
	case equal(old.ActiveProfile, now.ActiveProfile) && !now.Chosen:
	case now.ActiveProfile == nil:
		changed = changed || x.top.Value("active_profile_name") != ""
		x.top = x.top.Without("active_profile_name")
	default:
		name := jsontext.Quote(*now.ActiveProfile)
		changed = changed || x.top.Value("active_profile_name") != name
		x.top = x.top.With("active_profile_name", name)
	}
	return changed
}

func equal[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// text writes a changed index: what it defines in order, and then the rest.
func (x *indexText) text(at time.Time) []byte {
	top := x.top.With("sessions", x.sessions.Compact()).With("updated_at", jsontext.Quote(registry.FormatTime(at)))
	if top.Value("version") == "" {
		top = top.With("version", "1")
	}
	if top.Value("active_key") == "" {
		top = top.With("active_key", "null")
	}
	return top.In(indexNames...).Pretty()
}
