package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
)

// Status is `sp cloud status`.
func Status() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "ask the control plane about your account and each of your tenants",
		Run:   task.Run(status),
	}
}

// standing is what `sp cloud status` tells, in JSON.
type standing struct {
	Account account  `json:"account"`
	Plane   plane    `json:"control_plane"`
	Tenants []tenant `json:"tenants"`
}

// plane is what the control plane answers.
type plane struct {
	Answers bool         `json:"answers"`
	Trouble *cli.Failure `json:"trouble"`
}

// tenant is how a tenant is at the control plane.
type tenant struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Region  *string `json:"region"`
	Status  *string `json:"status"`
	Message *string `json:"message"`
}

func status(ctx context.Context, t *task.Task) (cli.Answer, error) {
	a, err := t.Account(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	t.Step("asking " + a.Client.Host())
	s := standing{Tenants: []tenant{}}
	email := ""
	if a.Login != nil {
		email = a.Login.Email
	}
	me, _, err := a.Client.Me(ctx, "")
	s.Account = accountOf(t, a, cmp.Or(me.User.Email, email))
	if err != nil {
		f := t.FailureOf(err)
		s.Plane.Trouble = &f
		if errors.Is(err, cloud.ErrUnauthenticated) {
			s.Account.Token = refused
		}
		return s.answer(), cli.HintAt(fmt.Errorf("%s: %w", f.Message, task.ErrNoStatus), f.Advice)
	}
	s.Plane.Answers = true
	for _, found := range me.Tenants {
		s.Tenants = append(s.Tenants, tenantOf(ctx, t, a.Client, found))
	}
	return s.answer(), nil
}

// tenantOf asks further about a tenant that is not simply active. That one of them is not told does not
// keep the others from being shown.
func tenantOf(ctx context.Context, t *task.Task, c *cloud.Client, found cloud.Tenant) tenant {
	shown := tenant{ID: found.ID, Name: found.Name, Region: found.Region}
	if found.Status != nil && *found.Status == "active" { // which a status calls ready
		shown.Status = new(string(cloud.Ready))
		return shown
	}
	now, err := c.Status(ctx, found.ID)
	switch {
	case err != nil:
		shown.Message = new(t.FailureOf(err).Message)
	default:
		shown.Status = new(string(now.State))
		if now.Message != "" && now.Message != string(now.State) {
			shown.Message = &now.Message
		}
	}
	if s := found.SubscriptionStatus; shown.Message == nil && s != nil && *s == "canceled" {
		shown.Message = new("its subscription is cancelled")
	}
	return shown
}

func (s standing) answer() cli.Answer {
	rows := s.Account.rows()
	answers := "answers"
	if s.Plane.Trouble != nil {
		answers = s.Plane.Trouble.Message
	}
	rows = append(rows, []string{"control plane", answers})
	for _, t := range s.Tenants {
		rows = append(rows, []string{"tenant", t.line()})
	}
	return cli.Answer{Value: s, Title: "Cloud", Rows: cli.Rows(rows...), Wrap: true}
}

// line is a tenant in one line.
func (t tenant) line() string {
	line := t.ID + " (" + t.Name + ")"
	if t.Status != nil {
		line += ": " + *t.Status
	}
	if t.Message != nil {
		line += ", " + *t.Message
	}
	return line
}
