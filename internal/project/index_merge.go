package project

import (
	"fmt"

	"github.com/sp-registry/sp/internal/registry"
)

// Settling says whose word holds where both sides changed the same thing.
type Settling int

// The ways to settle what both sides changed.
const (
	// SettleNobody leaves it, so that somebody can be asked.
	SettleNobody Settling = iota
	// SettleTheirs takes what the file says.
	SettleTheirs
	// SettleOurs keeps what the registry says.
	SettleOurs
)

// IndexChange is what a registry has to take over from an index.
type IndexChange struct {
	// Put are new and changed sessions, and Removed the tenants whose session is gone,
	// both by the tenant's id.
	Put     []registry.Session
	Removed []registry.TenantID
	// Active is the tenant to select, nil for none, if ActiveChanged.
	ActiveChanged bool
	Active        *registry.TenantID
	// ActiveProfile is the profile that became active, nil for none, if ProfileChanged.
	ProfileChanged bool
	ActiveProfile  *string
}

// Empty tells whether there is nothing to take over.
func (c IndexChange) Empty() bool {
	return len(c.Put) == 0 && len(c.Removed) == 0 && !c.ActiveChanged && !c.ProfileChanged
}

// MergeIndex returns what another program changed in the index since base, which
// RenderIndex made when sp wrote last, and where the registry says a third thing by now:
// `sessions.tenant_ID`, `active_key`, `active_profile_name`. These names are told
// however they are settled. An entry that can't be read and a key of no tenant are no
// change. No text is an index without anything.
func MergeIndex(base, theirs []byte, ours IndexState, settle Settling) (IndexChange, []string, error) {
	x, err := parseIndex(theirs)
	if err != nil {
		return IndexChange{}, nil, err
	}
	old, err := parseIndex(base)
	if err != nil {
		return IndexChange{}, nil, fmt.Errorf("what was written last: %w", err)
	}
	m := indexMerge{old: old, theirs: x, ours: ours, settle: settle}
	m.sessions()
	m.active()
	return m.change, m.conflicts, nil
}

type indexMerge struct {
	old, theirs indexText
	ours        IndexState
	settle      Settling
	change      IndexChange
	conflicts   []string
}

// takes tells whether what they changed is taken over, and notes a conflict.
func (m *indexMerge) takes(name string, oursChanged bool) bool {
	if !oursChanged {
		return true
	}
	m.conflicts = append(m.conflicts, name)
	return m.settle == SettleTheirs
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
			m.change.Removed = append(m.change.Removed, id)
			continue
		}
		m.change.Put = append(m.change.Put, m.withIssuer(session, ours[id].Authentication))
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
		m.change.ActiveChanged, m.change.Active = true, theirs.Active
	}
	if theirs.ActiveProfile != nil && registry.CheckProfileName(*theirs.ActiveProfile) != nil {
		return
	}
	if !equal(m.old.ActiveProfile, theirs.ActiveProfile) && !equal(m.ours.ActiveProfile, theirs.ActiveProfile) &&
		m.takes("active_profile_name", !equal(m.old.ActiveProfile, m.ours.ActiveProfile)) {
		m.change.ProfileChanged, m.change.ActiveProfile = true, theirs.ActiveProfile
	}
}
