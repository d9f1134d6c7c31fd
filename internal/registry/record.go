package registry

import (
	"context"
	"encoding/hex"
	"io"

	"github.com/sp-registry/sp/db/queries"
)

// record is what a change leaves in the history.
type record struct {
	command     string
	undoes      *int64
	first, last int64 // positions of the tenants that it appended; 0 is none
	entries     bool
	revoked     string // the member of a tenant whose old value is worthless now
	purge       bool   // keep none of the secrets that it removes
	taken       author
	purged      bool // it forgets what was removed before, and is told of for that alone
	digester    *digester
}

// entry puts into the history what a thing was before this change; of several the
// first holds.
func (c *change) entry(ctx context.Context, what Entity, id string, tenant TenantID, position *int64, before image) error {
	c.record.entries = true
	return c.q.InsertEntry(ctx, queries.InsertEntryParams{
		Sequence: c.revision, Kind: string(what), ID: id, TenantID: string(tenant),
		Position: position, Before: before.text(), Revoked: c.record.revoked,
	})
}

// close puts the change itself into the history, if it did anything. An undo that
// found nothing left to do is there, so that it is not done again, and a purge, so that
// who misses what it destroyed finds it.
func (r *record) close(ctx context.Context, c *change) error {
	if !r.entries && r.first == 0 && r.undoes == nil && !r.purged {
		return nil
	}
	params := queries.InsertChangeParams{
		Sequence: c.revision, MadeAt: c.now.UnixMicro(), Command: r.command, Undoes: r.undoes, Taken: int64(r.taken),
	}
	if r.first != 0 {
		params.FirstAdded, params.LastAdded = &r.first, &r.last
	}
	return c.q.InsertChange(ctx, params)
}

// digests returns what makes digests; its key is made when the first is wanted.
func (c *change) digests(ctx context.Context) (digester, error) {
	if c.record.digester != nil {
		return *c.record.digester, nil
	}
	d, err := c.View.digests(ctx)
	if err == nil && len(d.key) == 0 {
		d.key = make([]byte, 32)
		if _, err = io.ReadFull(c.random, d.key); err == nil {
			err = c.q.SetDigestKey(ctx, hex.EncodeToString(d.key))
		}
	}
	c.record.digester = &d
	return d, err
}
