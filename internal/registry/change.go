package registry

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
)

// change is a View that may also write; its instant is that of the change.
type change struct {
	*View
	tx       queries.DBTX
	write    *db.Write // the same; nil in a restore
	random   io.Reader
	revision int64
	touched  bool // something that a file of tenants shows has changed
	record   record
	merge    int64 // the change before it in the same transaction, of a merge; 0 is none
	stirred  bool  // and that one touched something that a file of tenants shows
}

// write runs fn as one change: one lock, one transaction, one instant. When it
// returns nil or ErrIncomplete the change was made; otherwise nothing changed, unless
// it is ErrUnknown.
func (r *Registry) write(ctx context.Context, fn func(c *change) error) error {
	tx, err := r.db.Write(ctx)
	if err != nil {
		return err
	}
	return r.writeTo(ctx, tx, fn)
}

func (r *Registry) writeTo(ctx context.Context, tx *db.Write, fn func(c *change) error) (err error) {
	committed := false
	defer func() {
		if closed := tx.Close(); closed != nil && committed {
			err = errors.Join(err, fmt.Errorf("%w: %w", ErrIncomplete, db.Explain(closed)))
		} else if err == nil {
			err = closed
		}
	}()
	q := queries.New(tx)
	revision, err := q.BumpRevision(ctx)
	if err != nil {
		return vanished(err)
	}
	c := &change{
		View: &View{q: q, now: tx.Now, since: tx.Since, due: newDue()}, tx: tx, write: tx, random: r.options.random(), revision: revision,
		record: record{command: r.options.Command},
	}
	if tx.CopyOf() != "" {
		if err := c.withholdServers(ctx, true); err != nil {
			return err
		}
	}
	c, merged, err := c.merged(ctx, r.options)
	if err != nil {
		return err
	}
	if err := c.do(ctx, fn); err != nil {
		return err
	}
	if !c.touched && !c.stirred {
		c.file = tx.File
	}
	publication, err := r.publish(ctx, c)
	if err != nil {
		return err
	}
	committed, err = commit(tx, c.revision)
	switch {
	case errors.Is(err, ErrUnknown):
		return err // what was rendered stays: the next change knows by it what to do
	case !committed:
		return errors.Join(err, publication.Discard())
	}
	merged()
	if err := errors.Join(err, publication.Place()); err != nil {
		return fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	return nil
}

// do runs fn and closes its record. The secrets that were kept long enough go before
// it, so that it finds none of them, and those whose time it ends go after it.
func (c *change) do(ctx context.Context, fn func(c *change) error) error {
	if err := c.forgetOver(ctx); err != nil {
		return err
	}
	if err := fn(c); err != nil {
		return err
	}
	if err := c.forgetOver(ctx); err != nil {
		return err
	}
	return c.record.close(ctx, c)
}

// prepared runs fn on prepared statements: it is worth it where many rows change.
func (c *change) prepared(fn func() error) (err error) {
	plain, prepared := c.q, newStatements(c.tx)
	c.q = queries.New(prepared)
	defer func() {
		err = errors.Join(err, prepared.Close())
		c.q = plain
	}()
	return fn()
}
