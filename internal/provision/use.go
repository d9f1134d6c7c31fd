package provision

import (
	"context"
	"strconv"
)

// Use is how many sessions an application has.
type Use struct {
	Application string // as it calls itself, "" where it does not
	Sessions    int
}

// UsesOf returns who has a login in use.
func (s *Server) UsesOf(ctx context.Context, d Database, l Login) ([]Use, error) {
	return s.uses(ctx, "sessions of login "+string(l), "*", "usename = "+literal(d.Role(l)))
}

// Uses returns who has a database in use: in a session there, or elsewhere as one of its logins.
func (s *Server) Uses(ctx context.Context, d Database) ([]Use, error) {
	return s.uses(ctx, "sessions of database "+d.Name, "*",
		"datname = "+literal(d.Name)+" OR usename IN ("+literal(d.Role(LoginA))+", "+literal(d.Role(LoginB))+")")
}

// uses returns, by the names of the applications, for how many sessions among some there is a value.
func (s session) uses(ctx context.Context, doing, value, which string) (uses []Use, err error) {
	rows, err := s.query(ctx, doing, "SELECT application_name, count("+value+") FROM pg_stat_activity WHERE "+which+
		" GROUP BY application_name ORDER BY application_name")
	for _, row := range rows {
		n, err := strconv.Atoi(row[1])
		if err != nil {
			return nil, err
		}
		uses = append(uses, Use{row[0], n})
	}
	return uses, err
}
