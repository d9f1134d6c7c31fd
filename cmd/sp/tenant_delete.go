package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) tenantDeleteCommand() *cli.Command {
	return &cli.Command{
		Name:        "delete",
		Usage:       "delete a tenant with its session, its profiles and its own database",
		ArgsUsage:   "ID",
		Description: "ID is the whole id, or the whole name with --confirm NAME. A database that sp has not made\nis left alone.",
		Flags: []cli.Flag{
			yesFlag(), purgeFlag(), a.noExportFlag(),
			stringFlag("confirm", "the `NAME` of the tenant once more, in place of -y"),
			boolFlag("keep-database", "leave the database, of which sp knows nothing then"),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.inSteps(ctx, a.tenants, func(ctx context.Context, m *hosting.Machine) error {
				return a.deleteTenant(ctx, cmd, m)
			})
		},
	}
}

func (a *app) deleteTenant(ctx context.Context, cmd *cli.Command, m *hosting.Machine) error {
	keep := cmd.Bool("keep-database")
	var id registry.TenantID
	var d *registry.Database
	var question string
	err := a.read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		if id, err = tenantToDelete(ctx, view, cmd.Args().First(), optional(cmd, "confirm")); err != nil {
			return err
		}
		if d, err = view.Database(ctx, id); err != nil {
			return err
		}
		drops := d
		if keep {
			drops = nil
		}
		question, err = deletionQuestion(ctx, view, id, drops)
		return err
	})
	if d != nil && errors.Is(err, registry.ErrNotFound) {
		return a.deleteOrphan(ctx, cmd, m, *d)
	}
	if errors.Is(err, registry.ErrNotFound) {
		return withHint(err, "delete takes the whole id, as sp tenant list prints it into a pipe")
	}
	if err != nil {
		return err
	}
	if !cmd.IsSet("confirm") {
		if err := a.confirm(ctx, cmd, question); err != nil {
			return err
		}
	}
	deletion := registry.Deletion{ID: id, Purge: cmd.Bool("purge")}
	if d != nil {
		if err := a.endDatabase(ctx, m, *d, keep); err != nil {
			return err
		}
		deletion.Dropped, deletion.Left = !keep, keep
	}
	var removed registry.Removed
	err = m.Change(ctx, func(reg *registry.Registry) (err error) {
		removed, err = reg.DeleteTenant(ctx, deletion)
		return err
	})
	if !made(err) {
		return err
	}
	a.noteRemoved(removed)
	if d == nil && removed.Tenant.HasDatabaseURL() {
		a.note("its database was not made by sp, and is left alone")
	}
	if a.json {
		err = cmp.Or(err, a.document(removalOf(removed)))
	}
	return err
}

// tenantToDelete returns the id that a word is or, where the tenant's name was said twice, means.
func tenantToDelete(ctx context.Context, view *registry.View, word string, name *string) (registry.TenantID, error) {
	t, err := view.ExactTenant(ctx, word)
	id := registry.TenantID(strings.TrimPrefix(word, registry.OnlyID))
	switch {
	case errors.Is(err, registry.ErrNotFound) && name == nil: // its database may still be there
		return id, nil
	case err != nil:
		return "", err
	case name != nil && *name != t.Name:
		return "", withHint(usage("tenant delete: --confirm: that is not the name of tenant %s", t.ID), "it is called %s", project.Quoted(t.Name))
	case name == nil && t.ID != id:
		return "", withHint(fmt.Errorf("%s is the name of tenant %s, and delete takes the whole id: %w", project.Quoted(word), t.ID, errConfirm),
			"sp tenant delete %s, or --confirm %s", project.Quoted(string(t.ID)), project.Quoted(t.Name))
	}
	return t.ID, nil
}

// maxAsked bounds the profiles that a question names.
const maxAsked = 10

// deletionQuestion names the tenant and all that would go with it: its database, too, if that
// is to be dropped.
func deletionQuestion(ctx context.Context, view *registry.View, id registry.TenantID, drops *registry.Database) (string, error) {
	t, err := view.Tenant(ctx, id)
	if err != nil {
		return "", err
	}
	session, err := view.Session(ctx, id)
	if err != nil {
		return "", err
	}
	profiles, err := view.ProfilesOf(ctx, &id, maxAsked+1)
	if err != nil {
		return "", err
	}
	next, err := view.Rotation(ctx, id)
	if err != nil {
		return "", err
	}
	question := fmt.Sprintf("delete tenant %s", t)
	if next != nil {
		question += ", the password of a rotation that was stopped (its database may open to no other)"
	}
	if drops != nil {
		question += fmt.Sprintf(", its database %s on server %s with all that is in it", drops.Name, drops.Server)
	}
	if session != nil {
		question += fmt.Sprintf(", its session (profile %s)", session.Profile)
	}
	for i, p := range profiles {
		if i == maxAsked {
			question += " and more"
			break
		}
		question += ", its profile " + p.Name
	}
	return question + "?", nil
}

// removal is what a deletion took, in JSON.
type removal struct {
	ID       registry.TenantID `json:"id"`
	Name     string            `json:"name"`
	Profiles []string          `json:"profiles"`
	Session  *string           `json:"session_profile"`
	Selected bool              `json:"was_selected"`
	Default  bool              `json:"had_default_profile"`
}

func removalOf(r registry.Removed) removal {
	gone := removal{ID: r.Tenant.ID, Name: r.Tenant.Name, Profiles: append([]string{}, r.Profiles...), Selected: r.Selected, Default: r.Default}
	if r.Session != nil {
		gone.Session = &r.Session.Profile
	}
	return gone
}

func (a *app) noteRemoved(r registry.Removed) {
	a.note("tenant %s deleted", r.Tenant)
	if r.Session != nil {
		a.note("its session (profile %s) ended", r.Session.Profile)
	}
	for _, name := range r.Profiles {
		a.note("its profile %s deleted", name)
	}
	if r.Default {
		a.note("one of them was the default profile; there is none now")
	}
	if r.Selected {
		a.note("it was selected; nothing is, until the next sp tenant select")
	}
}
