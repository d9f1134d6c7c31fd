package control

import (
	"context"
	"errors"
	"strconv"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/server"
)

// The kinds of words that these commands take.
var (
	userWord   = cli.Kind{Name: "user"}
	tenantWord = cli.Kind{Name: "tenant"}
	regionWord = cli.Kind{Name: "region"}
)

// User is `spd user`.
func User() *cli.Command {
	return &cli.Command{Name: "user", Usage: "add, list and edit users, and print join codes", Commands: []*cli.Command{
		{
			Name: "add", Usage: "add a user, and print a join code: it works once, within 24 hours", Args: []cli.Arg{{Name: "NAME", Kind: userWord}},
			Flags: []cli.Flag{withDefault(cli.Choice("role", "what the user may do", "admin", "member", "reader"), "member")},
			Run:   addUser,
		},
		{Name: "list", Usage: "list users", Run: listUsers},
		{Name: "code", Usage: "print a new join code for a user; the old one stops working", Args: []cli.Arg{{Name: "NAME", Kind: userWord}}, Run: code},
		{
			Name: "edit", Usage: "change a user's role, lock the user out, or let the user in again", Args: []cli.Arg{{Name: "NAME", Kind: userWord}},
			Flags: []cli.Flag{
				cli.Choice("role", "what the user may do", "admin", "member", "reader"),
				cli.Choice("active", "whether the user may log in; no also ends the user's tokens", "yes", "no"),
			},
			Run: editUser,
		},
	}}
}

// joined is a user with a join code, in JSON.
type joined struct {
	User server.User `json:"user"`
	Code string      `json:"join_code"`
}

func addUser(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	err = newPlane(ctx, c, func(ctx context.Context, s *server.Server) error {
		u, code, err := s.AddUser(ctx, *c.Arg(0), server.Role(given(c, "role", "member")))
		answer, c.Made = cli.Line(joined{u, code.Reveal()}, code.Reveal()), err == nil
		return err
	})
	if err == nil {
		c.Note("user %s added: %s asks for this join code, once and within 24 hours", *c.Arg(0), cli.To("sp login", "URL"))
	}
	return answer, err
}

func code(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		u, code, err := s.JoinCode(ctx, *c.Arg(0))
		answer, c.Made = cli.Line(joined{u, code.Reveal()}, code.Reveal()), err == nil
		return letIn(c, err)
	})
	if err == nil {
		c.Note("%s asks for this join code, once and within 24 hours; the one before no longer works", cli.To("sp login", "URL"))
	}
	return answer, err
}

// letIn says what helps where a user is locked out.
func letIn(c *cli.Context, err error) error {
	if errors.Is(err, server.ErrInactive) {
		return cli.Hint(err, "%s lets the user in again", to(c, "spd user edit", *c.Arg(0), "--active", "yes"))
	}
	return err
}

func listUsers(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		users, err := s.Users(ctx)
		var list [][]string
		for _, u := range users {
			list = append(list, userRow(u))
		}
		answer = cli.Answer{
			Value: map[string]any{"users": users}, Title: "Users", Heads: []string{"NAME", "ROLE", "ACTIVE", "TENANTS"}, Rows: cli.Rows(list...),
			Empty: "No users yet. " + to(c, "spd user add", "NAME").String() + " adds one.",
		}
		return err
	})
	return answer, err
}

func userRow(u server.User) []string {
	active := "yes"
	if !u.Active {
		active = "no"
	}
	tenants := strconv.Itoa(len(u.Tenants))
	if u.Role == server.AdminRole {
		tenants = "all"
	}
	return []string{u.Name, string(u.Role), active, tenants}
}

func editUser(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	e := server.UserEdit{Role: c.Optional("role")}
	if active := c.Optional("active"); active != nil {
		e.Active = new(*active == "yes")
	}
	if e == (server.UserEdit{}) {
		return answer, cli.Usage("user edit: give --role or --active")
	}
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		u, err := s.EditUserNamed(ctx, *c.Arg(0), e)
		if errors.Is(err, server.ErrLastAdmin) {
			err = cli.Hint(err, "first add another admin: %s", to(c, "spd user add", "NAME", "--role", "admin"))
		}
		answer, c.Made = cli.Answer{Value: map[string]any{"user": u}}, err == nil
		return err
	})
	switch {
	case err == nil && e.Active != nil && !*e.Active:
		c.Note("user %s is locked out; the user's logins and tokens have ended", *c.Arg(0))
	case err == nil && e.Active != nil:
		c.Note("user %s may come in again; %s makes a join code", *c.Arg(0), to(c, "spd user code", *c.Arg(0)))
	case err == nil:
		c.Note("user %s edited", *c.Arg(0))
	}
	return answer, err
}

// Grant is `spd grant`.
func Grant() *cli.Command {
	return &cli.Command{
		Name: "grant", Usage: "let a user use a tenant", Args: []cli.Arg{{Name: "USER", Kind: userWord}, {Name: "TENANT", Kind: tenantWord}},
		Flags: []cli.Flag{cli.Bool("revoke", "take the tenant away again")}, Run: grant,
	}
}

func grant(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	allowed, tenant := !c.Bool("revoke"), ""
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		t, err := tenantMeant(ctx, c, s, *c.Arg(1))
		if err == nil {
			tenant = t.String()
			err = s.Grant(ctx, *c.Arg(0), t.ID, allowed)
		}
		if err != nil {
			return err
		}
		c.Made = true
		u, err := s.UserNamed(ctx, *c.Arg(0))
		answer = cli.Answer{Value: map[string]any{"user": u, "tenant": map[string]any{"id": t.ID, "name": t.Name}}}
		return err
	})
	if err == nil && allowed {
		c.Note("user %s can use tenant %s", *c.Arg(0), tenant)
	} else if err == nil {
		c.Note("user %s can no longer use tenant %s", *c.Arg(0), tenant)
	}
	return answer, err
}
