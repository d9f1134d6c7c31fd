package registry

import (
	"context"
	"errors"
	"iter"

	"github.com/sp-registry/sp/db/queries"
)

// entriesOf streams what a change did, to one tenant and what belongs to it or, with
// nil, to all.
func (v *View) entriesOf(ctx context.Context, c Change, tenant *TenantID, d digester) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, what := range entities {
			rows := v.rowsOf(ctx, c.Sequence, what)
			if tenant != nil {
				rows = v.rowsOfTenant(ctx, c.Sequence, what, *tenant)
			}
			for e, err := range convert(rows, func(row queries.Entry) (Entry, error) { return v.entryOf(ctx, row, d) }) {
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
		appended := v.appendedBy(ctx, c)
		if tenant != nil {
			appended = v.appendedIf(ctx, c, *tenant, d)
		}
		for e, err := range convert(appended, func(id TenantID) (Entry, error) { return v.appendedEntry(ctx, c, id, d) }) {
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func (v *View) appendedEntry(ctx context.Context, c Change, id TenantID, d digester) (Entry, error) {
	after, err := v.stateAt(ctx, TenantEntity, string(id), c.Sequence, d)
	return Entry{Entity: TenantEntity, ID: string(id), Tenant: id, After: after.image}, err
}

// rowsOf streams the entries of a change for one kind of thing.
func (v *View) rowsOf(ctx context.Context, sequence int64, what Entity) iter.Seq2[queries.Entry, error] {
	after := ""
	return stream(0, func(size int64) ([]queries.Entry, error) {
		rows, err := v.q.EntriesOfKindAfter(ctx, queries.EntriesOfKindAfterParams{
			Sequence: sequence, Kind: string(what), ID: after, Size: size,
		})
		if len(rows) > 0 {
			after = rows[len(rows)-1].ID
		}
		return rows, err
	})
}

// rowsOfTenant streams the entries of a change for one kind of thing that concern a
// tenant, which among a hundred thousand are few.
func (v *View) rowsOfTenant(ctx context.Context, sequence int64, what Entity, tenant TenantID) iter.Seq2[queries.Entry, error] {
	after := ""
	return stream(0, func(size int64) (rows []queries.Entry, err error) {
		if what == TenantEntity { // there is one at most; by tenant only the others are indexed
			row, err := v.nextEntry(ctx, what, string(tenant), sequence-1)
			if row != nil && row.Sequence == sequence {
				rows = append(rows, *row)
			}
			return rows, err
		}
		rows, err = v.q.EntriesOfTenantAfter(ctx, queries.EntriesOfTenantAfterParams{
			Sequence: sequence, Kind: string(what), TenantID: string(tenant), ID: after, Size: size,
		})
		if len(rows) > 0 {
			after = rows[len(rows)-1].ID
		}
		return rows, err
	})
}

// entryOf compares a thing before and after, and keeps what differs.
func (v *View) entryOf(ctx context.Context, row queries.Entry, d digester) (Entry, error) {
	e := Entry{Entity: Entity(row.Kind), ID: row.ID, Tenant: TenantID(row.TenantID)}
	before, err := readImage(row.Before)
	if err != nil {
		return e, err
	}
	after, err := v.stateAt(ctx, e.Entity, e.ID, row.Sequence, d)
	if before == nil || after.image == nil {
		e.Before, e.After = before, after.image
		return e, err
	}
	differing := before.differing(after.image)
	e.Before, e.After = before.only(differing), after.image.only(differing)
	return e, err
}

// appendedBy streams the tenants that a change appended, first those that are still there.
func (v *View) appendedBy(ctx context.Context, c Change) iter.Seq2[TenantID, error] {
	return func(yield func(TenantID, error) bool) {
		if c.firstAdded == 0 {
			return
		}
		for t, err := range v.tenantsFrom(ctx, c.firstAdded) {
			if err == nil && t.position > c.lastAdded {
				break
			}
			if !yield(t.ID, err) || err != nil {
				return
			}
		}
		last := int64(0)
		for row, err := range v.recordedFrom(ctx, c) {
			if err == nil && *row.Position > c.lastAdded {
				return
			}
			if err == nil {
				again := *row.Position == last
				last = *row.Position
				if there, trouble := v.isAt(ctx, TenantID(row.ID), last); there || again {
					continue
				} else if trouble != nil {
					err = trouble
				}
			}
			if !yield(TenantID(row.ID), err) || err != nil {
				return
			}
		}
	}
}

// appendedIf yields a tenant if the change appended it: no position is given twice.
func (v *View) appendedIf(ctx context.Context, c Change, id TenantID, d digester) iter.Seq2[TenantID, error] {
	return func(yield func(TenantID, error) bool) {
		then, err := v.stateAt(ctx, TenantEntity, string(id), c.Sequence, d)
		if err != nil || then.image != nil && c.firstAdded <= then.position && then.position <= c.lastAdded {
			yield(id, err)
		}
	}
}

// tenantsFrom streams the tenants from a position on, not so many at once as their ids: they
// may be long.
func (v *View) tenantsFrom(ctx context.Context, position int64) iter.Seq2[placedTenant, error] {
	after := position - 1
	rows := streamBy(batch/16, 0, func(size int64) ([]queries.Tenant, error) {
		rows, err := v.q.TenantsAfter(ctx, queries.TenantsAfterParams{Position: after, Size: size})
		if len(rows) > 0 {
			after = rows[len(rows)-1].Position
		}
		return rows, err
	})
	return convert(rows, placedTenantOf)
}

// recordedFrom streams the tenants that a change appended and a later one touched.
func (v *View) recordedFrom(ctx context.Context, c Change) iter.Seq2[queries.RecordedPositionsAfterRow, error] {
	after := c.firstAdded - 1
	return stream(0, func(size int64) ([]queries.RecordedPositionsAfterRow, error) {
		rows, err := v.q.RecordedPositionsAfter(ctx, queries.RecordedPositionsAfterParams{
			Position: after, Sequence: c.Sequence, Size: size,
		})
		if len(rows) > 0 {
			after = *rows[len(rows)-1].Position
		}
		return rows, err
	})
}

func (v *View) isAt(ctx context.Context, id TenantID, position int64) (bool, error) {
	t, err := v.placedTenant(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return t.position == position, err
}

// Page is a part of a list: at most Limit rows, all if it is 0, from the one
// behind After on.
type Page struct {
	After string
	Limit int
}

// batch is how many rows are read at once; it bounds memory, not the answer.
const batch = 256

// stream yields what fetch returns, a batch at a time, until a batch is not full
// or limit rows, if it is not 0, were yielded.
func stream[T any](limit int, fetch func(size int64) ([]T, error)) iter.Seq2[T, error] {
	return streamBy(batch, limit, fetch)
}

// streamBy is stream with batches of another size.
func streamBy[T any](most, limit int, fetch func(size int64) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		left := limit
		for {
			size := most
			if limit > 0 {
				size = min(size, left)
			}
			rows, err := fetch(int64(size))
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			left -= len(rows)
			if len(rows) < size || limit > 0 && left == 0 {
				return
			}
		}
	}
}

// convert yields what to makes of each row; the first error ends it.
func convert[R, T any](rows iter.Seq2[R, error], to func(R) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range rows {
			var t T
			if err == nil {
				t, err = to(row)
			}
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}
