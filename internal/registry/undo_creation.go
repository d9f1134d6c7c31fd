package registry

import (
	"context"
	"slices"
	"strings"
)

// published tells of a change whether it gave the tenant its URL, which is worthless once the database is gone.
func (u Undo) published(made Change) bool {
	return u.Database != nil && u.Tenant.DatabaseURL != nil && made.Sequence == u.Changes[0].Sequence
}

// UndoOf returns what takes back a change: of a part of a creation with a database, all of that.
func (v *View) UndoOf(ctx context.Context, sequence *int64) (Undo, error) {
	u := Undo{Sequence: sequence}
	undone, err := v.toUndo(ctx, sequence, 0)
	if err != nil {
		return u, err
	}
	databases, err := v.Databases(ctx) // few, and a change may have made any number of tenants
	if err != nil {
		return u, err
	}
	for _, d := range databases {
		of, err := v.listed(ctx, undone, &d.Tenant)
		if err != nil {
			return u, err
		}
		if e := of.entryOf(d.Tenant); e != nil && (e.creates() || of.publishes(*e)) {
			return v.creation(ctx, u, d, undone.Sequence)
		}
	}
	return u, nil
}

// creation looks for the changes that made a database. One of them is known.
func (v *View) creation(ctx context.Context, plain Undo, d Database, known int64) (Undo, error) {
	u := Undo{Database: &d}
	gone, err := v.IsGone(ctx, d.Tenant)
	if err == nil && !gone {
		u.Tenant, err = v.Tenant(ctx, d.Tenant)
	}
	if err != nil || gone {
		return plain, err
	}
	for made, err := range v.Changes(ctx, &d.Tenant, Page{}) {
		stands := false
		if err == nil {
			stands, err = v.stands(ctx, made)
		}
		if err != nil {
			return plain, err
		}
		e := made.entryOf(d.Tenant)
		switch {
		case !stands || e == nil:
		case len(u.Changes) == 0 && made.publishes(*e):
			u.Changes = append(u.Changes, made)
		case e.creates() && (len(u.Changes) == 0 || u.Changes[0].Command == made.Command):
			u.Changes = append(u.Changes, made)
		}
	}
	if !slices.ContainsFunc(u.Changes, func(made Change) bool { return made.Sequence == known }) {
		return plain, nil
	}
	return u, nil
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
