package tenant

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/registry"
)

// Whoever has a tenant made at its control plane, or asks for credentials of it, has its turn from before
// the first request until the answer is stored. So the registry ends with what the control plane gave last,
// and a call is begun, gone on with and ended by one process at a time. Where that is killed, the next one
// has the turn, and goes on with its call. The registry's own lock is not held meanwhile.

// inTurnOf runs fn in the turn of a tenant.
func inTurnOf(ctx context.Context, t *task.Task, id registry.TenantID, fn func(context.Context) error) error {
	return inTurn(ctx, t, "tenant\x00"+string(id), string(id), func(ctx context.Context, _ bool) error { return fn(ctx) })
}

// inTurnOfNew runs fn in the turn of the tenant that is to have a name, of which nobody knows the id yet. It
// tells fn whether another command had that turn first.
func inTurnOfNew(ctx context.Context, t *task.Task, name string, fn func(ctx context.Context, waited bool) error) error {
	return inTurn(ctx, t, "creation\x00"+name, name, fn)
}

func inTurn(ctx context.Context, t *task.Task, subject, word string, fn func(ctx context.Context, waited bool) error) error {
	return t.UntilTold(ctx, func(ctx context.Context) error {
		dir, err := t.Project()
		if err != nil {
			return err
		}
		waited := false
		waiting := func() {
			waited = true
			t.Note("waiting for another command that is at work on tenant %s", word)
		}
		return cloud.InTurn(ctx, dir.Path(), subject, waiting, func() error { return fn(ctx, waited) })
	})
}

// editInTurn is edit in the turn of a cloud tenant whose control plane may be asked.
func editInTurn(ctx context.Context, t *task.Task) (answer cli.Answer, err error) {
	if !t.IsSet("external-db-access") {
		return edit(ctx, t)
	}
	tenant, err := meant(ctx, t)
	if err != nil || tenant.IsLocal() {
		return edit(ctx, t)
	}
	err = inTurnOf(ctx, t, tenant.ID, func(ctx context.Context) (err error) {
		answer, err = edit(ctx, t)
		return err
	})
	return answer, err
}
