// Package database has the commands on the PostgreSQL servers of local tenants: servers that sp
// runs, and servers that somebody else runs.
package database

import (
	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
)

// Command is `sp db`.
func Command() *cli.Command {
	return &cli.Command{
		Name:  "db",
		Usage: "manage the PostgreSQL servers of local tenants",
		Commands: []*cli.Command{
			upCommand(), downCommand(), restartCommand(), statusCommand(), psqlCommand(), logsCommand(), useCommand(), unitCommand(),
			listCommand(), removeCommand(),
		},
	}
}

// record is a server in JSON, as the registry has it.
type record struct {
	Name     string             `json:"name"`
	Provider registry.Provider  `json:"provider"`
	Address  *string            `json:"address"`
	Chosen   bool               `json:"chosen"`
	Withheld *registry.Withheld `json:"withheld"`
}

func recordOf(s registry.Server) record {
	r := record{Name: s.Name, Provider: s.Provider, Chosen: s.Chosen}
	if address := addressOf(s); address != "" {
		r.Address = &address
	}
	if s.Withheld != "" {
		r.Withheld = &s.Withheld
	}
	return r
}

// addressOf is where a server listens; nothing where that is not known yet.
func addressOf(s registry.Server) string {
	u, err := pgurl.Parse(s.Admin)
	if err != nil {
		return ""
	}
	return u.Addresses()[0].Name
}
