package control

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/server"
)

// Region is `spd region`.
func Region() *cli.Command {
	return &cli.Command{Name: "region", Usage: "add, list and remove the PostgreSQL servers on which tenants can be made", Commands: []*cli.Command{
		{
			Name: "add", Usage: "make a PostgreSQL server a region, after a login there", Args: []cli.Arg{{Name: "CODE", Kind: regionWord}},
			Description: "  spd region add iad --server-stdin < url.txt\n\n" +
				"The URL is that of somebody who may make roles and databases there:\n" +
				"postgres://USER:PASSWORD@HOST/DB",
			Flags: cli.SecretFlags("server", "URL", "the server"),
			Run:   addRegion,
		},
		{Name: "list", Usage: "list regions, and whether each answers", Run: listRegions},
		{Name: "remove", Usage: "forget a region that has no tenant", Args: []cli.Arg{{Name: "CODE", Kind: regionWord}}, Run: removeRegion},
	}}
}

func addRegion(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	admin, err := c.Secret(ctx, "server")
	if err != nil {
		return answer, err
	}
	if admin == nil {
		return answer, cli.Hint(cli.Usage("region add: which server?"), "--server-stdin")
	}
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		added, err := s.AddRegion(ctx, *c.Arg(0), *admin)
		answer, c.Made = cli.Answer{Value: map[string]any{"code": *c.Arg(0), "server": added.Name}}, err == nil
		return err
	})
	if err == nil {
		c.Note("region %s added", *c.Arg(0))
	}
	return answer, err
}

func listRegions(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		regions, err := s.Regions(ctx)
		var list [][]string
		for _, r := range regions {
			answers := "answers"
			if !r.Answers {
				answers = "does not answer"
			}
			list = append(list, []string{r.Code, r.Name, answers})
		}
		answer = cli.Answer{
			Value: map[string]any{"regions": regions}, Title: "Regions", Heads: []string{"CODE", "NAME", "SERVER"}, Rows: cli.Rows(list...),
			Empty: "No regions yet. Add one: spd region add iad --server-stdin",
		}
		return err
	})
	return answer, err
}

func removeRegion(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		err := s.RemoveRegion(ctx, *c.Arg(0))
		answer, c.Made = cli.Answer{Value: map[string]any{"code": *c.Arg(0)}}, err == nil
		return err
	})
	if err == nil {
		c.Note("region %s removed", *c.Arg(0))
	}
	return answer, err
}
