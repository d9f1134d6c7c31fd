package follow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/registry"
)

// ChangedIndex is the index of sessions as other programs wrote it: the texts that were kept aside
// while sp replaced it, the oldest first, and the present one.
type ChangedIndex struct {
	// Hash is the SHA-256 of the index, empty if there is none.
	Hash string
	// Path is the whole path of the index.
	Path string

	dir       Directory
	aside     []Aside
	text      []byte // nil if it is as sp wrote it
	base, was []byte
	ours      indexState
}

// ChangedIndexOf returns the index of sessions as other programs wrote it, or nil if it is as sp
// wrote it or missing. aside are the texts that were kept aside.
func ChangedIndexOf(ctx context.Context, dir Directory, view *registry.View, aside []Aside) (*ChangedIndex, error) {
	d := decider{dir: dir, view: view, known: map[string]*registry.FollowingFile{}, o: Options{Aside: map[string][]Aside{IndexPath: aside}}}
	f, err := d.look(ctx, kindOf(kinds, "sessions"), registry.Profile{}, "")
	if err != nil || len(aside) == 0 && (!f.there || f.isOurs()) {
		return nil, err
	}
	x := &ChangedIndex{Hash: f.hash, Path: d.full(f), dir: dir, aside: aside, base: f.base, was: f.was}
	if !f.isOurs() {
		x.text = f.text
	}
	x.ours, _, err = dir.indexState(ctx, view)
	return x, err
}

// Merge returns what the registry must take over from the index, nil for nothing. If both sides
// changed the same session, it returns a ChangedError unless the caller says which side wins.
func (x *ChangedIndex) Merge(side registry.Side) (*registry.SessionsEdit, error) {
	var all indexChange
	var contested []string
	take := func(path string, text, was []byte) error {
		change, conflicts, err := mergeIndex(x.base, was, text, x.ours, side)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all.add(change)
		contested = append(contested, conflicts...)
		return nil
	}
	for _, a := range x.aside {
		if a.Text == nil {
			continue
		}
		if err := take(x.dir.full(a.Path), a.Text, append([]byte{}, x.was...)); err != nil {
			return nil, err
		}
	}
	if x.text != nil { // its writer may have read what sp wrote
		if err := take(x.Path, x.text, nil); err != nil {
			return nil, err
		}
	}
	if len(x.base) == 0 { // sp has written none: what is selected here stays
		contested = slices.DeleteFunc(contested, func(name string) bool { return strings.HasPrefix(name, "active_") })
	}
	if len(contested) > 0 && side == registry.Nobody {
		return nil, &ChangedError{Path: x.Path, Members: contested}
	}
	return all.edit(x.ours), nil
}

// indexChange is what a registry has to take over from an index.
type indexChange struct {
	// put are new and changed sessions, and removed the tenants whose session is gone,
	// both by the tenant's id.
	put     []registry.Session
	removed []registry.TenantID
	// active is the tenant to select, nil for none, if activeChanged.
	activeChanged bool
	active        *registry.TenantID
	// activeProfile is the profile that became active, nil for none, if profileChanged.
	profileChanged bool
	activeProfile  *string
}

// isEmpty tells whether there is nothing to take over.
func (c indexChange) isEmpty() bool {
	return len(c.put) == 0 && len(c.removed) == 0 && !c.activeChanged && !c.profileChanged
}

// add adds a later change, which holds.
func (c *indexChange) add(later indexChange) {
	for _, s := range later.put {
		c.drop(s.Tenant)
		c.put = append(c.put, s)
	}
	for _, id := range later.removed {
		c.drop(id)
		c.removed = append(c.removed, id)
	}
	if later.activeChanged {
		c.activeChanged, c.active = true, later.active
	}
	if later.profileChanged {
		c.profileChanged, c.activeProfile = true, later.activeProfile
	}
}

func (c *indexChange) drop(tenant registry.TenantID) {
	c.put = slices.DeleteFunc(c.put, func(s registry.Session) bool { return s.Tenant == tenant })
	c.removed = slices.DeleteFunc(c.removed, func(id registry.TenantID) bool { return id == tenant })
}

// edit says what the change means for the sessions, nil for nothing.
func (c indexChange) edit(ours indexState) *registry.SessionsEdit {
	if c.isEmpty() {
		return nil
	}
	edit := &registry.SessionsEdit{Put: c.put, Ended: c.removed, Active: ours.Active}
	if c.activeChanged {
		edit.Active = c.active
	}
	if c.profileChanged && c.activeProfile != nil {
		edit.ActiveProfile = *c.activeProfile
	}
	return edit
}

