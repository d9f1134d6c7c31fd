package session

import (
	"context"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
)

func showCommand() *cli.Command {
	return &cli.Command{
		Name:        "show",
		Usage:       "show a tenant's session, but never its token",
		Description: "It takes the tenant of the profile in effect, or else the selected tenant.",
		Run:         task.Run(show),
	}
}

func show(ctx context.Context, t *task.Task) (cli.Answer, error) {
	dir, err := t.Project()
	if err != nil {
		return cli.Answer{}, err
	}
	view, err := t.View(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	tenant, err := t.Tenant(ctx, dir, view, nil)
	if err != nil {
		return cli.Answer{}, err
	}
	s, err := view.Session(ctx, tenant.ID)
	if err == nil && s == nil {
		err = cli.Hint(cli.Of(registry.ErrNoProfile, "tenant %s has no session", tenant.ID),
			"%s lists the profiles, %s chooses one", cli.To("sp profile list", "--all"), cli.To("sp session switch", "PROFILE"))
	}
	if err != nil {
		return cli.Answer{}, err
	}
	r, err := recordIn(ctx, t, view, *s)
	return cli.Answer{Value: r, Title: "Session", Rows: cli.Rows(r.rows(tenant, t)...)}, err
}

// rows shows what there is to know of a session, a member a row.
func (r record) rows(tenant registry.Tenant, t *task.Task) [][]string {
	age := func(at task.Time) string {
		if t.IsTerminal() {
			return at.String() + " (" + cli.Ago(t.Now().Sub(time.Time(at))) + ")"
		}
		return at.String()
	}
	rows := [][]string{{"tenant", tenant.String()}, {"profile", r.Profile.Name}, {"since", age(r.ChosenAt)}, {"status", r.Status}}
	if r.Email == nil {
		return rows
	}
	rows = append(rows, []string{"email", *r.Email}, []string{"user", *r.UserID + " (" + *r.UserType + ")"},
		[]string{"session", *r.SessionID}, []string{"context", *r.ContextID})
	if r.Issuer != nil {
		rows = append(rows, []string{"issuer", *r.Issuer})
	}
	rows = append(rows, []string{"created", r.CreatedAt.String()}, []string{"expires", r.ExpiresAt.String()}, []string{"last used", age(*r.LastUsed)})
	if r.Stale != nil {
		rows = append(rows, []string{"warning", *r.Stale})
	}
	return rows
}
