package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
)

// Tx is a change while it is being made: one lock, one transaction, one instant. It holds
// the lock until Close, so that the files that follow the registry have their places before
// the next writer.
type Tx struct {
	*change
	registry *Registry
	commit   func() (made bool, err error)
	close    func() error
	made     bool
}

// change is a View that may also write; its instant is that of the change.
type change struct {
	*View
	tx       queries.DBTX
	write    *db.Write // the same; nil in a restore
	random   io.Reader
	revision int64
	touched  bool // something that a file of tenants shows has changed
	record   record
	read     string // the SHA-256 of the file that it imported
	merge    int64  // the first change before it in the same transaction, of a merge; 0 is none
	stirred  bool   // and that one touched something that a file of tenants shows
}

// Begin takes the lock and begins a change. Until Commit nothing has changed; Close is to
// follow in any case.
func (r *Registry) Begin(ctx context.Context) (*Tx, error) {
	begin := r.db.Write
	if r.options.Bulk {
		begin = r.db.WriteBulk
	}
	tx, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	t := &Tx{
		registry: r, close: tx.Close,
		change: &change{
			View: &View{q: queries.New(tx), now: tx.Now, since: tx.Since, due: newDue()}, tx: tx, write: tx, random: r.options.random(),
			record: record{command: r.options.Command},
		},
	}
	t.commit = func() (bool, error) { return commit(tx, t.revision) }
	if tx.IsNew() {
		t.commit = tx.Place
	}
	if t.revision, err = t.q.BumpRevision(ctx); err == nil && tx.CopyOf() != "" {
		err = t.withholdServers(ctx, true)
	}
	if err != nil {
		return nil, errors.Join(vanished(err), tx.Close())
	}
	return t, nil
}

// View shows the registry as the change has left it so far.
func (t *Tx) View() *View { return t.change.View }

// Merge takes over what another program did, as a change of its own before this one.
func (t *Tx) Merge(ctx context.Context, m Merge) (plan Plan, err error) {
	if err := t.do(ctx, func(c *change) error { return c.takeOver(ctx, m, &plan) }); err != nil {
		return plan, err
	}
	if err := t.markTenants(ctx); err != nil {
		return plan, err
	}
	t.change = &change{
		View: t.change.View, tx: t.tx, write: t.write, random: t.random,
		record: record{command: t.registry.options.Command}, merge: cmp.Or(t.merge, t.revision), stirred: t.touched || t.stirred,
	}
	t.revision, err = t.q.BumpRevision(ctx)
	return plan, vanished(err)
}

// Do runs fn on the registry whose methods are parts of this change.
func (t *Tx) Do(ctx context.Context, fn func(*Registry) error) error {
	err := t.do(ctx, func(c *change) error { return fn(&Registry{options: t.registry.options, change: c}) })
	if err != nil {
		return err
	}
	if !t.touched && !t.stirred && t.write != nil {
		t.file = t.write.File
	}
	return t.markTenants(ctx)
}

// Commit makes the change, and tells whether it did, also beside an error, which then says
// what is not certain of it. Whether it was made may be unknown: then that is ErrUnknown.
func (t *Tx) Commit() (made bool, err error) {
	t.made, err = t.commit()
	return t.made, err
}

// Close ends the change, which is taken back unless it was made, and releases the lock. What
// goes wrong after it was made is ErrIncomplete.
func (t *Tx) Close() error {
	err := t.close()
	if err != nil && t.made {
		err = fmt.Errorf("%w: %w", ErrIncomplete, db.Explain(err))
	}
	return err
}

// next ends this change and begins another in the same transaction.
func (c *change) next(ctx context.Context) (err error) {
	if err := errors.Join(c.reindex(), c.record.close(ctx, c)); err != nil {
		return err
	}
	c.record = record{command: c.record.command}
	c.revision, err = c.q.BumpRevision(ctx)
	return err
}

// write runs fn as a part of the change that the registry is bound to or, bound to none, as
// a change of its own. When it then returns nil or ErrIncomplete the change was made;
// otherwise nothing changed, unless it is ErrUnknown.
func (r *Registry) write(ctx context.Context, fn func(c *change) error) (err error) {
	if r.change != nil {
		of := r.change.record
		defer func() { r.change.record.purge, r.change.record.revoked = of.purge, of.revoked }() // said of this part alone
		return fn(r.change)
	}
	tx, err := r.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Close()) }()
	if err := tx.Do(ctx, func(bound *Registry) error { return fn(bound.change) }); err != nil {
		return err
	}
	made, err := tx.Commit()
	if made && err != nil {
		err = fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	return err
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
	if err := c.reindex(); err != nil {
		return err
	}
	if err := c.forgetOver(ctx); err != nil {
		return err
	}
	return c.record.close(ctx, c)
}

// markTenants notes that a file of tenants is to show something else from this change on.
func (c *change) markTenants(ctx context.Context) error {
	if !c.touched {
		return nil
	}
	return c.q.MarkTenantsChanged(ctx)
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
