package control

import (
	"context"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
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
			list = append(list, []string{string(t.ID), t.Name, t.Region, t.Status, strings.Join(t.Users, ",")})
		}
		answer = cli.Answer{
			Value: map[string]any{"tenants": tenants}, Title: "Tenants", Heads: []string{"ID", "NAME", "REGION", "STATUS", "USERS"}, Rows: cli.Rows(list...),
			Empty: "No tenants yet. Users create them with " + cli.To("sp tenant create").String() + ".",
		}
		return err
	})
	return answer, err
}
