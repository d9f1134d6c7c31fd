package provision

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

// Somebody may have set for the administrator's role, or for a database that he comes to, that he acts as
// another role, only reads, or is soon cut off. That is meant for people's sessions, and not for sp's.

// timeouts end a session, or what it does. Each is known from a version of PostgreSQL on.
var timeouts = map[string]int{
	"statement_timeout": oldest, "lock_timeout": oldest, "idle_in_transaction_session_timeout": oldest, "idle_session_timeout": 14, "transaction_timeout": 17,
}

// startNeutral has a session begin without such settings. A pooler would refuse that.
func (s *Server) startNeutral(config *pgconn.Config) {
	config.RuntimeParams["role"], config.RuntimeParams["default_transaction_read_only"] = "none", "off"
	for name, since := range timeouts {
		if s.major >= since {
			config.RuntimeParams[name] = "0"
		}
	}
}

// patient ends the timeouts that a server knows, for its transaction if it isLocal, and else for its session.
func patient(isLocal bool) string {
	return fmt.Sprintf("SELECT pg_catalog.set_config(name, '0', %t) FROM pg_catalog.pg_settings WHERE name IN (%s)",
		isLocal, listed(slices.Sorted(maps.Keys(timeouts)), literal))
}

// beforeRights is what a transaction begins with while nothing is known of the server: a standby refuses
// more.
var beforeRights = []string{"SET LOCAL statement_timeout TO 0", "SET LOCAL ROLE NONE"}

// neutralize ends such settings. Behind a pooler they would stay so for somebody else: there each
// transaction begins by that.
func (s *Server) neutralize(ctx context.Context) error {
	if s.Pooled {
		s.first = append(beforeRights[:len(beforeRights):len(beforeRights)], "SET LOCAL lock_timeout TO 0", "SET TRANSACTION READ WRITE")
		return nil
	}
	s.first, s.settings = nil, []func(*pgconn.Config){s.startNeutral}
	_, err := s.run(ctx, "settings of the administrator",
		"SET statement_timeout TO 0", "SET default_transaction_read_only TO off", "SET ROLE NONE", patient(false))
	return err
}
