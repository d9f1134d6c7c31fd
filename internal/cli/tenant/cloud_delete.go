package tenant

import (
	"context"
	"errors"

	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
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
