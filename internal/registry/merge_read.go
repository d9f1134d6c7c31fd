package registry

import (
	"context"
	"encoding/json"
	"errors"
	"math"

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
	taken     map[int64]bool    // which changes since then the other program made
	gone      map[TenantID]bool // tenants of the file that are not here and will not be
	conflicts ConflictsError
}

func (c *change) merging(ctx context.Context, b Merge, plan *Plan) (*merging, error) {
	d, err := c.digests(ctx)
	if err != nil {
		return nil, err
	}
	t := &merging{change: c, Merge: b, plan: plan, digester: d, taken: map[int64]bool{}, gone: map[TenantID]bool{}}
	return t, t.dateReading(ctx)
}

// dateReading finds out what the other program had read: by what the clock says and, where
// sp published something since, by what the file shows of that.
func (t *merging) dateReading(ctx context.Context) error {
	t.from, t.known = t.Since, t.Since
	dated := !t.Written.IsZero() && t.Settle != Theirs
	if dated {
		latest, err := t.q.LatestPublished(ctx, queries.LatestPublishedParams{
			Published: t.Written.Add(-looked).UnixMicro(), Sequence: t.Since,
		})
		if err != nil {
			return err
		}
		if t.from = 0; len(latest) > 0 {
			t.from, t.states = latest[0], latest
		}
		t.known = t.from
	}
	rows, err := t.q.PublishedOrTakenAfter(ctx, t.from)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if t.taken[row.Sequence] = row.Taken; row.Published == nil || row.Sequence > t.Since {
			continue
		}
		if t.states = append(t.states, row.Sequence); *row.Published <= t.Written.Add(-unsure).UnixMicro() {
			t.known = row.Sequence
		}
	}
	if dated && t.known < t.Since {
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
		read, err := t.dateOf(ctx, id, theirs)
		if err != nil {
			return err
		}
		latest = max(latest, read)
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
		if row.Taken {
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

// dateOf returns the latest state that a tenant of the file, nil where it lacks it, shows.
func (t *merging) dateOf(ctx context.Context, id TenantID, theirs *Tenant) (latest int64, err error) {
	past, err := t.past(ctx, id, theirs, t.from)
	if err != nil {
		return 0, err
	}
	if theirs == nil {
		return t.date(valuesOf(past, itself), ""), nil
	}
	now := version{image: t.imageOf(*theirs)}
	for name := range saying(*theirs) {
		latest = max(latest, t.date(valuesOf(past, name), now.value(name)))
	}
	return max(latest, t.date(valuesOf(past, itself), there)), nil
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
				past = append(past, version{from: from, theirs: t.taken[from]})
				from = appended
			}
		}
		past = append(past, version{from: from, image: was.image, theirs: t.taken[from]})
		if next == nil {
			return past, nil
		}
		from = next.Sequence
	}
}

// ofUnknown is before the name of a member that the record does not define, in an image
// that tells these apart.
const ofUnknown = unknownMembers + "."

// imageOf returns what the file shows of a tenant.
func (t *merging) imageOf(theirs Tenant) image {
	m := imageOfTenant(theirs, t.digester)
	spread(m, theirs.Unknown)
	return m
}

// spread tells the members apart that the record does not define.
func spread(m image, unknown Members) {
	delete(m, unknownMembers)
	for name, text := range unknown.all {
		m[ofUnknown+name] = json.RawMessage(text)
	}
}

// spreadFound does so as far as anybody still has their text.
func spreadFound(m image, find finder) error {
	r := imageReader{image: m, find: find}
	unknown := r.members()
	if errors.Is(r.err, ErrForgotten) {
		return nil
	}
	if r.err == nil {
		spread(m, unknown)
	}
	return r.err
}
