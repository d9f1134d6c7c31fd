package task

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// TellOrphans names the databases whose tenants are gone and that are still on their servers.
func (t *Task) TellOrphans(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // what they stand behind is done
	return t.Read(ctx, func(_ project.Dir, view *registry.View) error { return t.TellOrphansOf(ctx, view) })
}

// TellOrphansOf is TellOrphans for a view.
func (t *Task) TellOrphansOf(ctx context.Context, view *registry.View) error {
	databases, err := view.Databases(ctx)
	if err != nil {
		return err
	}
	for _, d := range databases {
		gone, err := view.IsGone(ctx, d.Tenant)
		if err != nil {
			return err
		}
		if gone {
			t.Note("database %s of tenant %s, which is gone, stays on server %s: %s drops it", d.Name, d.Tenant, d.Server, cli.To("sp tenant delete", string(d.Tenant)))
		}
	}
	return nil
}
