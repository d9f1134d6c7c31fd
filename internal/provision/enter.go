package provision

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// enter logs the administrator in to another database. What its tenant did to keep everybody out is undone.
func (s *Server) enter(ctx context.Context, doing, database string) (session, error) {
	there := func(config *pgconn.Config) { config.Database = database }
	neutral := s.startNeutral
	if s.Pooled {
		neutral = func(*pgconn.Config) {}
	}
	for try := 1; ; try++ {
		other, err := dial(ctx, doing, s.admin, there, neutral)
		if err == nil || try == 2 {
			return other, err
		}
		switch stateOf(err) {
		case "55000", "42501", "53300", "58P01": // it takes no connections, not those of this role, no more; it loads a library that is not there
		default:
			return other, err
		}
		if unopened := s.openDatabase(ctx, doing, database); unopened != nil {
			return other, fmt.Errorf("%w; %w", err, unopened)
		}
	}
}

// openDatabase lets the administrator, who has the rights of its owner, into a tenant's database.
func (s *Server) openDatabase(ctx context.Context, doing, name string) error {
	rows, err := s.query(ctx, doing, "SELECT rolname FROM pg_database JOIN pg_roles ON datdba = pg_roles.oid WHERE datname = "+literal(name)+
		" AND "+fmt.Sprintf(ofTenant, "rolname"))
	if err != nil || len(rows) == 0 {
		return err
	}
	database, owner := "DATABASE "+identifier(name), rows[0][0]
	return s.change(ctx, doing, s.join(owner),
		"ALTER "+database+" ALLOW_CONNECTIONS true", "ALTER "+database+" CONNECTION LIMIT -1", "ALTER "+database+" RESET local_preload_libraries",
		"GRANT CONNECT, TEMPORARY ON "+database+" TO "+identifier(owner))
}
