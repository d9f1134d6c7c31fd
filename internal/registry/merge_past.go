package registry

import (
	"context"
	"time"
)

// The other program writes the whole file, without a lock, from what it read some time
// before, so that its file may lack what was written here in between. What in it is just
// as it was here within this time before it was written is taken for that.
const outdated = 10 * time.Minute

// past is what a tenant was, from that time until the file showed it last.
type past struct {
	images         []image
	added, deleted int64 // the change by which it came last, or went
}

// had tells whether a member was once as it is now.
func (p past) had(name string, now image) bool {
	for _, then := range p.images {
		if string(then[name]) == string(now[name]) {
			return true
		}
	}
	return false
}

// outdatedFrom returns the last change before the time from which on what the file says
// may be out of date, 0 if the history begins later.
func (t *merging) outdatedFrom(ctx context.Context) (int64, error) {
	if t.Written.IsZero() || t.blind {
		return t.Since, nil
	}
	return t.q.LatestChangeAt(ctx, t.Written.Add(-outdated).UnixMicro())
}

// past returns what a tenant was. What the other program itself changed it knew, so that
// is left out.
func (t *merging) past(ctx context.Context, id TenantID) (p past, err error) {
	for sequence := t.from; ; {
		entry, err := t.nextEntry(ctx, TenantEntity, string(id), sequence)
		if err != nil {
			return p, err
		}
		if entry == nil || entry.Sequence > t.Since {
			return p, t.noteAdded(ctx, id, &p)
		}
		sequence = entry.Sequence
		s, err := t.stateBefore(ctx, *entry, sequence-1)
		if err != nil {
			return p, err
		}
		theirs, err := t.isMerge(ctx, sequence)
		if err != nil {
			return p, err
		}
		p.note(s, sequence, theirs)
	}
}

// note adds what a tenant was before a change.
func (p *past) note(before state, sequence int64, theirs bool) {
	p.deleted = 0
	switch {
	case theirs:
	case before.image == nil:
		p.added = sequence
	default:
		p.images = append(p.images, before.image)
		p.deleted = sequence // unless it is there still
	}
}

// noteAdded adds whether the tenant that is there now was appended in that time.
func (t *merging) noteAdded(ctx context.Context, id TenantID, p *past) error {
	now, err := t.stateNow(ctx, TenantEntity, string(id), t.digester)
	if err != nil || now.image == nil {
		return err
	}
	p.deleted = 0
	appended, err := t.appended(ctx, now.position)
	if err != nil || appended <= t.from || appended > t.Since {
		return err
	}
	theirs, err := t.isMerge(ctx, appended)
	if p.added = appended; theirs {
		p.added = 0
	}
	return err
}

// isMerge tells whether a change took over what another program did.
func (t *merging) isMerge(ctx context.Context, sequence int64) (bool, error) {
	if known, ok := t.byMerge[sequence]; ok {
		return known, nil
	}
	c, err := t.changeRow(ctx, sequence)
	t.byMerge[sequence] = c.Command == MergeCommand
	return t.byMerge[sequence], err
}