// mergeIndex returns what another program changed in the index since base, which
// baseOfIndex made when sp wrote last, and where the registry says a third thing by now:
// `sessions.tenant_ID`, `active_key`, `active_profile_name`. These names are told
// however they are settled. An entry that can't be read and a key of no tenant are no
// change. No text is an index without anything. Of a text that sp replaced, was is what sp
// had written before, as formerSessions keeps it: its writer may have read no more than that.
func mergeIndex(base, was, theirs []byte, ours indexState, side registry.Side) (indexChange, []string, error) {
	x, err := parseIndex(theirs)
	if err != nil {
		return indexChange{}, nil, err
	}
	old, err := parseIndex(base)
	if err != nil {
		return indexChange{}, nil, fmt.Errorf("what was written last: %w", err)
	}
	m := indexMerge{old: old, theirs: x, ours: ours, side: side}
	if was != nil {
		former, err := parseIndex(was)
		if err != nil {
			return indexChange{}, nil, fmt.Errorf("what was written before: %w", err)
		}
		m.goBack(former)
	}
	m.sessions()
	m.active()
	return m.change, m.conflicts, nil
}

// goBack makes what was written before the base, in all that they left as it was then or
// that sp changed since.
func (m *indexMerge) goBack(was indexText) {
	former, base, theirs := byTenant(was.Sessions), byTenant(m.old.Sessions), byTenant(m.theirs.Sessions)
	same := func(id registry.TenantID, in map[registry.TenantID]registry.Session) bool {
		f, is := former[id]
		s, also := in[id]
		return is == also && (!is || sameSession(f, withDigest(s), m.theirs.EntryVersion))
	}
	m.old.Sessions = nil
	for _, id := range tenantsOf(former, base, theirs) {
		s, there := base[id]
		switch {
		case same(id, theirs):
			s, there = theirs[id]
		case !same(id, base):
			s, there = former[id]
		}
		if there {
			m.old.Sessions = append(m.old.Sessions, s)
		}
	}
	m.old.Active, m.old.ActiveProfile = was.Active, was.ActiveProfile
}

type indexMerge struct {
	old, theirs indexText
	ours        indexState
	side        registry.Side
	change      indexChange
	conflicts   []string
}

// takes tells whether what they changed is taken over, and notes a conflict.
func (m *indexMerge) takes(name string, oursChanged bool) bool {
	if !oursChanged {
		return true
	}
	m.conflicts = append(m.conflicts, name)
	return m.side == registry.Theirs
}

func (m *indexMerge) sessions() {
	before, theirs, ours := byTenant(m.old.Sessions), byTenant(m.theirs.Sessions), byTenant(m.ours.Sessions)
	foreign := map[string]bool{}
	for _, entry := range m.theirs.Foreign {
		foreign[entry.Key] = true
	}
	for _, id := range tenantsOf(before, theirs) {
		same := func(a, b map[registry.TenantID]registry.Session) bool {
			x, in := a[id]
			y, also := b[id]
			return in == also && (!in || sameSession(x, y, m.theirs.EntryVersion))
		}
		key := tenantKey + string(id)
		if foreign[key] || same(before, theirs) || same(ours, theirs) || !m.takes("sessions."+key, !same(before, ours)) {
			continue
		}
		session, there := theirs[id]
		if !there {
			m.change.removed = append(m.change.removed, id)
			continue
		}
		m.change.put = append(m.change.put, m.withIssuer(session, ours[id].Authentication))
	}
}

// withIssuer gives a session the issuer of its token where the index can't tell it.
func (m *indexMerge) withIssuer(s registry.Session, ours *registry.Authentication) registry.Session {
	if s.Authentication.Issuer == nil && m.theirs.EntryVersion == 4 && ours != nil && ours.Token.Equal(s.Authentication.Token) {
		s.Authentication.Issuer = ours.Issuer
	}
	return s
}

func (m *indexMerge) active() {
	theirs := m.theirs
	foreign := theirs.ActiveKey != nil && theirs.Active == nil
	if !foreign && !equal(m.old.Active, theirs.Active) && !equal(m.ours.Active, theirs.Active) &&
		m.takes("active_key", !equal(m.old.Active, m.ours.Active)) {
		m.change.activeChanged, m.change.active = true, theirs.Active
	}
	if theirs.ActiveProfile != nil && registry.CheckProfileName(*theirs.ActiveProfile) != nil {
		return
	}
	if !equal(m.old.ActiveProfile, theirs.ActiveProfile) && !equal(m.ours.ActiveProfile, theirs.ActiveProfile) &&
		m.takes("active_profile_name", !equal(m.old.ActiveProfile, m.ours.ActiveProfile)) {
		m.change.profileChanged, m.change.activeProfile = true, theirs.ActiveProfile
	}
}
