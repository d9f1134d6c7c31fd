package registry

import (
	"context"
	"errors"
	"slices"

	"github.com/sp-registry/sp/db/queries"
)

// take merges one tenant of the file.
func (t *bridging) take(ctx context.Context, theirs Tenant) error {
	if err := checkWhole(theirs); err != nil {
		return err
	}
	base, err := t.then(ctx, theirs.ID)
	if err != nil {
		return err
	}
	row, err := t.q.Tenant(ctx, string(theirs.ID))
	if err = absent(err, "tenant", string(theirs.ID)); errors.Is(err, ErrNotFound) {
		return t.takeUnknown(ctx, base, theirs)
	}
	if err != nil {
		return err
	}
	if row.Seen == t.revision {
		return &DuplicateError{ID: theirs.ID}
	}
	ours, err := placedTenantOf(row)
	if err != nil {
		return err
	}
	m := t.mergeThree(base, ours.Tenant, theirs)
	if len(m.conflicts) > 0 {
		t.conflict(Conflict{ID: ours.ID, Members: m.conflicts})
	}
	if len(m.step.Changed) == 0 {
		t.plan.Unchanged++
		return t.q.MarkTenantSeen(ctx, queries.MarkTenantSeenParams{ID: string(ours.ID), Seen: t.revision})
	}
	t.plan.Updated++
	t.plan.note(m.step)
	return t.updateTenant(ctx, ours, m.merged)
}

// takeUnknown takes a tenant that is not here: the other program added it or, where it
// was deleted here since, did or did not change it.
func (t *bridging) takeUnknown(ctx context.Context, base image, theirs Tenant) error {
	if base != nil && !t.blind && t.Settle != Theirs {
		changed := t.changedBy(base, theirs)
		if changed && t.Settle == Nobody {
			t.conflict(Conflict{ID: theirs.ID, Deleted: Ours})
		}
		return nil
	}
	t.plan.Added++
	t.plan.note(Step{Action: Add, ID: theirs.ID, Name: theirs.Name})
	return t.appendTenant(ctx, theirs)
}

// changedBy tells whether the file says something else of a tenant than it said then:
// a mask says nothing, nor does a member's absence that some programs don't know.
func (t *bridging) changedBy(base image, theirs Tenant) bool {
	now := imageOfTenant(theirs, t.digester)
	return slices.ContainsFunc(base.differing(now), func(name string) bool {
		_, there := now[name]
		return (there || !forgettable[name]) && !t.isMask(name, theirs)
	})
}

func (t *bridging) isMask(name string, theirs Tenant) bool {
	s, ok := theirs.secrets()[name]
	return ok && name != unknownMembers && IsMasked(s)
}

// forgettable are the members that some version of the original tool does not know,
// and drops when it writes the file: that they are missing says nothing.
var forgettable = map[string]bool{"sync_token": true, "shared_container_db": true, unknownMembers: true}

// threeWay merges one tenant.
type threeWay struct {
	base, ours, theirs image
	blind              bool
	settle             Side
	merged             Tenant
	step               Step
	conflicts          []string
}

// mergeThree merges a tenant member by member: what only one side changed is taken from
// that side.
func (t *bridging) mergeThree(base image, ours, theirs Tenant) threeWay {
	m := threeWay{
		base: base, ours: imageOfTenant(ours, t.digester), theirs: imageOfTenant(theirs, t.digester),
		blind: t.blind, settle: t.Settle, merged: ours, step: Step{Action: Update, ID: ours.ID},
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
	case !m.blind && ours == base:
		return true
	case m.settle == Nobody:
		m.conflicts = append(m.conflicts, name)
	}
	return m.settle == Theirs
}

func (m *threeWay) takeURL(name string, merged **Secret, theirs *Secret) {
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
