package registry

import (
	"context"
	"slices"
	"strings"
)

// Creation is how a tenant came by the database that sp made for it.
type Creation struct {
	Tenant   Tenant
	Database Database
	// Changes made it, the last one first: the one that gave the tenant its URL, and the one before that if the
	// tenant was created with it. Of a creation that was stopped there is only the latter.
	Changes []Change
}

// published tells of a change whether it gave the tenant its URL, which is worthless once the database is gone.
func (c *Creation) published(made Change) bool {
	return c != nil && c.Tenant.DatabaseURL != nil && made.Sequence == c.Changes[0].Sequence
}

// CreationOf returns the creation that an undo would take back in part, with the database that was made: with a
// sequence, the undo of that change. It is nil if there is none.
func (v *View) CreationOf(ctx context.Context, sequence *int64) (*Creation, error) {
	undone, err := v.toUndo(ctx, sequence, 0)
	if err == nil {
		undone, err = v.listed(ctx, undone, nil)
	}
	if err != nil {
		return nil, err
	}
	for _, e := range undone.Entries {
		if e.Entity != TenantEntity || !e.creates() && !undone.publishes(e) {
			continue
		}
		d, err := v.Database(ctx, TenantID(e.ID))
		if err != nil {
			return nil, err
		}
		if d != nil {
			return v.creation(ctx, *d, undone.Sequence)
		}
	}
	return nil, nil
}

// creation looks for the changes that made a database. One of them is known.
func (v *View) creation(ctx context.Context, d Database, known int64) (*Creation, error) {
	c := &Creation{Database: d}
	gone, err := v.IsGone(ctx, d.Tenant)
	if err == nil && !gone {
		c.Tenant, err = v.Tenant(ctx, d.Tenant)
	}
	if err != nil || gone {
		return nil, err
	}
	for made, err := range v.Changes(ctx, &d.Tenant, Page{}) {
		stands := false
		if err == nil {
			stands, err = v.stands(ctx, made)
		}
		if err != nil {
			return nil, err
		}
		e := made.entryOf(d.Tenant)
		switch {
		case !stands || e == nil:
		case len(c.Changes) == 0 && made.publishes(*e):
			c.Changes = append(c.Changes, made)
		case e.creates() && (len(c.Changes) == 0 || c.Changes[0].Command == made.Command):
			c.Changes = append(c.Changes, made)
		}
	}
	if !slices.ContainsFunc(c.Changes, func(made Change) bool { return made.Sequence == known }) {
		return nil, nil
	}
	return c, nil
}

func (c Change) entryOf(tenant TenantID) *Entry {
	i := slices.IndexFunc(c.Entries, func(e Entry) bool { return e.Entity == TenantEntity && e.ID == string(tenant) })
	if i < 0 {
		return nil
	}
	return &c.Entries[i]
}

func (e Entry) creates() bool { return e.Before == nil && e.After != nil }

// publishes tells whether a tenant that had no URL got that of the database which was made for it.
func (c Change) publishes(e Entry) bool {
	_, had := e.Before["database_url"]
	_, has := e.After["database_url"]
	makes := strings.Contains(c.Command, " tenant create") || strings.Contains(c.Command, " tenant provision")
	return e.Before != nil && has && !had && makes && c.Undoes == nil
}
