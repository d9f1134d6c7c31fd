package control

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/server"
)

// Tenant is `spd tenant`.
func Tenant() *cli.Command {
	return &cli.Command{Name: "tenant", Usage: "list the tenants of all users", Commands: []*cli.Command{
		{Name: "list", Usage: "list the tenants, with their ids, and the users they are granted to", Run: listTenants},
	}}
}

func listTenants(ctx context.Context, c *cli.Context) (answer cli.Answer, err error) {
	err = plane(ctx, c, func(ctx context.Context, s *server.Server) error {
		tenants, err := s.Tenants(ctx)
		var list [][]string
		for _, t := range tenants {
			list = append(list, tenantRow(t))
		}
		tellTroubles(c, tenants)
		answer = cli.Answer{
			Value: map[string]any{"tenants": tenants}, Title: "Tenants", Heads: []string{"ID", "NAME", "REGION", "STATUS", "USERS"}, Rows: cli.Rows(list...),
			Whole: []string{"ID", "STATUS"}, Empty: "No tenants yet. Users create them with " + cli.To("sp tenant create").String() + ".",
		}
		return err
	})
	return answer, err
}

func tenantRow(t server.TenantOf) []string {
	region, status := "", t.Status
	if t.Region != nil {
		region = *t.Region
	}
	if t.Canceled {
		status += ", cancelled"
	}
	return []string{string(t.ID), t.Name, region, status, strings.Join(t.Users, ",")}
}

// tellTroubles says why tenants are not as they have to be: once for all of a region that does not answer.
func tellTroubles(c *cli.Context, tenants []server.TenantOf) {
	type trouble struct{ status, message string }
	var troubles []trouble
	whose := map[trouble][]string{}
	for _, t := range tenants {
		if t.Message == nil || c.JSON {
			continue
		}
		of := trouble{t.Status, *t.Message}
		if whose[of] == nil {
			troubles = append(troubles, of)
		}
		whose[of] = append(whose[of], fmt.Sprintf("%s (%s)", t.ID, t.Name))
	}
	for _, of := range troubles {
		c.Note("%s: %s: %s", of.status, cli.Some(whose[of]), of.message)
	}
}

// tenantMeant is the tenant that a word means. Where it means none or several, it says what may be meant.
func tenantMeant(ctx context.Context, c *cli.Context, s *server.Server, word string) (registry.Tenant, error) {
	t, err := s.FindTenant(ctx, word)
	if !errors.Is(err, registry.ErrNotFound) {
		return t, eitherOf(c, err, "spd tenant list")
	}
	var names []string
	tenants, unread := s.Tenants(ctx)
	for _, t := range tenants {
		names = append(names, t.Name, string(t.ID))
	}
	return t, errors.Join(cli.DidYouMean(err, word, names, to(c, "spd tenant list")), unread)
}

// eitherOf adds to an error about a word that means several things the ids that mean one, and the command
// that lists them.
func eitherOf(c *cli.Context, err error, list string) error {
	var ambiguous *registry.AmbiguousError
	if !errors.As(err, &ambiguous) {
		return err
	}
	return cli.WithCandidates(cli.Hint(err, "%s has the ids", to(c, list)), ambiguous.Words()...)
}
