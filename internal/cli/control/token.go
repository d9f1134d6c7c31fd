package control

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/registry"
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
				cli.Duration("expires", 0, "how long it works, such as 720h (else until it is deleted)"),
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
		Name: given(c, "name", "spd token create"), Expires: int(c.Duration("expires") / time.Second),
	}
	if scopes := c.Optional("scopes"); scopes != nil {
		r.Scopes = strings.Split(*scopes, ",")
	}
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		for _, word := range c.Strings("tenant") {
			t, err := tenantMeant(ctx, c, s, word)
			if err != nil {
				return err
			}
			r.Tenants = append(r.Tenants, string(t.ID))
		}
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
		cells := tokenRow
		if c.IsTerminal() {
			cells = func(t server.Token, user string) []string { return briefToken(t, user, c.Now()) }
		}
		var list [][]string
		for _, t := range tokens {
			list = append(list, cells(t, called[t.User]))
		}
		answer = cli.Answer{
			Value: map[string]any{"tokens": tokens}, Title: "Tokens", Heads: []string{"ID", "USER", "NAME", "SCOPES", "EXPIRES", "LAST USED"}, Rows: cli.Rows(list...),
			Whole: []string{"ID", "EXPIRES", "LAST USED"}, Empty: "No personal tokens yet. " + to(c, "spd token create", "USER").String() + " makes one.",
			Foot: cli.Advise("%s shows how each token begins.", to(c, "spd token list", "--json")),
		}
		return err
	})
	return answer, err
}

// tokenRow is a token for a program.
func tokenRow(t server.Token, user string) []string {
	return []string{t.ID, user, t.Name, t.Prefix + "…", scopesOf(t), told(t.Expires), told(t.Used)}
}

// briefToken is a token for people: in 80 columns there is room for its whole id, but not for how it begins.
func briefToken(t server.Token, user string, now time.Time) []string {
	expires, used := "never", "never"
	if t.Expires != nil {
		expires = t.Expires.Format(time.DateOnly)
	}
	if t.Expires != nil && !t.Expires.After(now) {
		expires = "expired"
	}
	if t.Used != nil {
		used = cli.Ago(now.Sub(*t.Used))
	}
	return []string{t.ID, user, t.Name, scopesOf(t), expires, used}
}

func scopesOf(t server.Token) string {
	scopes := make([]string, len(t.Scopes))
	for i, scope := range t.Scopes {
		scopes[i] = string(scope)
	}
	return strings.Join(scopes, ",")
}

// tokenMeant is the id of the token that a word means: by its id or the beginning of that. A word that
// means none is returned as it is.
func tokenMeant(tokens []server.Token, word string) (string, error) {
	start := strings.TrimSuffix(strings.TrimSuffix(word, "…"), "...")
	ambiguous := &registry.AmbiguousError{Word: "token " + cli.Harmless(word)}
	for _, t := range tokens {
		if t.ID == word {
			return word, nil
		}
		if start != "" && strings.HasPrefix(t.ID, start) {
			ambiguous.Candidates = append(ambiguous.Candidates, registry.Candidate{Word: t.ID, Text: t.ID + " (" + t.Name + ")"})
		}
	}
	switch len(ambiguous.Candidates) {
	case 0:
		return word, nil
	case 1:
		return ambiguous.Candidates[0].Word, nil
	}
	return "", ambiguous
}

func deleteToken(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	id := ""
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		tokens, err := s.Tokens(ctx)
		if err != nil {
			return err
		}
		if id, err = tokenMeant(tokens, *c.Arg(0)); err != nil {
			return eitherOf(c, err, "spd token list")
		}
		if err = s.DeleteToken(ctx, id); errors.Is(err, registry.ErrNotFound) {
			err = cli.DidYouMean(err, id, idsOf(tokens), to(c, "spd token list"))
		}
		answer, c.Made = cli.Answer{Value: map[string]any{"id": id}}, err == nil
		return err
	})
	if err == nil {
		c.Note("token %s deleted", id)
	}
	return answer, err
}

func idsOf(tokens []server.Token) (ids []string) {
	for _, t := range tokens {
		ids = append(ids, t.ID)
	}
	return ids
}
