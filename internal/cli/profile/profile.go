// Package profile has the commands on profiles and on their secrets.
package profile

import (
	"context"
	"iter"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// Command is `sp profile`.
func Command() *cli.Command {
	return &cli.Command{
		Name:  "profile",
		Usage: "create, list, show, edit and delete profiles, and set the default",
		Commands: []*cli.Command{
			createCommand(), listCommand(), showCommand(), editCommand(), defaultCommand(), deleteCommand(),
		},
	}
}

// record is a profile in JSON.
type record struct {
	Name    string         `json:"name"`
	Tenant  task.TenantRef `json:"tenant"`
	Active  bool           `json:"active"`
	Default bool           `json:"default"`
}

func (r record) mark() string {
	switch {
	case r.Active:
		return "(active)"
	case r.Default:
		return "(default)"
	}
	return ""
}

// choice is what is chosen in a registry, against which its profiles are shown.
type choice struct {
	view      *registry.View
	selection registry.Selection
	session   *registry.Session // of the selected tenant
	last      task.TenantRef    // mostly it is that of the next profile, too
}

func choiceIn(ctx context.Context, view *registry.View) (*choice, error) {
	selection, err := view.Selection(ctx)
	if err != nil {
		return nil, err
	}
	session, err := view.ActiveSession(ctx)
	return &choice{view: view, selection: selection, session: session}, err
}

func (c *choice) record(ctx context.Context, p registry.Profile) (r record, err error) {
	if c.last.ID != p.Tenant {
		if c.last, err = task.RefIn(ctx, c.view, p.Tenant); err != nil {
			return record{}, err
		}
	}
	return record{
		Name:    p.Name,
		Tenant:  c.last,
		Active:  c.session != nil && c.session.Profile == p.Name,
		Default: c.selection.DefaultProfile != nil && *c.selection.DefaultProfile == p.Name,
	}, nil
}

// records makes a record of each profile.
func (c *choice) records(ctx context.Context, profiles iter.Seq2[registry.Profile, error]) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		for p, err := range profiles {
			var r record
			if err == nil {
				r, err = c.record(ctx, p)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// recordIn is a profile as a change has left it: the change may have made it active or the default.
func recordIn(ctx context.Context, reg *registry.Registry, p registry.Profile) (r record, err error) {
	err = task.InView(ctx, reg, func(view *registry.View) error {
		chosen, err := choiceIn(ctx, view)
		if err == nil {
			r, err = chosen.record(ctx, p)
		}
		return err
	})
	return r, err
}

// created is what becomes of a new profile.
const created = "created"

// change changes a profile, says so, and answers with it.
func change(ctx context.Context, t *task.Task, c workspace.Change, what string, commit func(context.Context, *registry.Registry) (registry.Profile, error)) (cli.Answer, error) {
	var changed record
	c.Commit = func(ctx context.Context, reg *registry.Registry) error {
		p, err := commit(ctx, reg)
		if err == nil {
			changed, err = recordIn(ctx, reg, p)
		}
		return err
	}
	err := t.Change(ctx, c)
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	if what == created && changed.Active {
		what += "; it is the session of that tenant now"
	}
	t.Note("profile %s of tenant %s %s", changed.Name, changed.Tenant.ID, what)
	return cli.Answer{Value: changed}, err
}
