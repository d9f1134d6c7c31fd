package registry

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/sp-registry/sp/db/queries"
)

// addAll puts the tenants of the file into a registry that has none. There is nothing
// to look up, the indexes are made when all rows are there, and the file is read while
// they are written. Two tenants with one id are db.ErrNotUnique, but where the file is
// refused for something else: that is a refusedError, for they may stand before it.
func (c *change) addAll(ctx context.Context, i Import, plan *Plan) (document Document, err error) {
	if err := c.startAppending(ctx); err != nil {
		return document, err
	}
	insert := func() error {
		put := func(row queries.InsertTenantParams) error { return c.q.InsertTenant(ctx, row) }
		document, err = inBatches(i.readHastily, put, func(t Tenant) (queries.InsertTenantParams, error) {
			plan.Added++
			plan.note(Step{Action: Add, ID: t.ID, Name: t.Name})
			c.record.last++
			return insertOf(t, c.record.last, c.revision), checkWhole(t)
		})
		return err
	}
	err = c.write.WithoutIndexes(ctx, "tenants", func() error { return c.prepared(insert) })
	if c.touched = plan.Added > 0; !c.touched {
		c.record.first, c.record.last = 0, 0
	}
	return document, err
}

// refusedError is returned inside for a file that was refused without a look for two
// tenants with one id.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

func (i Import) readHastily(take func(Tenant) error) (Document, error) {
	document, err := i.Read(take)
	if err != nil {
		err = refusedError{err}
	}
	return document, err
}

func checkWhole(t Tenant) error {
	if t.ID == "" || t.Name == "" || !t.IsLocal() && !t.IsCloud() {
		return fmt.Errorf("tenant %s: id, name or type is missing: %w", t.ID, ErrInvalid)
	}
	return nil
}

// inBatches reads tenants, makes rows of them and, in another goroutine, puts those
// where they belong, in order.
func inBatches[Row any](read func(take func(Tenant) error) (Document, error), put func(Row) error, row func(Tenant) (Row, error)) (Document, error) {
	var stopped atomic.Bool
	batches, done := make(chan []Row, 2), make(chan error)
	go func() {
		var err error
		for batch := range batches {
			for i := 0; err == nil && i < len(batch); i++ {
				err = put(batch[i])
			}
			stopped.Store(err != nil)
		}
		done <- err
	}()
	var next []Row
	document, err := read(func(t Tenant) error {
		made, err := row(t)
		if err != nil {
			return err
		}
		if next = append(next, made); len(next) == batch {
			batches <- next
			next = make([]Row, 0, batch)
		}
		if stopped.Load() {
			return errStopped
		}
		return nil
	})
	batches <- next
	close(batches)
	if failed := <-done; failed != nil {
		err = failed
	}
	return document, err
}

// errStopped ends a reading whose tenants can't be put anywhere.
var errStopped = errors.New("stopped")
