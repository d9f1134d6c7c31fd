// Package session has the commands on sessions: list, show and switch them, log in and log out.
package session

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
)

// Command is `sp session`.
func Command() *cli.Command {
	return &cli.Command{
		Name:     "session",
		Usage:    "list, show, switch, log in and end sessions (one per tenant)",
		Commands: []*cli.Command{listCommand(), showCommand(), switchCommand(), loginCommand(), logoutCommand()},
	}
}

// record is a session in JSON; never its token.
type record struct {
	Tenant   task.TenantRef  `json:"tenant"`
	Profile  task.ProfileRef `json:"profile"`
	ChosenAt task.Time       `json:"chosen_at"`
	Active   bool            `json:"active"`
	State    state           `json:"state"`
	Status   string          `json:"session_status"`
	authentication
}

// state is how far a session authenticates.
type state string

// The states.
const (
	noToken state = "no_token"
	expired state = "expired"
	valid   state = "valid"
)

// authentication is what authenticates a session, as it is shown; nil is what it lacks.
type authentication struct {
	Email     *string    `json:"user_email"`
	UserID    *string    `json:"user_id"`
	UserType  *string    `json:"user_type"`
	SessionID *string    `json:"session_id"`
	ContextID *string    `json:"context_id"`
	Issuer    *string    `json:"issuer"`
	CreatedAt *task.Time `json:"created_at"`
	ExpiresAt *task.Time `json:"expires_at"`
	LastUsed  *task.Time `json:"last_used"`
	Expired   *bool      `json:"is_expired"`
	ExpiresIn *string    `json:"expires_in"`
	Stale     *string    `json:"stale_warning"`
}

// recordOf is a session as it is shown at an instant.
func recordOf(s registry.Session, t task.TenantRef, selection registry.Selection, now time.Time) record {
	r := record{
		Tenant:   t,
		Profile:  task.ProfileRef{Name: s.Profile},
		ChosenAt: task.Time(s.ChosenAt),
		Active:   task.IsSelected(s.Tenant, selection),
	}
	r.State, r.Status = stateOf(s.Authentication, now)
	if s.Authentication != nil {
		r.authentication = authenticationOf(*s.Authentication, now)
	}
	return r
}

// issuerOf is who made the token, where that is no way to a database: nobody checked it.
func issuerOf(a registry.Authentication) *string {
	if a.Issuer == nil {
		return nil
	}
	if pgurl.IsConnection(*a.Issuer) {
		return new("***")
	}
	return a.Issuer
}

func authenticationOf(a registry.Authentication, now time.Time) authentication {
	over := a.IsExpired(now)
	shown := authentication{
		Email: &a.UserEmail, UserID: &a.UserID, UserType: &a.UserType, SessionID: &a.SessionID, ContextID: &a.ContextID, Issuer: issuerOf(a),
		CreatedAt: new(task.Time(a.CreatedAt)), ExpiresAt: new(task.Time(a.ExpiresAt)), LastUsed: new(task.Time(a.LastUsed)), Expired: &over,
	}
	if !over {
		remaining := hoursAndMinutes(a.ExpiresAt.Sub(now))
		shown.ExpiresIn = &remaining
	}
	if hours := now.Sub(a.LastUsed) / time.Hour; hours > 24 {
		stale := fmt.Sprintf("last used %dh ago", hours)
		shown.Stale = &stale
	}
	return shown
}

// stateOf says how long a session authenticates, as a code and in words.
func stateOf(a *registry.Authentication, now time.Time) (state, string) {
	switch {
	case a == nil || a.Token.Empty():
		return noToken, "no token"
	case a.IsExpired(now):
		return expired, "expired"
	}
	return valid, hoursAndMinutes(a.ExpiresAt.Sub(now)) + " remaining"
}

func hoursAndMinutes(d time.Duration) string {
	return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
}

// recordIn is a session of a registry as it is shown.
func recordIn(ctx context.Context, t *task.Task, view *registry.View, s registry.Session) (record, error) {
	selection, err := view.Selection(ctx)
	if err != nil {
		return record{}, err
	}
	tenant, err := task.RefIn(ctx, view, s.Tenant)
	return recordOf(s, tenant, selection, t.Now()), err
}

// recordsIn are all sessions of a page.
func recordsIn(ctx context.Context, t *task.Task, view *registry.View, page registry.Page) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		for s, err := range view.Sessions(ctx, page) {
			var r record
			if err == nil {
				r, err = recordIn(ctx, t, view, s)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}
