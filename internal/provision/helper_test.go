package provision

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

// within is a context for one thing that a server is asked.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func mustConnect(t *testing.T, admin secret.Secret) *Server {
	t.Helper()
	s, err := Connect(within(t), admin)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func mustOpen(t *testing.T, url secret.Secret) *Role {
	t.Helper()
	r, err := OpenRole(within(t), url)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

// newDatabase names one, which is gone when the test ends.
func newDatabase(t *testing.T, s *Server, tenant string) Database {
	t.Helper()
	name, err := NewName(tenant, rand.Reader)
	require.NoError(t, err)
	d := Database{Name: name, Tenant: "local_" + name}
	dropAtTheEnd(t, s, d)
	return d
}

func dropAtTheEnd(t *testing.T, s *Server, d Database) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, s.Drop(ctx, d))
	})
}

func mustCreate(t *testing.T, s *Server, d Database) secret.Secret {
	t.Helper()
	url, err := s.Create(within(t), d, rand.Reader)
	require.NoError(t, err)
	return url
}

// otherDatabase is a URL of the same login with another database.
func otherDatabase(t *testing.T, url secret.Secret, database string) secret.Secret {
	t.Helper()
	before, after, found := strings.Cut(url.Reveal(), "@")
	require.True(t, found)
	host, _, _ := strings.Cut(after, "/")
	return secret.New(before + "@" + host + "/" + database)
}

func retire(t *testing.T, s *Server, d Database, l Login) error {
	t.Helper()
	_, err := s.Retire(within(t), d, l)
	return err
}

func mustRefuse(t *testing.T, url secret.Secret) {
	t.Helper()
	refused, err := Refuses(within(t), url)
	require.NoError(t, err)
	require.True(t, refused, "the old password must not work")
}

// count asks the administrator for a number of rows.
func count(t *testing.T, from string) int {
	t.Helper()
	var n int
	_, err := fmt.Sscan(pgtest.Exec(t, pgtest.Server(t), "SELECT count(*) FROM "+from)[0], &n)
	require.NoError(t, err)
	return n
}

// requireWhole: there is one database, and one login that works.
func requireWhole(t *testing.T, d Database, url secret.Secret) {
	t.Helper()
	answer, err := Check(within(t), url)
	require.NoError(t, err)
	require.Equal(t, Answer{Version: answer.Version, User: d.Role(LoginA), Database: d.Name, Tenant: d.Tenant}, answer)
	require.Equal(t, []string{"t|-1|25|f|25|t"}, pgtest.Exec(t, pgtest.Server(t), fmt.Sprintf(
		`SELECT a.rolcanlogin, datconnlimit, a.rolconnlimit, b.rolcanlogin, b.rolconnlimit,
			NOT has_database_privilege('public', d.oid, 'CONNECT') AND o.rolname = %s AND NOT o.rolcanlogin
		FROM pg_database d JOIN pg_roles o ON o.oid = datdba, pg_roles a, pg_roles b
		WHERE datname = %s AND a.rolname = %s AND b.rolname = %s`,
		literal(d.Owner()), literal(d.Name), literal(d.Role(LoginA)), literal(d.Role(LoginB)))))
	pgtest.Exec(t, url, "CREATE TABLE whole (n int)", "DROP TABLE whole")
}

// requireGone: nothing of it is left.
func requireGone(t *testing.T, d Database) {
	t.Helper()
	require.Zero(t, count(t, "pg_database WHERE datname = "+literal(d.Name)))
	require.Zero(t, count(t, fmt.Sprintf("pg_roles WHERE rolname IN (%s, %s, %s)", literal(d.Owner()), literal(d.Role(LoginA)), literal(d.Role(LoginB)))))
}

// replaced puts the name of a database into a statement.
func replaced(statement string, d Database) string {
	return strings.ReplaceAll(statement, "%[1]s", d.Name)
}

// filledIn puts the names of two databases into a statement.
func filledIn(statement string, d, other Database) string {
	return strings.NewReplacer("%[1]s", d.Name, "%[2]s", other.Name).Replace(statement)
}

// other is the login of the two that l is not.
func other(l Login) Login {
	if l == LoginA {
		return LoginB
	}
	return LoginA
}
