package provision

import (
	"context"
	"strings"
)

// A database is marked with its tenant by a comment on the role that owns it. That needs no
// superuser, as a setting of the database would, and the tenant can't change it, as it could
// a comment on the database.
const mark = "sp tenant "

func markOf(tenant string) string { return mark + tenant }

// markedFor returns the tenant of a comment, "" where it is no mark.
func markedFor(comment string) string {
	tenant, ok := strings.CutPrefix(comment, mark)
	if !ok {
		return ""
	}
	return tenant
}

// foundDatabase is what a server knows of a database.
type foundDatabase struct {
	there    bool
	ours     bool // it belongs to the tenant's owner role
	broken   bool // a DROP was cut off: it lets nobody in, and can only be dropped
	template bool
}

func (s *Server) findDatabase(ctx context.Context, d Database) (foundDatabase, error) {
	rows, err := s.query(ctx, "database", `SELECT r.rolname, datconnlimit = -2, datistemplate
		FROM pg_database d JOIN pg_roles r ON r.oid = datdba WHERE datname = `+literal(d.Name))
	if err != nil || len(rows) == 0 {
		return foundDatabase{}, err
	}
	return foundDatabase{
		there: true, ours: rows[0][0] == d.Owner(),
		broken: rows[0][1] == "t", template: rows[0][2] == "t",
	}, nil
}

// Databases returns the names of the server's databases without its own.
func (s *Server) Databases(ctx context.Context) ([]string, error) {
	rows, err := s.query(ctx, "databases", `SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1') AND datname !~ '^sp_probe_' ORDER BY datname`)
	return firsts(rows), err
}

// foundRoles are those of a database that are there, with whom they are marked for.
type foundRoles map[string]string

func (s *Server) findRoles(ctx context.Context, d Database) (foundRoles, error) {
	rows, err := s.query(ctx, "roles", `SELECT rolname, coalesce(shobj_description(oid, 'pg_authid'), '')
		FROM pg_roles WHERE rolname IN (`+listed([]string{d.Owner(), d.Role(LoginA), d.Role(LoginB)}, literal)+`)`)
	there := foundRoles{}
	for _, row := range rows {
		there[row[0]] = markedFor(row[1])
	}
	return there, err
}

// notOurs refuses the owner of another tenant's database.
func (there foundRoles) notOurs(d Database) error {
	if tenant := there[d.Owner()]; tenant != "" && tenant != d.Tenant {
		return somebodyElses("roles")
	}
	return nil
}

func somebodyElses(what string) error {
	return &trouble{doing: what, why: "that name is somebody else's", kind: ErrMismatch}
}

// Holds tells whether a server has a tenant's database, and whether it has that with all its
// roles. Another server that answers at the same address has none of it.
func (s *Server) Holds(ctx context.Context, d Database) (any, whole bool, err error) {
	if err := d.check(); err != nil {
		return false, false, err
	}
	database, err := s.findDatabase(ctx, d)
	if err != nil {
		return false, false, err
	}
	roles, err := s.findRoles(ctx, d)
	return database.there || len(roles) > 0, database.there && !database.broken && len(roles) == 3, err
}
