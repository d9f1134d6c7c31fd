package tenant

import (
	"context"
	"errors"
	"strconv"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// past is a tenant as it was, with the members whose secret is not kept any more.
func past(ctx context.Context, t *task.Task, dir project.Dir, view *registry.View, how task.Showing, at string) (record, error) {
	sequence, err := sequenceAt(ctx, view, at)
	if err != nil {
		return record{}, err
	}
	id, err := pastTenant(ctx, t, dir, view)
	if err != nil {
		return record{}, err
	}
	tenant, forgotten, err := view.TenantAt(ctx, id, sequence)
	if err != nil {
		return record{}, err
	}
	shown, err := recordWithout(ctx, view, tenant, how)
	shown.Forgotten = append(shown.Forgotten, forgotten...)
	return shown, err
}

// pastTenant returns the id of the tenant, deleted or not, that the argument means.
func pastTenant(ctx context.Context, t *task.Task, dir project.Dir, view *registry.View) (registry.TenantID, error) {
	word := t.Arg(0)
	if err := t.RefuseBoth(word); err != nil {
		return "", err
	}
	if word != nil {
		return view.FindPastTenant(ctx, *word)
	}
	tenant, err := t.Tenant(ctx, dir, view, nil)
	return tenant.ID, err
}

// sequenceAt reads --at: a sequence or a time.
func sequenceAt(ctx context.Context, view *registry.View, at string) (int64, error) {
	if sequence, err := strconv.ParseInt(at, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return sequence, nil // of which TenantAt tells whether it is one
	}
	instant, err := registry.ParseTime(at)
	if err != nil {
		return 0, cli.Hint(cli.Usage("--at: neither a sequence nor a time"), "%s prints sequences; a time is written 2026-02-01T10:00:00Z", cli.To("sp log"))
	}
	return view.SequenceAt(ctx, instant)
}
