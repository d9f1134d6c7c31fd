package registry

import "github.com/sp-registry/sp/internal/secret"

// forgettable are the members that some version of the original tool does not know,
// and drops when it writes the file: that they are missing says nothing.
var forgettable = map[string]bool{"sync_token": true, "shared_container_db": true, unknownMembers: true}

// threeWay merges one tenant.
type threeWay struct {
	base, ours, theirs image
	past               past
	blind              bool
	settle             Side
	merged             Tenant
	step               Step
	conflicts          []string
}

// mergeThree merges a tenant member by member: what only one side changed is taken from
// that side.
func (t *merging) mergeThree(base image, past past, ours, theirs Tenant) threeWay {
	m := threeWay{
		base: base, ours: imageOfTenant(ours, t.digester), theirs: imageOfTenant(theirs, t.digester),
		past: past, blind: t.blind, settle: t.Settle, merged: ours, step: Step{Action: Update, ID: ours.ID},
	}
	takeMember(&m, "name", &m.merged.Name, theirs.Name)
	takeMember(&m, "app_id", &m.merged.AppID, theirs.AppID)
	takeMember(&m, "hostname", &m.merged.Hostname, theirs.Hostname)
	takeMember(&m, "region", &m.merged.Region, theirs.Region)
	m.takeURL("database_url", &m.merged.DatabaseURL, theirs.DatabaseURL)
	m.takeURL("internal_database_url", &m.merged.InternalDatabaseURL, theirs.InternalDatabaseURL)
	takeMember(&m, "tenant_type", &m.merged.Kind, theirs.Kind)
	takeMember(&m, "external_db_access", &m.merged.ExternalDBAccess, theirs.ExternalDBAccess)
	takeMember(&m, "sync_token", &m.merged.SyncToken, theirs.SyncToken)
	takeMember(&m, "shared_container_db", &m.merged.SharedContainerDB, theirs.SharedContainerDB)
	m.takeUnknown(ours.Unknown, theirs.Unknown)
	m.step.Name, m.step.Changed = m.merged.Name, ours.Differing(m.merged)
	return m
}

func takeMember[T any](m *threeWay, name string, merged *T, theirs T) {
	if _, there := m.theirs[name]; !there && forgettable[name] {
		if _, here := m.ours[name]; here {
			m.step.Kept = append(m.step.Kept, name)
		}
		return
	}
	if m.takes(name) {
		*merged = theirs
	}
}

// takes tells whether a member is to be as the file says.
func (m *threeWay) takes(name string) bool {
	base, ours, theirs := string(m.base[name]), string(m.ours[name]), string(m.theirs[name])
	switch {
	case ours == theirs, !m.blind && theirs == base:
		return false
	case m.past.had(name, m.theirs):
		m.step.Stale = append(m.step.Stale, name)
		return false
	case !m.blind && ours == base:
		return true
	case m.settle == Nobody:
		m.conflicts = append(m.conflicts, name)
	}
	return m.settle == Theirs
}

func (m *threeWay) takeURL(name string, merged **secret.Secret, theirs *secret.Secret) {
	if ours := *merged; ours != nil && theirs != nil && !ours.Empty() && IsMasked(*theirs) && !IsMasked(*ours) {
		m.step.Masked = append(m.step.Masked, name)
		return
	}
	takeMember(m, name, merged, theirs)
}

// takeUnknown takes the members that the record does not define. Which of them changed
// is not known where both sides changed some: then all that do not contradict are kept.
func (m *threeWay) takeUnknown(ours, theirs Members) {
	base, here, there := string(m.base[unknownMembers]), string(m.ours[unknownMembers]), string(m.theirs[unknownMembers])
	if here == there || theirs.Empty() || !m.blind && there == base {
		return
	}
	if m.past.had(unknownMembers, m.theirs) {
		m.step.Stale = append(m.step.Stale, unknownMembers)
		return
	}
	if contradict := here != base && ours.contradicts(theirs); contradict && m.settle == Nobody {
		m.conflicts = append(m.conflicts, unknownMembers)
	} else if contradict && m.settle == Ours {
		theirs = theirs.with(ours)
	}
	m.merged.Unknown = ours.with(theirs)
}

// contradicts tells whether both have a member, with values that differ.
func (m Members) contradicts(o Members) bool {
	for name, value := range m.all {
		if other, ok := o.value(name); ok && other != value {
			return true
		}
	}
	return false
}
