package registry

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/sp-registry/sp/db/queries"
)

func (t *merging) conflict(c Conflict) {
	if len(t.conflicts.Conflicts) < maxConflicts {
		t.conflicts.Conflicts = append(t.conflicts.Conflicts, c)
	} else {
		t.conflicts.Omitted++
	}
}

// take merges one tenant of the file.
func (t *merging) take(ctx context.Context, theirs Tenant) error {
	if err := checkWhole(theirs); err != nil {
		return err
	}
	row, err := t.q.Tenant(ctx, string(theirs.ID))
	if err = absent(err, "tenant", string(theirs.ID)); errors.Is(err, ErrNotFound) {
		return t.takeUnknown(ctx, theirs)
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
	return t.takeKnown(ctx, ours, theirs)
}

// takeKnown merges a tenant that both have, member by member.
func (t *merging) takeKnown(ctx context.Context, ours placedTenant, theirs Tenant) error {
	m := tenantMerge{merging: t, theirs: theirs, merged: ours.Tenant, step: Step{Action: Update, ID: ours.ID}}
	if len(ours.Differing(theirs)) > 0 {
		var err error
		if m.past, err = t.past(ctx, ours.ID, &theirs, t.known); err != nil {
			return err
		}
		m.run(ours.Tenant)
	}
	if len(m.conflicts) > 0 {
		t.conflict(Conflict{ID: ours.ID, Members: m.conflicts})
	}
	m.step.Name, m.step.Changed = m.merged.Name, ours.Differing(m.merged)
	if len(m.step.Changed) == 0 {
		t.plan.Unchanged++
		if m.step.tells() {
			m.step.Action = Keep
			t.plan.note(m.step)
		}
		return t.q.MarkTenantSeen(ctx, queries.MarkTenantSeenParams{ID: string(ours.ID), Seen: t.revision})
	}
	t.plan.Updated++
	t.plan.note(m.step)
	return t.updateTenant(ctx, ours, m.merged)
}

// tenantMerge merges one tenant.
type tenantMerge struct {
	*merging
	past      []version
	theirs    Tenant
	merged    Tenant
	step      Step
	conflicts []string
}

func (m *tenantMerge) run(ours Tenant) {
	shown := version{image: m.imageOf(m.theirs)}
	for _, member := range RecordMembers[1:] { // the id is the same
		switch {
		case member.masks(&ours, &m.theirs):
			m.step.Masked = append(m.step.Masked, member.Name)
		case !member.has(&m.theirs) && member.Forgettable:
			if !member.isSame(&ours, &m.theirs) {
				m.step.Kept = append(m.step.Kept, member.Name)
			}
		case m.takes(member.Name, member.Name, shown):
			member.take(&m.merged, &m.theirs)
		}
	}
	var newer []string
	for name, text := range m.theirs.Unknown.all {
		if m.takes(ofUnknown+name, name, shown) {
			newer = append(newer, `"`+name+`":`+text)
		}
	}
	m.merged.Unknown = ours.Unknown.with(NewMembers(strings.Join(newer, ",")))
}

// takes tells whether a member is to be as the file shows it.
func (m *tenantMerge) takes(member, called string, shown version) bool {
	switch m.decide(valuesOf(m.past, member), shown.value(member)) {
	case stale:
		m.step.Stale = append(m.step.Stale, called)
	case theirsChanged:
		return true
	case bothChanged:
		if m.Settle == Nobody {
			m.conflicts = append(m.conflicts, called)
		}
		return m.Settle == Theirs
	}
	return false
}

func isMask(m *Member, t Tenant) bool {
	s := m.SecretOf(&t)
	return m.URL && s != nil && IsMasked(*s)
}

// saying yields the members of which a file says something: a mask says nothing, nor does
// the absence of what some programs don't know.
func saying(t Tenant) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, m := range RecordMembers[1:] {
			if !isMask(m, t) && (m.has(&t) || !m.Forgettable) && !yield(m.Name) {
				return
			}
		}
		for name := range t.Unknown.all {
			if !yield(ofUnknown + name) {
				return
			}
		}
	}
}

// takeUnknown takes a tenant that is not here: the other program added it or, where sp
// deleted it since the file was read, did or did not change it.
func (t *merging) takeUnknown(ctx context.Context, theirs Tenant) error {
	if t.gone[theirs.ID] {
		return &DuplicateError{ID: theirs.ID}
	}
	past, err := t.past(ctx, theirs.ID, &theirs, t.known)
	if err != nil {
		return err
	}
	deleted := t.decide(valuesOf(past, itself), there)
	if deleted == theirsChanged || t.blind || t.Settle == Theirs && t.isChanged(past, theirs) {
		t.plan.Added++
		t.plan.note(Step{Action: Add, ID: theirs.ID, Name: theirs.Name})
		return t.appendTenant(ctx, theirs)
	}
	t.gone[theirs.ID] = true
	if t.Settle == Nobody && t.isChanged(past, theirs) {
		t.conflict(Conflict{ID: theirs.ID, Deleted: Ours})
		return nil
	}
	t.plan.note(Step{Action: Gone, ID: theirs.ID, Name: theirs.Name})
	return nil
}

// isChanged tells whether the file says something else of a tenant than the other program
// knew of it.
func (t *merging) isChanged(past []version, theirs Tenant) bool {
	now := version{image: t.imageOf(theirs)}
	for name := range saying(theirs) {
		if values := valuesOf(past, name); values[t.base(values)].text != now.value(name) {
			return true
		}
	}
	return false
}

// takeMissing removes the tenants that the other program removed. One that was changed
// here meanwhile, or that profiles or a session work with, somebody has to settle.
func (t *merging) takeMissing(ctx context.Context) error {
	after := int64(0)
	for {
		rows, err := t.q.UnseenTenantsAfter(ctx, queries.UnseenTenantsAfterParams{
			Position: after, Revision: t.revision, Size: batch,
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			after = row.Position
			tenant, err := placedTenantOf(row)
			if err != nil {
				return err
			}
			if err := t.takeRemoval(ctx, tenant); err != nil {
				return err
			}
		}
	}
}

func (t *merging) takeRemoval(ctx context.Context, ours placedTenant) error {
	past, err := t.past(ctx, ours.ID, nil, t.known)
	if err != nil {
		return err
	}
	switch t.decide(valuesOf(past, itself), "") {
	case stays: // it was added since
		return nil
	case stale:
		t.plan.Unchanged++
		t.plan.note(Step{Action: Stay, ID: ours.ID, Name: ours.Name})
		return nil
	}
	needed, err := t.isNeeded(ctx, past, ours)
	if err != nil || needed && t.Settle == Ours {
		return err
	}
	if needed && t.Settle == Nobody {
		t.conflict(Conflict{ID: ours.ID, Deleted: Theirs})
		return nil
	}
	removed, err := t.removeTenant(ctx, ours)
	t.plan.Removed++
	t.plan.note(Step{Action: Remove, ID: ours.ID, Name: ours.Name, Removed: &removed})
	return err
}

// isNeeded tells whether sp changed a tenant since the other program knew it, or profiles
// work with it.
func (t *merging) isNeeded(ctx context.Context, past []version, ours placedTenant) (bool, error) {
	if t.blind {
		return true, nil
	}
	for _, v := range past {
		for name := range v.image {
			if values := valuesOf(past, name); values[t.base(values)].text != values[len(values)-1].text {
				return true, nil
			}
		}
	}
	used, err := t.ProfilesOf(ctx, &ours.ID, 1)
	return len(used) > 0, err
}
