package provision

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Use is how many sessions an application has.
type Use struct {
	Application string // as it calls itself, "" where it does not
	Sessions    int
}

// Uses are the applications that have sessions.
type Uses []Use

// String counts the sessions and names who has them: "3 sessions (shop 2, psql 1)".
func (uses Uses) String() string {
	const most = 5 // that are named
	n, names := 0, []string{}
	for i, u := range uses {
		n += u.Sessions
		switch {
		case i < most:
			names = append(names, fmt.Sprintf("%s %d", cmp.Or(u.Application, "without a name"), u.Sessions))
		case i == most:
			names = append(names, "and others")
		}
	}
	switch n {
	case 0:
		return "no sessions"
	case 1:
		return "1 session (" + names[0] + ")"
	}
	return fmt.Sprintf("%d sessions (%s)", n, strings.Join(names, ", "))
}

// UsesIn returns who has sessions, most of them first.
func UsesIn(sessions []Session) (uses Uses) {
	of := map[string]int{}
	for _, s := range sessions {
		of[s.Application]++
	}
	for _, application := range slices.Sorted(maps.Keys(of)) {
		uses = append(uses, Use{Application: application, Sessions: of[application]})
	}
	slices.SortStableFunc(uses, func(a, b Use) int { return cmp.Compare(b.Sessions, a.Sessions) })
	return uses
}

// UsesOf returns who has a login in use.
func (s *Server) UsesOf(ctx context.Context, d Database, l Login) (Uses, error) {
	return s.uses(ctx, "sessions of login "+string(l), "*", "usename = "+literal(d.Role(l)))
}

// Uses returns who has a database in use: in a session there, or elsewhere as one of its logins.
func (s *Server) Uses(ctx context.Context, d Database) (Uses, error) {
	return s.uses(ctx, "sessions of database "+d.Name, "*",
		"datname = "+literal(d.Name)+" OR usename IN ("+literal(d.Role(LoginA))+", "+literal(d.Role(LoginB))+")")
}

// uses returns, by the names of the applications, for how many sessions among some there is a value.
func (s session) uses(ctx context.Context, doing, value, which string) (uses Uses, err error) {
	rows, err := s.query(ctx, doing, "SELECT application_name, count("+value+") FROM pg_stat_activity a WHERE "+isSomebodys+
		" AND ("+which+") GROUP BY application_name ORDER BY application_name")
	for _, row := range rows {
		n, err := strconv.Atoi(row[1])
		if err != nil {
			return nil, err
		}
		uses = append(uses, Use{row[0], n})
	}
	return uses, err
}
