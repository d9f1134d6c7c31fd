package provision

import (
	"context"
	"strconv"

	"github.com/sp-registry/sp/internal/secret"
)

// Tables counts the tables of a database, but those of PostgreSQL itself, as far as its login sees them.
func Tables(ctx context.Context, url secret.Secret) (int, error) {
	s, err := dial(ctx, "login", url)
	if err != nil {
		return 0, err
	}
	defer s.close()
	row, err := s.row(ctx, "tables", 1, `SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE relkind IN ('r', 'p', 'f', 'm') AND nspname !~ '^pg_' AND nspname <> 'information_schema'`)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(row[0])
}
