package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// errSetBack is what a rotation ends with when the role has its old password again.
var errSetBack = errors.New("the new password does not open the database, and the old one is set back")

// rotation changes the password of a role that several tenants may log in as. The URLs with
// the new one are recorded already.
type rotation struct {
	reg          *registry.Registry
	role         *provision.Role
	before, next secret.Secret // the URL of the tenant whose rotation it is
	ids          []registry.TenantID
	fresh        bool // it is the first try with next

	published bool
	settled   bool // one password is recorded, and the role has it
	unsure    bool // nobody knows which password the role has
}

// run leaves one password that holds, and is published. Where that can't be had, both stay
// recorded. A password is given up when the server has acknowledged the other one.
func (r *rotation) run(ctx context.Context) error {
	err := r.set(ctx, r.next)
	switch {
	case errors.Is(err, provision.ErrUnknown):
		r.unsure = true
		return err
	case err != nil && r.fresh: // the server refused, so nobody has ever had it
		return r.giveUp(ctx, err)
	case err != nil:
		return err
	}
	if err := opens(ctx, r.next); err != nil {
		return r.setBack(ctx, err)
	}
	err = r.reg.EndRotation(ctx, r.ids, true)
	switch {
	case made(err):
		r.published, r.settled = true, true
		return err
	case errors.Is(err, registry.ErrUnknown): // it may be published
		return err
	}
	if back := r.set(ctx, r.before); back != nil {
		return fmt.Errorf("%w: the new password holds and is not published: %w; the old one can't be set back: %w", registry.ErrIncomplete, err, back)
	}
	return err
}

// setBack gives the role the password that is published, in the session that is still open.
func (r *rotation) setBack(ctx context.Context, refused error) error {
	if back := r.set(ctx, r.before); back != nil {
		return fmt.Errorf("%w: the role has a new password that does not open the database: %w; the old one can't be set back: %w", registry.ErrIncomplete, refused, back)
	}
	return r.giveUp(ctx, fmt.Errorf("%w: %w", errSetBack, refused))
}

// giveUp forgets the new password, which the role does not have.
func (r *rotation) giveUp(ctx context.Context, why error) error {
	if err := r.reg.EndRotation(ctx, r.ids, false); !made(err) {
		return errors.Join(why, err)
	}
	r.settled = true
	return why
}

// advise says what helps where nothing new is published.
func (r *rotation) advise(t registry.Tenant, pooled bool, err error) error {
	id := project.Quoted(string(t.ID))
	switch {
	case !r.settled && !r.next.Empty():
		return withHint(err, "both passwords stay recorded: sp tenant rotate-credentials %s -y goes on, and finds out which one holds", id)
	case errors.Is(err, errSetBack) && pooled:
		return withHint(err, "let the pooler look passwords up at the server (auth_query), or rotate at the server's own address: sp tenant edit %s --database-url-stdin", id)
	}
	return err
}

func (r *rotation) set(ctx context.Context, url secret.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return r.role.SetPassword(ctx, url)
}

func opens(ctx context.Context, url secret.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, 2*answerWithin)
	defer cancel()
	_, err := provision.Opens(ctx, url)
	return err
}
