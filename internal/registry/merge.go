package registry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/db/queries"
)

// Side is who is right about what both changed.
type Side string

// The sides of a merge. Nobody settles nothing: then a conflict ends it.
const (
	Nobody Side = ""
	Theirs Side = "theirs" // the file's
	Ours   Side = "ours"   // the registry's
)

// mergeCommand is what the history says of a merge that is part of another command,
// and sessionsMergeCommand of one that concerns the sessions alone.
const (
	mergeCommand         = "tenants.json was changed by another program"
	sessionsMergeCommand = "sessions/index.json was changed by another program"
)

// Merge asks for what another program did to a file of tenants to be taken over: it
// is merged, three ways, with what was done here since the file showed the registry.
// What it was then the history tells.
type Merge struct {
	// Read gives each tenant of the file to take, and returns the rest of the file; it may
	// be asked twice. It is nil where only sessions are to be taken over.
	Read func(take func(Tenant) error) (Document, error)
	// Sessions is what was done to the sessions, nil for nothing.
	Sessions *SessionsEdit
	// Since is the TenantsRevision that the file showed before.
	Since int64
	// Written is when the other program wrote the file, by the clock of the file system.
	// Zero is not known: then it knew all that the file showed.
	Written time.Time
	// Settle says who is right where both changed the same. For Theirs, the other program
	// knew all that the file showed.
	Settle Side
	// Unread says that the state Since was not in place before the other program wrote the
	// file, as far as is known: then it was read only if the file shows that.
	Unread bool
	// Unseen says that the file was kept aside when another took its place: who wrote since
	// does not know what it says.
	Unseen bool
	// Purge forgets the secrets that it replaces or removes at once.
	Purge bool
}

// Conflict is what both sides changed of one tenant: the members, also those that the
// record does not define or, where one side has deleted it, which.
type Conflict struct {
	ID      TenantID
	Members []string
	Deleted Side
}

// String says it in names, never values.
func (c Conflict) String() string {
	switch c.Deleted {
	case Theirs:
		return fmt.Sprintf("tenant %s: the file has it no more, and it is in use or was changed here", c.ID)
	case Ours:
		return fmt.Sprintf("tenant %s: deleted here, and the file changed it", c.ID)
	}
	return fmt.Sprintf("tenant %s: both changed %s", c.ID, strings.Join(c.Members, ", "))
}

// maxConflicts bounds the conflicts that are listed.
const maxConflicts = 20

// ConflictsError is returned for a merge that somebody has to settle.
type ConflictsError struct {
	Conflicts []Conflict // the first of them
	Omitted   int
}

func (e *ConflictsError) Error() string {
	return "changed here and by another program"
}

// Unwrap returns ErrConflict.
func (e *ConflictsError) Unwrap() error { return ErrConflict }

func (c *change) takeOver(ctx context.Context, b Merge, plan *Plan) error {
	c.record.command, c.record.purge = mergeCommand, b.Purge
	plan.Revision = c.revision - 1
	if b.Read == nil {
		c.record.command = sessionsMergeCommand
	} else if err := c.takeTenants(ctx, b, plan); err != nil {
		return err
	}
	if b.Sessions == nil {
		return nil
	}
	var err error
	due := c.due.Sessions
	plan.Sessions, err = c.editSessions(ctx, *b.Sessions)
	c.due.Sessions = due // what was taken of the index, that shows already
	return err
}

