package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// removing is the control plane at which a cloud tenant is deleted, too; nil where that is not to be
// done: it is a local one, or nobody knows at which, or its database is to stay.
func removing(ctx context.Context, t *task.Task, id registry.TenantID) (*cloud.Client, error) {
	if t.Bool("keep-database") {
		return nil, nil
	}
	tenant, err := readTenant(ctx, t, id)
	if err != nil || !tenant.IsCloud() {
		return nil, err
	}
	client, _, err := clientFor(ctx, t, tenant)
	if errors.Is(err, task.ErrStrangePlane) {
		t.Note("nothing here says which control plane tenant %s is from, and yours does not have it: only the record here goes, its database stays where it is", tenant)
		return nil, nil
	}
	if !errors.Is(err, cloud.ErrNotLoggedIn) {
		return client, err
	}
	from, unread := originOf(ctx, t, id)
	if unread == nil && from == nil { // it came with a file
		t.Note("nothing here says which control plane tenant %s is from: only the record here goes, its database stays where it is", tenant)
		return nil, nil
	}
	return nil, errors.Join(err, unread)
}

// deleteUnderWay gives up the creation of a tenant that its control plane has begun, and that may never end:
// a region's server can stay away.
func deleteUnderWay(ctx context.Context, t *task.Task, m *hosting.Machine, missing error) (cli.Answer, error) {
	var k *registry.CloudCall
	err := t.Read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		k, err = task.UnderWay(ctx, view, *t.Arg(0), t.Now())
		return err
	})
	if err != nil || k == nil || k.Tenant == nil || string(*k.Tenant) != *t.Arg(0) && k.Name != t.String("confirm") {
		return cli.Answer{}, cmp.Or(err, adviseUndeletable(missing, k))
	}
	if t.Bool("keep-database") {
		return cli.Answer{}, cli.Usage("tenant delete: --keep-database is for a tenant that is here, and the creation of %s is not finished", k.Name)
	}
	client, err := planeOf(ctx, t, *k)
	if err == nil && !t.IsSet("confirm") {
		err = t.Confirm(ctx, fmt.Sprintf("Give up the creation of tenant %s (%s), and delete it at %s?", *k.Tenant, k.Name, client.Host()))
	}
	if err != nil {
		return cli.Answer{}, err
	}
	err = inTurnOf(ctx, t, *k.Tenant, func(ctx context.Context) error {
		switch _, err := readTenant(ctx, t, *k.Tenant); {
		case err == nil:
			return cli.Hint(fmt.Errorf("tenant %s (%s): it was finished meanwhile: %w", *k.Tenant, k.Name, registry.ErrConflict), "%s deletes it", cli.To("sp tenant delete", string(*k.Tenant)))
		case !errors.Is(err, registry.ErrNotFound):
			return err
		}
		if err := removeAt(ctx, t, client, *k.Tenant); err != nil {
			return err
		}
		return m.Change(context.WithoutCancel(ctx), func(reg *registry.Registry) error { return reg.EndCloudCall(ctx, k.Key) })
	})
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	return cli.Answer{Value: removalOf(registry.Removed{Tenant: unfinished(*k)}, nil, registry.Deletion{Dropped: true})}, err
}

// planeOf is the control plane of a creation, for the account that began it: to another one a control plane
// may say that there is no such tenant.
func planeOf(ctx context.Context, t *task.Task, k registry.CloudCall) (*cloud.Client, error) {
	client, origin, err := t.Cloud(ctx)
	if err != nil {
		return nil, err
	}
	account, err := accountAt(ctx, client)
	if err == nil && (origin != k.Origin || account != k.Account) {
		err = cli.Hint(fmt.Errorf("tenant %s: %s began its creation at %s, and you are %s at %s: %w", k.Name, k.Account, k.Origin, account, origin, cloud.ErrNotLoggedIn),
			"%s as that user", cli.To("sp login", k.Origin))
	}
	return client, err
}

// removeAt deletes a tenant at its control plane. One that is not there any more is gone.
func removeAt(ctx context.Context, t *task.Task, client *cloud.Client, id registry.TenantID) error {
	if client == nil {
		return nil
	}
	t.Step("asking " + client.Host())
	err := client.Delete(ctx, string(id))
	if errors.Is(err, cloud.ErrNotFound) {
		t.Note("%s no longer has the tenant", client.Host())
		return nil
	}
	if err == nil {
		t.Note("%s is deleting it, with its database", client.Host())
	}
	return err
}
