package provision

import (
	"context"
	"slices"
)

// Who has a tenant's login can let others in: a right to connect to the database, or, up to PostgreSQL 15, a membership
// in the login itself. That outlasts a new password. sp takes none of it away, because it may be meant, and says it.

// Stranger is a role that may connect to a tenant's database and is none of the tenant's.
type Stranger struct {
	Role   string // quoted for SQL, PUBLIC for everybody
	Revoke string // the statement that ends it
}

// Strangers returns who else may connect to a tenant's databases. Administrators are not named.
func (s *Server) Strangers(ctx context.Context, d Database) ([]Stranger, error) {
	return s.strangers(ctx, d.owned(), d)
}

// strangers are those of some databases that have the roles of d.
func (s session) strangers(ctx context.Context, databases string, d Database) (found []Stranger, err error) {
	its := "(" + listed([]string{d.Owner(), d.Role(LoginA), d.Role(LoginB)}, literal) + ")"
	rows, err := s.query(ctx, "who may connect", `SELECT coalesce(quote_ident(r.rolname), 'PUBLIC') AS role,
			'REVOKE ALL ON DATABASE ' || quote_ident(datname) || ' FROM ' || coalesce(quote_ident(r.rolname), 'PUBLIC') || ' CASCADE' AS statement
			FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) LEFT JOIN pg_roles r ON r.oid = grantee
			WHERE pg_database.oid IN `+databases+` AND privilege_type = 'CONNECT' AND (r.rolname IS NULL OR r.rolname NOT IN `+its+`)
		UNION SELECT quote_ident(m.rolname), 'REVOKE ' || quote_ident(g.rolname) || ' FROM ' || quote_ident(m.rolname) || ' CASCADE'
			FROM pg_auth_members JOIN pg_roles g ON g.oid = roleid JOIN pg_roles m ON m.oid = member
			WHERE g.rolname IN `+its+` AND m.rolname NOT IN `+its+` AND NOT m.rolsuper AND NOT m.rolcreaterole
		ORDER BY role, statement`)
	for _, row := range rows {
		found = append(found, Stranger{row[0], row[1]})
	}
	return slices.Compact(found), err
}
