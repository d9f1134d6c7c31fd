package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) sessionCommands() *cli.Command {
	return group("session", "list, show, switch, log in and end sessions, one a tenant",
		a.sessionListCommand(), a.sessionShowCommand(), a.sessionSwitchCommand(), a.sessionLoginCommand(), a.sessionLogoutCommand())
}

// session is a session in JSON; never its token.
type session struct {
	Tenant   registry.TenantID `json:"tenant_id"`
	Profile  string            `json:"profile"`
	ChosenAt string            `json:"chosen_at"`
	Active   bool              `json:"active"`
	Status   string            `json:"session_status"`
	*authentication
}

// authentication is what authenticates a session, as it is shown.
type authentication struct {
	Email     string  `json:"user_email"`
	UserID    string  `json:"user_id"`
	UserType  string  `json:"user_type"`
	SessionID string  `json:"session_id"`
	ContextID string  `json:"context_id"`
	Issuer    *string `json:"issuer"`
	CreatedAt string  `json:"created_at"`
	ExpiresAt string  `json:"expires_at"`
	LastUsed  string  `json:"last_used"`
	Expired   bool    `json:"is_expired"`
	ExpiresIn *string `json:"expires_in"`
	Stale     *string `json:"stale_warning"`
}

func (a *app) sessionOf(s registry.Session, selection registry.Selection) session {
	now := a.now()
	shown := session{
		Tenant:   s.Tenant,
		Profile:  s.Profile,
		ChosenAt: registry.FormatTime(s.ChosenAt),
		Active:   isSelected(s.Tenant, selection),
		Status:   statusOf(s.Authentication, now),
	}
	if s.Authentication != nil {
		shown.authentication = authenticationOf(*s.Authentication, now)
	}
	return shown
}

func authenticationOf(a registry.Authentication, now time.Time) *authentication {
	shown := authentication{
		Email: a.UserEmail, UserID: a.UserID, UserType: a.UserType, SessionID: a.SessionID, ContextID: a.ContextID, Issuer: a.Issuer,
		CreatedAt: registry.FormatTime(a.CreatedAt), ExpiresAt: registry.FormatTime(a.ExpiresAt), LastUsed: registry.FormatTime(a.LastUsed),
		Expired: a.IsExpired(now),
	}
	if !shown.Expired {
		remaining := hoursAndMinutes(a.ExpiresAt.Sub(now))
		shown.ExpiresIn = &remaining
	}
	if hours := now.Sub(a.LastUsed) / time.Hour; hours > 24 {
		stale := fmt.Sprintf("last used %dh ago", hours)
		shown.Stale = &stale
	}
	return &shown
}

// statusOf says how long a session authenticates.
func statusOf(a *registry.Authentication, now time.Time) string {
	switch {
	case a == nil || a.Token.Empty():
		return "no token"
	case a.IsExpired(now):
		return "expired"
	}
	return hoursAndMinutes(a.ExpiresAt.Sub(now)) + " remaining"
}

func hoursAndMinutes(d time.Duration) string {
	return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
}

func (a *app) sessionListCommand() *cli.Command {
	return a.listCommand("ID", &cli.Command{
		Usage:       "list the sessions of all tenants",
		Description: "Columns: tenant, (active), profile, since when, email, how long it authenticates.",
	}, func(ctx context.Context, l list) error {
		selection, err := l.view.Selection(ctx)
		if err != nil {
			return err
		}
		asJSON := func(s registry.Session) session { return a.sessionOf(s, selection) }
		return answerList(a, l, "sessions", l.view.Sessions(ctx, l.page), asJSON, func(s registry.Session) []string {
			mark := ""
			if isSelected(s.Tenant, selection) {
				mark = "(active)"
			}
			shown, email := a.sessionOf(s, selection), ""
			if shown.authentication != nil {
				email = shown.Email
			}
			return []string{a.shortID(string(s.Tenant)), mark, s.Profile, shown.ChosenAt, email, shown.Status}
		})
	})
}

func (a *app) sessionShowCommand() *cli.Command {
	return &cli.Command{
		Name:  "show",
		Usage: "show the session of the selected tenant; never its token",
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
				shown := a.sessionOf(*s, registry.Selection{Tenant: &t.ID})
				if a.json {
					return a.document(shown)
				}
				return a.table("Session", rowsOf(shown.rows(t)...))
			})
		},
	}
}

// rows shows what there is to know of a session, a member a row.
func (s session) rows(t registry.Tenant) [][]string {
	rows := [][]string{{"tenant", t.String()}, {"profile", s.Profile}, {"since", s.ChosenAt}, {"status", s.Status}}
	if s.authentication == nil {
		return rows
	}
	rows = append(rows, []string{"email", s.Email}, []string{"user", s.UserID + " (" + s.UserType + ")"},
		[]string{"session", s.SessionID}, []string{"context", s.ContextID})
	if s.Issuer != nil {
		rows = append(rows, []string{"issuer", *s.Issuer})
	}
	rows = append(rows, []string{"created", s.CreatedAt}, []string{"expires", s.ExpiresAt}, []string{"last used", s.LastUsed})
	if s.Stale != nil {
		rows = append(rows, []string{"warning", *s.Stale})
	}
	return rows
}
