package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) sessionSwitchCommand() *cli.Command {
	return &cli.Command{
		Name:        "switch",
		Usage:       "select a profile's tenant and make the profile its session",
		ArgsUsage:   "PROFILE",
		Description: "  sp session switch production",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.changeProfile(ctx, a.others(nil), "is active; its tenant is selected", func(ctx context.Context, reg *registry.Registry) (registry.Profile, error) {
				return reg.UseProfile(ctx, cmd.Args().First())
			})
		},
	}
}

func (a *app) sessionLogoutCommand() *cli.Command {
	return &cli.Command{
		Name:  "logout",
		Usage: "end the session of the selected tenant",
		Flags: []cli.Flag{
			stringFlag("profile", "end the session that chose the profile `NAME`"),
			boolFlag("all", "end every session"),
			yesFlag(),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.IsSet("profile") && cmd.Bool("all") {
				return usage("--profile and --all")
			}
			if cmd.Bool("all") {
				if err := a.confirm(ctx, cmd, "end every session?"); err != nil {
					return err
				}
			}
			var ended []registry.Session
			err := a.change(ctx, a.others(func(ctx context.Context, reg *registry.Registry) (err error) {
				ended, err = endSessions(ctx, cmd, reg)
				return err
			}))
			return a.tellEnded(ended, err)
		},
	}
}

func endSessions(ctx context.Context, cmd *cli.Command, reg *registry.Registry) ([]registry.Session, error) {
	if cmd.Bool("all") {
		return reg.EndSessions(ctx)
	}
	id, err := sessionTenant(ctx, reg, optional(cmd, "profile"))
	if err != nil {
		return nil, err
	}
	ended, err := reg.EndSession(ctx, id)
	if ended == nil {
		return nil, err
	}
	return []registry.Session{*ended}, err
}

// sessionTenant returns the tenant whose session is meant: the one that chose the
// named profile or, without a name, that of the selected tenant.
func sessionTenant(ctx context.Context, reg *registry.Registry, name *string) (registry.TenantID, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return "", err
	}
	defer view.Close()
	if name == nil {
		t, err := view.TenantOrSelected(ctx, nil)
		return t.ID, err
	}
	p, err := view.Profile(ctx, *name)
	if err != nil {
		return "", err
	}
	s, err := view.Session(ctx, p.Tenant)
	if err == nil && (s == nil || s.Profile != p.Name) {
		err = fmt.Errorf("session of profile %s: %w", p.Name, registry.ErrNotFound)
	}
	return p.Tenant, err
}

func (a *app) tellEnded(ended []registry.Session, err error) error {
	if !made(err) {
		return err
	}
	names := []registry.TenantID{}
	for _, s := range ended {
		a.note("session of tenant %s (profile %s) ended", s.Tenant, s.Profile)
		names = append(names, s.Tenant)
	}
	if len(ended) == 0 {
		a.note("there was no session to end")
	}
	if a.json {
		err = cmp.Or(err, a.document(map[string]any{"ended": names}))
	}
	return err
}
