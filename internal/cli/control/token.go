package control

import (
	"context"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/server"
)

// Token is `spd token`.
func Token() *cli.Command {
	return &cli.Command{Name: "token", Usage: "create, list and delete personal tokens", Commands: []*cli.Command{
		{
			Name: "create", Usage: "create a personal token for a user, and print it once", Args: []cli.Arg{{Name: "USER", Kind: userWord}},
			Flags: []cli.Flag{
				cli.String("name", "NAME", "what it is for"),
				cli.String("scopes", "SCOPES", "what it allows, such as read,write; of read, write, secrets and admin (else all that the user's role allows, but for admin)"),
				cli.Strings("tenant", "TENANT", "limit it to this tenant (may be repeated); not with the scope admin"),
				cli.Duration("expires", 0, "how long it works (else until it is deleted)"),
			},
			Run: createToken,
		},
		{Name: "list", Usage: "list the personal tokens: how each begins, and never the whole", Run: listTokens},
		{Name: "delete", Usage: "delete a personal token; it stops working at once", Args: []cli.Arg{{Name: "ID", Kind: cli.Kind{Name: "token"}}}, Run: deleteToken},
	}}
}

func createToken(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	if expires := c.Duration("expires"); c.IsSet("expires") && (expires < time.Second || expires%time.Second != 0) {
		return answer, cli.Usage("token create: --expires: whole seconds, and at least one")
	}
	r := server.TokenRequest{
		Name: given(c, "name", "spd token create"), Tenants: c.Strings("tenant"), Expires: int(c.Duration("expires") / time.Second),
	}
	if scopes := c.Optional("scopes"); scopes != nil {
		r.Scopes = strings.Split(*scopes, ",")
	}
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		made, err := s.CreateTokenFor(ctx, *c.Arg(0), r)
		answer, c.Made = cli.Line(made, made.Secret), err == nil
		return letIn(c, err)
	})
	if err == nil {
		c.Note("a token for user %s, which is shown only now", *c.Arg(0))
	}
	return answer, err
}

func listTokens(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		tokens, err := s.Tokens(ctx)
		if err != nil {
			return err
		}
		users, err := s.Users(ctx)
		called := map[string]string{}
		for _, u := range users {
			called[u.ID] = u.Name
		}
		var list [][]string
		for _, t := range tokens {
			var scopes []string
			for _, scope := range t.Scopes {
				scopes = append(scopes, string(scope))
			}
			list = append(list, []string{t.ID, called[t.User], t.Name, t.Prefix + "…", strings.Join(scopes, ","), told(t.Used)})
		}
		answer = cli.Answer{
			Value: map[string]any{"tokens": tokens}, Title: "Tokens", Heads: []string{"ID", "USER", "NAME", "BEGINS", "SCOPES", "LAST USED"}, Rows: cli.Rows(list...),
			Empty: "No personal tokens yet. " + to(c, "spd token create", "USER").String() + " makes one.",
		}
		return err
	})
	return answer, err
}

func deleteToken(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		err := s.DeleteToken(ctx, *c.Arg(0))
		answer, c.Made = cli.Answer{Value: map[string]any{"id": *c.Arg(0)}}, err == nil
		return err
	})
	if err == nil {
		c.Note("token %s deleted", *c.Arg(0))
	}
	return answer, err
}
