package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/server"
)

// Region is `spd region`.
func Region() *cli.Command {
	return &cli.Command{Name: "region", Usage: "add, list and remove regions, the PostgreSQL servers of tenants", Commands: []*cli.Command{
		{
			Name: "add", Usage: "make a PostgreSQL server a region, or give one its new password", Args: []cli.Arg{{Name: "CODE", Kind: regionWord}},
			Description: "  spd region add iad --server-stdin < url.txt\n\n" +
				"The URL, postgres://USER:PASSWORD@HOST/DB, is that of a role with CREATEROLE and\n" +
				"CREATEDB. spd logs in before it stores the URL. The tenants' URLs have the same\n" +
				"host and port, so name one that their users can reach.",
			Flags: cli.SecretFlags("server", "URL", "the server's URL, with the password"),
			Run:   addRegion,
		},
		{Name: "list", Usage: "list the regions, and whether their servers answer", Run: listRegions},
		{
			Name: "remove", Usage: "remove a region that has no databases", Args: []cli.Arg{{Name: "CODE", Kind: regionWord}},
			Description: "--lost is for a region whose server is gone for good, so that nobody can drop the\n" +
				"databases there: it forgets the tenants of the region, too. If the server ever\n" +
				"comes back, their databases are still on it.",
			Flags: []cli.Flag{cli.Bool("lost", "its server is gone for good: forget its tenants, too"), cli.Yes()}, Run: removeRegion,
		},
	}}
}

func addRegion(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	admin, err := c.Secret(ctx, "server")
	if err != nil {
		return answer, err
	}
	if admin == nil {
		return answer, cli.Hint(cli.Usage("region add: which server?"), "%s reads its URL from stdin", to(c, "spd region add", *c.Arg(0), "--server-stdin"))
	}
	c.WarnOfArgument("server", *admin)
	known := false
	var local []server.LocalRegion
	err = newPlane(ctx, c, func(ctx context.Context, s *server.Server) error {
		var added registry.Server
		if added, known, err = s.AddRegion(ctx, *c.Arg(0), *admin); errors.Is(err, provision.ErrMismatch) {
			err = cli.Hint(err, "the URL has to name a server's host and port, and a database that is there, such as postgres")
		}
		answer, c.Made = cli.Answer{Value: map[string]any{"code": *c.Arg(0), "server": added.Name}}, err == nil
		if err == nil {
			local, err = s.LocalRegions(ctx)
		}
		return err
	})
	switch {
	case err == nil && known:
		c.Note("region %s was there already: it has this URL now", *c.Arg(0))
	case err == nil:
		c.Note("region %s added", *c.Arg(0))
	}
	for _, r := range local {
		if r.Code == *c.Arg(0) {
			c.Note("region %s is at %s, which only programs on this machine reach: if spd is to serve other machines, "+
				"remove the region and add it by an address that they reach", r.Code, r.Host)
		}
	}
	return answer, err
}

// warnOfLocal names the regions that users of a public URL can't reach. For those on this machine they work.
func warnOfLocal(ctx context.Context, c *cli.Context, s *server.Server) error {
	if pgurl.IsThisMachine(s.URL.Hostname()) {
		return nil
	}
	local, err := s.LocalRegions(ctx)
	for _, r := range local {
		c.Note("region %s is at %s, which users of %s on other machines can't reach: remove the region while it has no tenants, "+
			"and add it by an address that they reach", r.Code, r.Host, s.URL)
	}
	return err
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
			Empty: "No regions yet. " + to(c, "spd region add", "iad", "--server-stdin").String() + " adds one.",
		}
		return err
	})
	return answer, err
}

func removeRegion(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	lost := server.LostRegion{Code: *c.Arg(0)}
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) (err error) {
		if c.Bool("lost") {
			lost, err = forgetRegion(ctx, c, s)
		} else {
			err = s.RemoveRegion(ctx, lost.Code)
		}
		c.Made = err == nil
		return adviseRemoval(c, err)
	})
	forgotten := []map[string]any{}
	for _, t := range lost.Tenants {
		forgotten = append(forgotten, map[string]any{"id": t.ID, "name": t.Name})
	}
	if err == nil {
		c.Note("region %s removed", lost.Code)
	}
	if err == nil && len(forgotten) > 0 {
		c.Note("forgotten with it: %s; their databases are left on %s", cli.Some(namesOf(lost.Tenants)), lost.Server)
	}
	return cli.Answer{Value: map[string]any{"code": lost.Code, "forgotten": forgotten}}, err
}

// forgetRegion asks, and forgets a region with its tenants.
func forgetRegion(ctx context.Context, c *cli.Context, s *server.Server) (server.LostRegion, error) {
	lost, err := s.LostRegion(ctx, *c.Arg(0))
	if err != nil {
		return lost, err
	}
	what := "Forget region " + lost.Code
	if n := len(lost.Tenants); n > 0 {
		what += fmt.Sprintf(" and its %s: %s", cli.Counted(n, "tenant"), cli.Some(namesOf(lost.Tenants)))
	}
	question := fmt.Sprintf("%s? Its server %s does not answer; what is there stays, and nobody can get at it with sp.", what, lost.Server)
	if err := c.Confirm(ctx, question); err != nil {
		return lost, err
	}
	return s.ForgetRegion(ctx, lost.Code)
}

func namesOf(tenants []registry.Tenant) []string {
	names := make([]string, len(tenants))
	for i, t := range tenants {
		names[i] = t.String()
	}
	return names
}

// adviseRemoval says what helps where a region can't be removed.
func adviseRemoval(c *cli.Context, err error) error {
	code := *c.Arg(0)
	switch {
	case errors.Is(err, registry.ErrInUse) && c.Bool("lost"):
		return cli.Hint(err, "delete its tenants with their databases: %s shows them, and their users do that with %s\nif the server does not let spd in, %s takes its new password",
			to(c, "spd tenant list"), cli.To("sp tenant delete", "ID"), to(c, "spd region add", code, "--server-stdin"))
	case errors.Is(err, registry.ErrInUse):
		return cli.Hint(err, "first its tenants have to be deleted: %s shows them, and their users do that with %s\nif its server is gone for good: %s",
			to(c, "spd tenant list"), cli.To("sp tenant delete", "ID"), to(c, "spd region remove", code, "--lost"))
	case errors.Is(err, registry.ErrNotFound):
		return cli.Hint(err, "%s lists the regions", to(c, "spd region list"))
	}
	return err
}
