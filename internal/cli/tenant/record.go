package tenant

import (
	"context"

	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// record is a tenant in JSON, as show and every change of it answer: what lists say of it, and its
// database.
type record struct {
	task.TenantRecord
	behind
}

// behind is what stands behind the record of tenants.json.
type behind struct {
	// Database is the one that sp made for it.
	Database *task.DatabaseRecord `json:"database"`
	// Forgotten are the members whose secret was there and is not kept any more.
	Forgotten []string `json:"no_longer_kept"`
}

// MarshalJSON writes the members of the record and what is behind them.
func (r record) MarshalJSON() ([]byte, error) {
	return r.With(struct {
		task.Besides
		behind
	}{r.Besides, r.behind})
}

// recordOf is a tenant as it is now.
func recordOf(ctx context.Context, view *registry.View, t registry.Tenant, how task.Showing) (record, error) {
	r, err := recordWithout(ctx, view, t, how)
	if err != nil {
		return r, err
	}
	d, err := view.Database(ctx, t.ID)
	if err == nil && d != nil {
		shown := task.DatabaseOf(*d)
		r.Database = &shown
	}
	return r, err
}

// recordWithout leaves its database out, of which only the present is known.
func recordWithout(ctx context.Context, view *registry.View, t registry.Tenant, how task.Showing) (record, error) {
	selection, err := view.Selection(ctx)
	shown := task.RecordOf(t, selection, how)
	return record{shown, behind{Forgotten: []string{}}}, err
}

// recordIn is a tenant as a change has made it.
func recordIn(ctx context.Context, reg *registry.Registry, t registry.Tenant) (record, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return record{}, err
	}
	defer view.Close()
	return recordOf(ctx, view, t, task.Masked)
}

// recordAfter is a tenant as it is behind a change that was made in several steps.
func recordAfter(ctx context.Context, t *task.Task, id registry.TenantID) (r record, err error) {
	ctx = context.WithoutCancel(ctx) // the change is done
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) error {
		tenant, err := view.Tenant(ctx, id)
		if err == nil {
			r, err = recordOf(ctx, view, tenant, task.Masked)
		}
		return err
	})
	return r, task.Afterwards(err)
}
