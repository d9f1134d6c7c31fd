package tenant

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// How old a sync may be before a list makes another one, and how long a list waits for it.
const (
	fresh      = time.Minute
	syncWithin = 3 * time.Second
)

// syncTenants takes over what the control plane says of its tenants, if somebody is logged in and that
// was not done just now. It is asked without a lock. Where that fails, the list shows what is here.
func syncTenants(ctx context.Context, t *task.Task) error {
	if t.Bool("offline") || t.Offline() != nil {
		return nil
	}
	client, origin, err := t.Cloud(ctx)
	if errors.Is(err, cloud.ErrNotLoggedIn) && !t.Bool("prune") {
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.MakeRegistry(ctx, task.Refused); err != nil {
		return err
	}
	last, err := lastSync(ctx, t, origin)
	if err != nil || last.At != nil && t.Now().Sub(*last.At) < fresh && !t.Bool("prune") {
		return err
	}
	within, cancel := context.WithTimeout(ctx, syncWithin)
	defer cancel()
	etag := last.ETag
	if t.Bool("prune") {
		etag = "" // what is gone has to be looked for
	}
	me, unchanged, err := client.Me(within, etag)
	if err != nil && t.Bool("prune") {
		return err
	}
	if err != nil {
		t.Note("warning: no sync: %v; this list may be out of date", err)
		return nil
	}
	sync := registry.CloudSync{Origin: origin, ETag: me.ETag, Unchanged: unchanged, Prune: t.Bool("prune")}
	for _, tenant := range me.Tenants {
		sync.Tenants = append(sync.Tenants, cloudTenantOf(tenant))
	}
	return storeSync(ctx, t, client, sync)
}

func lastSync(ctx context.Context, t *task.Task, origin string) (last registry.LastSync, err error) {
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		last, err = view.LastSync(ctx, origin)
		return err
	})
	return last, err
}

// storeSync merges what a control plane said. A list that can't store it shows what is here.
func storeSync(ctx context.Context, t *task.Task, client *cloud.Client, sync registry.CloudSync) error {
	var done registry.CloudSynced
	err := t.Change(ctx, t.Tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		done, err = reg.SyncCloud(ctx, sync)
		return err
	}))
	if !task.Made(err) {
		return err
	}
	tellSynced(t, client, done)
	return err
}

func tellSynced(t *task.Task, client *cloud.Client, done registry.CloudSynced) {
	for _, step := range done.Added {
		t.Note("tenant %s (%s) is new at %s", step.ID, step.Name, client.Host())
	}
	for _, step := range done.Updated {
		t.Note("tenant %s (%s): %s changed at %s", step.ID, step.Name, strings.Join(step.Changed, ", "), client.Host())
	}
	for _, step := range done.Pruned {
		t.Note("tenant %s (%s) removed: %s no longer has it", step.ID, step.Name, client.Host())
	}
	for _, step := range done.Gone {
		t.Note("tenant %s (%s): %s no longer has it; %s removes it, unless it is selected or a profile uses it",
			step.ID, step.Name, client.Host(), cli.To("sp tenant list", "--prune"))
	}
	for _, id := range done.Ambiguous {
		t.Note("warning: %s is one tenant's id and another's name; id:%s means the tenant with that id", id, id)
	}
	for _, kept := range done.Kept {
		if len(kept.Members) == 0 {
			t.Note("warning: tenant %s (%s) is local, and %s has another one with that id", kept.ID, kept.Name, client.Host())
			continue
		}
		t.Note("tenant %s (%s): %s differs at %s; yours stays", kept.ID, kept.Name, strings.Join(kept.Members, ", "), client.Host())
	}
}