func (c *change) takeTenants(ctx context.Context, b Merge, plan *Plan) error {
	if c.record.taken = byOther; b.Unseen {
		c.record.taken = byOtherUnseen
	}
	var document Document
	err := c.prepared(func() error {
		t, err := c.merging(ctx, b, plan)
		if err != nil {
			return err
		}
		if document, err = b.Read(func(tenant Tenant) error { return t.take(ctx, tenant) }); err != nil {
			return err
		}
		if err := t.eachUnseen(ctx, func(ours placedTenant) error { return t.takeRemoval(ctx, ours) }); err != nil {
			return err
		}
		if len(t.conflicts.Conflicts) > 0 {
			return &t.conflicts
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.noteAmbiguous(ctx, plan); err != nil {
		return err
	}
	return c.importDocument(ctx, Import{}, document, plan)
}

// The other program reads tenants.json, changes it and writes it whole, some time later and
// without a lock. Of what sp did in between, its file says nothing. The rule:
//
//  1. It can have read only what stood in the file: a state that sp published. The last one
//     is doubtful where it still waits for its place, because a command was stopped, and
//     where its placing put the file aside: then 3 alone tells.
//  2. What it did itself it knew, from the time at which sp took it over.
//  3. A file that shows what sp did, as the published state N was the first to show it, was
//     read at N or later: all that sp did up to N was known. What is from a file that was
//     kept aside shows nothing: it stood in the file's place before.
//  4. Of what sp did after that, what stood in the file for ten minutes when the other
//     program wrote it was known, and what is younger was not.
//  5. What was known is the base of a merge, member by member. Whether the tenant is there
//     is decided as one more member.
//  6. What the file has as the base has it, they did not change: sp's stays, and sp says so
//     if the file showed it, or it is theirs. What sp has as the base has it, is theirs.
//  7. What both changed, somebody has to settle. --theirs takes every state that was
//     published for known: what sp did there, the file takes back.
//  8. An undo is a change by sp. Where a backup was restored, nobody knows a base.

// unsure is for how long sp's own change is taken to be unknown to the other program, unless
// its file shows otherwise: from the time of the file in which sp published it.
const unsure = 10 * time.Minute

// looked is how far back it is looked for what the file may show: that sp changed something to
// what it had been before then says nothing.
const looked = 24 * time.Hour

// knowledge is what the other program had read when it wrote its file.
type knowledge struct {
	known  int64   // what sp did up to this change, it knew
	states []int64 // the later states that it can have read, in order
	blind  bool    // nobody knows what it knew
}

// published is a state that stood in the file, since then, or perhaps did not.
type published struct {
	revision int64
	since    time.Time
	unread   bool
}

// knows returns what the clock says that the other program knew when it wrote a file, of
// states in order, the first of which it knew for certain.
func knows(first int64, states []published, written time.Time) (k knowledge) {
	k.known = first
	for _, s := range states {
		if k.states = append(k.states, s.revision); !s.unread && written.Sub(s.since) >= unsure {
			k.known = s.revision
		}
	}
	return k
}

// version is a tenant as a change left it: its image, nil where it was not there.
type version struct {
	from  int64
	image image
	by    author
}

// author is who made a change of tenants. Of what it did in a file that was kept aside, the other
// program may not know when it writes the next time.
type author int

const (
	bySP author = iota
	byOther
	byOtherUnseen
	byOtherSince // after the file was written that is merged now
)

// itself is the name of the member that says whether the tenant is there, and there the
// value of that.
const itself, there = "", "there"

func (v version) value(name string) string {
	switch {
	case name == itself && v.image != nil:
		return there
	case strings.HasPrefix(name, ofUnknown) && v.image[unknownMembers] != nil:
		return string(v.image[unknownMembers]) // it is not known, so nothing is the same
	}
	return string(v.image[name])
}

// value is what a member was, from a change until another.
type value struct {
	from, until int64
	text        string // empty where it was absent
	by          author
	gone        bool // because the tenant was
}

// valuesOf returns what a member was, one after the other: first what it was at the first
// version, last what it is.
func valuesOf(past []version, name string) (values []value) {
	for _, v := range past {
		next := value{from: v.from, until: math.MaxInt64, text: v.value(name), by: v.by, gone: v.image == nil && name != itself}
		if n := len(values); n > 0 {
			if last := &values[n-1]; last.text == next.text && last.gone == next.gone {
				continue
			} else {
				last.until = v.from
			}
		}
		values = append(values, next)
	}
	return values
}

// base returns which of the values the other program knew last. What it did in a file that was
// kept aside, it knows unless it shows any value from before that: then it may have read that only.
func (k knowledge) base(values []value, file string) (i int) {
	for n, v := range values {
		before := slices.ContainsFunc(values[:n], func(v value) bool { return !v.gone && v.text == file })
		own := v.by == byOtherUnseen && n > 0 && !before
		if v.by == byOther || own || v.from <= k.known {
			i = n
		}
	}
	return i
}

// verdict says what is to become of a member.
type verdict int

const (
	stays         verdict = iota // as it is here
	stale                        // it stays, and the file shows it as it was before sp changed it
	theirsChanged                // only the other program changed it
	bothChanged
)

// decide says what is to become of a member that the file shows as file.
func (k knowledge) decide(values []value, file string) verdict {
	base, ours := k.base(values, file), values[len(values)-1].text
	switch {
	case file == ours:
		return stays
	case k.blind:
		return bothChanged
	case file == values[base].text && k.showed(values[base+1:]):
		return stale
	case file == values[base].text:
		return stays
	case ours == values[base].text:
		return theirsChanged
	}
	return bothChanged
}

// showed tells whether the other program can know any of these values: tenants.json ever was so new
// as to show it, or it is its own.
func (k knowledge) showed(values []value) bool {
	return slices.ContainsFunc(values, func(v value) bool {
		return v.by != bySP || len(k.states) > 0 && v.from <= k.states[len(k.states)-1]
	})
}

// date returns the state that first showed a member as the file does, because of what sp
// did: at that or later it was read. It is 0 where the file does not tell.
func (k knowledge) date(values []value, file string) int64 {
	for i, v := range values {
		if v.text != file || v.gone {
			continue
		}
		n, _ := slices.BinarySearch(k.states, v.from)
		switch shown := n < len(k.states) && k.states[n] < v.until; {
		case v.by != bySP, shown && i == 0:
			return 0
		case shown:
			return k.states[n]
		}
	}
	return 0
}

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
	if err = absent(err, "tenant", string(theirs.ID)); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if row.Seen == t.revision || t.gone[theirs.ID] {
		return &DuplicateError{ID: theirs.ID}
	}
	if err != nil {
		return t.takeFrom(ctx, placedTenant{}, nil, theirs)
	}
	ours, err := placedTenantOf(row)
	if err != nil {
		return err
	}
	if err := t.q.MarkTenantSeen(ctx, queries.MarkTenantSeenParams{ID: string(ours.ID), Seen: t.revision}); err != nil {
		return err
	}
	return t.takeFrom(ctx, ours, &ours.Tenant, theirs)
}

func (t *merging) takeFrom(ctx context.Context, placed placedTenant, ours *Tenant, theirs Tenant) error {
	if ours != nil && len(ours.Differing(theirs)) == 0 {
		t.plan.Unchanged++
		return nil
	}
	past, err := t.past(ctx, theirs.ID, &theirs, t.known)
	if err != nil {
		return err
	}
	return t.apply(ctx, placed, t.outcomeOf(past, ours, &theirs, t.Settle, t.digester))
}

// takeRemoval removes a tenant that the other program removed. One that was changed here
// meanwhile, or that profiles or a session work with, somebody has to settle.
func (t *merging) takeRemoval(ctx context.Context, ours placedTenant) error {
	past, err := t.past(ctx, ours.ID, nil, t.known)
	if err != nil {
		return err
	}
	o := t.outcomeOf(past, &ours.Tenant, nil, t.Settle, t.digester)
	if o.step.Action == Remove {
		used, err := t.ProfilesOf(ctx, &ours.ID, 1)
		if err != nil {
			return err
		}
		if len(used) > 0 {
			o = o.neededHere(t.Settle)
		}
	}
	if o.step.Action == "" && o.conflict == nil {
		return nil
	}
	return t.apply(ctx, ours, o)
}

// apply does what is to become of a tenant.
func (t *merging) apply(ctx context.Context, ours placedTenant, o outcome) error {
	if o.conflict != nil {
		t.conflict(*o.conflict)
	}
	var err error
	switch o.step.Action {
	case Add:
		t.plan.Added++
		err = t.appendTenant(ctx, o.tenant)
	case Update:
		t.plan.Updated++
		err = t.updateTenant(ctx, ours, o.tenant)
	case Remove:
		var removed Removed
		t.plan.Removed++
		removed, err = t.removeTenant(ctx, ours)
		o.step.Removed = &removed
	case Gone:
		t.gone[o.step.ID] = true
	default:
		t.plan.Unchanged++
	}
	if o.step.Action != "" && o.conflict == nil {
		t.plan.note(o.step)
	}
	return err
}
