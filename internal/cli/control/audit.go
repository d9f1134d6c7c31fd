package control

import (
	"context"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/server"
)

// Audit is `spd audit`.
func Audit() *cli.Command {
	return &cli.Command{
		Name: "audit", Usage: "show who did what, newest first",
		Flags: []cli.Flag{
			withDefault(cli.Int("limit", "N", "show at most N entries"), "100"),
			cli.Int("before", "ID", "only entries older than this one"),
			cli.String("tenant", "ID", "only entries about this tenant"),
			cli.String("user", "NAME", "only what this user did"),
		},
		Run: audit,
	}
}

func audit(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	asked := server.ActsAsked{Limit: 100, Before: int64(c.Int("before")), Tenant: c.String("tenant")}
	if c.IsSet("limit") {
		asked.Limit = int64(c.Int("limit"))
	}
	if asked.Limit < 1 {
		return answer, cli.Usage("audit: --limit must be above 0")
	}
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		if name := c.Optional("user"); name != nil {
			u, err := s.UserNamed(ctx, *name)
			if err != nil {
				return err
			}
			asked.User = u.ID
		}
		acts, err := s.Acts(ctx, asked)
		var list [][]string
		for _, a := range acts {
			list = append(list, []string{a.At.Format(time.RFC3339), a.User, a.Address, a.Action, strings.TrimSpace(a.Tenant + " " + a.Target), a.Outcome})
		}
		answer = cli.Answer{
			Value: map[string]any{"acts": acts}, Title: "Audit", Heads: []string{"TIME", "WHO", "FROM", "WHAT", "WITH", "OUTCOME"}, Rows: cli.Rows(list...),
			Empty: "No entries.",
		}
		return err
	})
	return answer, err
}
