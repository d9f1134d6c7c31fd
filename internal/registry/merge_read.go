package registry

import (
	"context"
	"math"
	"time"

	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/secret"
)

// merging is a merge at work.
type merging struct {
	*change
	Merge
	knowledge
	plan      *Plan
	digester  digester
	from      int64             // the change from which on it is looked at what was
	taken     map[int64]author  // who made the changes since then
	gone      map[TenantID]bool // tenants of the file that are not here and will not be
	conflicts ConflictsError
}

func (c *change) merging(ctx context.Context, b Merge, plan *Plan) (*merging, error) {
	d, err := c.digests(ctx)
	if err != nil {
		return nil, err
	}
	t := &merging{change: c, Merge: b, plan: plan, digester: d, taken: map[int64]author{}, gone: map[TenantID]bool{}}
	return t, t.dateReading(ctx)
}

// dateReading finds out what the other program had read: by what the clock says and, where
// sp published something since, by what the file shows of that.
func (t *merging) dateReading(ctx context.Context) error {
	t.from = t.Since
	// Theirs is said of what stands there, and not of what was kept aside.
	dated := !t.Written.IsZero() && (t.Settle != Theirs || t.Unseen) || t.Unread
	if dated {
		if err := t.dateFrom(ctx); err != nil {
			return err
		}
	}
	rows, err := t.q.PublishedOrTakenFrom(ctx, t.from)
	if err != nil {
		return err
	}
	var states []published
	for _, row := range rows {
		t.taken[row.Sequence] = t.authorOf(row)
		if row.Published != nil && row.Sequence <= t.Since {
			states = append(states, published{row.Sequence, time.UnixMicro(*row.Published), t.Unread && row.Sequence == t.Since})
		}
	}
	if t.knowledge = knows(t.from, states, t.Written); dated && t.known < t.Since {
		if err := t.dateByContent(ctx); err != nil {
			return err
		}
	}
	over, err := t.q.RestoreOver(ctx, queries.RestoreOverParams{Known: t.known, Shown: t.Since})
	if t.blind = len(over) > 0; t.blind {
		t.known = t.Since
	}
	return err
}

// dateFrom finds the last state of which it is certain that the other program had read it.
func (t *merging) dateFrom(ctx context.Context) error {
	p := queries.LatestPublishedParams{Published: t.Written.Add(-looked).UnixMicro(), Sequence: t.Since}
	if t.Settle == Theirs && !t.Unseen || t.Written.IsZero() {
		p.Published = math.MaxInt64
	}
	if t.Unread {
		p.Sequence--
	}
	latest, err := t.q.LatestPublished(ctx, p)
	t.from = 0
	for _, revision := range latest { // one at most
		t.from = revision
	}
	return err
}

// authorOf returns who made a change. What was taken over since a file was written that was kept
// aside, that does not know, though one program made both.
func (t *merging) authorOf(row queries.PublishedOrTakenFromRow) author {
	by := author(row.Taken)
	if by == byOther && t.Unseen && time.UnixMicro(row.MadeAt).After(t.Written) {
		return byOtherSince
	}
	return by
}

// maxDating bounds the tenants by which a file is dated.
const maxDating = 1000

// dateByContent reads the file once for the tenants that sp changed since the clock says
// that all was known.
func (t *merging) dateByContent(ctx context.Context) error {
	shown, err := t.changedSince(ctx)
	if err != nil || len(shown) == 0 {
		return err
	}
	if _, err := t.Read(func(theirs Tenant) error {
		if _, wanted := shown[theirs.ID]; wanted {
			shown[theirs.ID] = &theirs
		}
		return nil
	}); err != nil {
		return err
	}
	latest := t.known
	for id, theirs := range shown {
		past, err := t.past(ctx, id, theirs, t.from)
		if err != nil {
			return err
		}
		latest = max(latest, t.dateBy(past, theirs, t.digester))
	}
	t.known = latest
	return nil
}

// changedSince returns the last tenants that sp changed in states of which it is not known
// whether the other program had read them.
func (t *merging) changedSince(ctx context.Context) (map[TenantID]*Tenant, error) {
	found := map[TenantID]*Tenant{}
	for row, err := range t.changeRows(ctx, nil, t.Since+1, 0) {
		if err != nil || row.Sequence <= t.known {
			return found, err
		}
		if author(row.Taken) != bySP {
			continue
		}
		ids := t.appendedBy(ctx, changeOf(row))
		entries := convert(t.rowsOf(ctx, row.Sequence, TenantEntity), func(e queries.Entry) (TenantID, error) { return TenantID(e.ID), nil })
		for _, some := range []func(func(TenantID, error) bool){entries, ids} {
			for id, err := range some {
				if err != nil || len(found) == maxDating {
					return found, err
				}
				found[id] = nil
			}
		}
	}
	return found, nil
}

// past returns what a tenant was from a change on, until now.
func (t *merging) past(ctx context.Context, id TenantID, theirs *Tenant, from int64) (past []version, err error) {
	now, err := t.stateNow(ctx, TenantEntity, string(id), t.digester)
	if err != nil {
		return nil, err
	}
	has := map[string]secret.Secret{"ours": now.tenant.Unknown.text}
	if theirs != nil {
		has["theirs"] = theirs.Unknown.text
	}
	find := t.findIn(ctx, id, has, t.digester, t.now)
	for {
		next, err := t.nextEntry(ctx, TenantEntity, string(id), from)
		if err != nil {
			return nil, err
		}
		was := now
		if next != nil {
			if was, err = t.stateBefore(ctx, *next, math.MaxInt64); err != nil {
				return nil, err
			}
		}
		if was.image != nil {
			appended, err := t.appended(ctx, was.position)
			if err == nil {
				err = spreadFound(was.image, find)
			}
			if err != nil {
				return nil, err
			}
			if appended > from {
				past = append(past, version{from: from, by: t.taken[from]})
				from = appended
			}
		}
		past = append(past, version{from: from, image: was.image, by: t.taken[from]})
		if next == nil {
			return past, nil
		}
		from = next.Sequence
	}
}
