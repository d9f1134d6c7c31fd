package main

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) profileCommands() *cli.Command {
	return group("profile", "create, list, show, edit and delete profiles, and set the default",
		a.profileCreateCommand(), a.profileListCommand(), a.profileShowCommand(),
		a.profileEditCommand(), a.profileDefaultCommand(), a.profileDeleteCommand())
}

// profile is a profile in JSON.
type profile struct {
	Name    string            `json:"name"`
	Tenant  registry.TenantID `json:"tenant_id"`
	Active  bool              `json:"active"`
	Default bool              `json:"default"`
}

func (a *app) profileListCommand() *cli.Command {
	return a.listCommand("NAME", &cli.Command{
		Usage:       "list the profiles of the selected tenant, of all when none is",
		Description: "Columns: name, (active) or (default), tenant. Active is the one that the selected\ntenant's session chose.",
		Flags:       []cli.Flag{boolFlag("all", "the profiles of every tenant")},
	}, func(ctx context.Context, l list) error {
		chosen, err := choiceIn(ctx, l.view)
		if err != nil {
			return err
		}
		tenant := chosen.selection.Tenant
		if l.cmd.Bool("all") {
			tenant = nil
		}
		return answerList(a, l, "profiles", l.view.Profiles(ctx, tenant, l.page), chosen.profile, func(p registry.Profile) []string {
			return []string{p.Name, chosen.profile(p).mark(), a.shortID(string(p.Tenant))}
		})
	})
}

func (p profile) mark() string {
	switch {
	case p.Active:
		return "(active)"
	case p.Default:
		return "(default)"
	}
	return ""
}

// choice is what is chosen, against which a profile is shown.
type choice struct {
	selection registry.Selection
	session   *registry.Session
}

func choiceIn(ctx context.Context, view *registry.View) (s choice, err error) {
	if s.selection, err = view.Selection(ctx); err != nil {
		return s, err
	}
	s.session, err = view.ActiveSession(ctx)
	return s, err
}

func (s choice) profile(p registry.Profile) profile {
	return profile{
		Name:    p.Name,
		Tenant:  p.Tenant,
		Active:  s.session != nil && s.session.Profile == p.Name,
		Default: s.selection.DefaultProfile != nil && *s.selection.DefaultProfile == p.Name,
	}
}

func (a *app) profileShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show a profile and its tenant, the active one without NAME",
		ArgsUsage: "[NAME]",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.read(ctx, func(_ project.Dir, view *registry.View) error {
				return a.showProfile(ctx, view, argument(cmd, 0))
			})
		},
	}
}

func (a *app) showProfile(ctx context.Context, view *registry.View, name *string) error {
	chosen, err := choiceIn(ctx, view)
	if err != nil {
		return err
	}
	if name == nil {
		if chosen.session == nil {
			return fmt.Errorf("%w is active", registry.ErrNoProfile)
		}
		name = &chosen.session.Profile
	}
	p, err := view.Profile(ctx, *name)
	if err != nil {
		return err
	}
	t, err := view.Tenant(ctx, p.Tenant)
	if err != nil {
		return err
	}
	shown := chosen.profile(p)
	if a.json {
		return a.document(map[string]any{"profile": shown, "tenant": tenantOf(t, chosen.selection, masked)})
	}
	return a.table("Profile: "+p.Name, rowsOf(
		[]string{"name", p.Name},
		[]string{"tenant", t.String()},
		[]string{"active", yesNo(shown.Active)},
		[]string{"default", yesNo(shown.Default)},
	))
}
