package main

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) sessionCommands() *cli.Command {
	return group("session", "list, show, switch and end sessions, one a tenant",
		a.sessionListCommand(), a.sessionShowCommand(), a.sessionSwitchCommand(), a.sessionLogoutCommand(),
		a.later("login", "authenticate the session", needsCloud))
}

// session is a session in JSON.
type session struct {
	Tenant   registry.TenantID `json:"tenant_id"`
	Profile  string            `json:"profile"`
	ChosenAt string            `json:"chosen_at"`
	Active   bool              `json:"active"`
}

func sessionOf(s registry.Session, selection registry.Selection) session {
	return session{
		Tenant:   s.Tenant,
		Profile:  s.Profile,
		ChosenAt: registry.FormatTime(s.ChosenAt),
		Active:   isSelected(s.Tenant, selection),
	}
}

func (a *app) sessionListCommand() *cli.Command {
	return a.listCommand("ID", &cli.Command{
		Usage:       "list the sessions of all tenants",
		Description: "Columns: tenant, (active), profile, since when.",
	}, func(ctx context.Context, l list) error {
		selection, err := l.view.Selection(ctx)
		if err != nil {
			return err
		}
		asJSON := func(s registry.Session) session { return sessionOf(s, selection) }
		return answerList(a, l, "sessions", l.view.Sessions(ctx, l.page), asJSON, func(s registry.Session) []string {
			mark := ""
			if isSelected(s.Tenant, selection) {
				mark = "(active)"
			}
			return []string{a.shortID(string(s.Tenant)), mark, s.Profile, registry.FormatTime(s.ChosenAt)}
		})
	})
}

func (a *app) sessionShowCommand() *cli.Command {
	return &cli.Command{
		Name:  "show",
		Usage: "show the session of the selected tenant",
		Action: func(ctx context.Context, _ *cli.Command) error {
			return a.read(ctx, func(_ project.Dir, view *registry.View) error {
				t, err := view.TenantOrSelected(ctx, nil)
				if err != nil {
					return err
				}
				s, err := view.Session(ctx, t.ID)
				if err != nil {
					return err
				}
				if s == nil {
					return fmt.Errorf("tenant %s has no session: %w", t.ID, registry.ErrNoProfile)
				}
				if a.json {
					return a.document(sessionOf(*s, registry.Selection{Tenant: &t.ID}))
				}
				return a.table("Session", rowsOf(
					[]string{"tenant", t.String()},
					[]string{"profile", s.Profile},
					[]string{"since", registry.FormatTime(s.ChosenAt)},
				))
			})
		},
	}
}
