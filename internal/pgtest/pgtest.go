// Package pgtest gives a test a PostgreSQL server. SP_TEST_POSTGRES says which: `start` starts
// one for the test process from the programs of this machine (those in SP_POSTGRES_BIN, if it
// names a directory), a URL names one that runs, and without it the test is skipped, so that
// `go test ./...` needs no server. Only tests import it.
package pgtest

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// Server returns the URL of a superuser on a server that checks passwords (SCRAM-SHA-256).
// All tests of a process share it: what a test makes there has a name of its own.
func Server(t testing.TB) secret.Secret {
	t.Helper()
	switch named := named(t); named {
	case "start":
		return running(t, checking).url
	default:
		return secret.New(named)
	}
}

// Trust returns the URL of a superuser on a server that asks nobody for a password.
func Trust(t testing.TB) secret.Secret {
	t.Helper()
	_ = named(t) // one that runs already is not made worse for a test
	return running(t, trusting).url
}

// Log returns the path of the log of the server of Server, which has every statement in it.
func Log(t testing.TB) string {
	t.Helper()
	if named(t) != "start" {
		t.Skip("pgtest: the log of a server that was started elsewhere can't be read")
	}
	return running(t, checking).log
}

// Admin makes a role that may make databases and roles, and no more, on the server of Server,
// and returns its URL. Role and password are of [a-z0-9_].
func Admin(t testing.TB, role, password string) secret.Secret {
	t.Helper()
	admin := Server(t)
	Exec(t, admin, `DROP ROLE IF EXISTS `+role, `CREATE ROLE `+role+` LOGIN CREATEDB CREATEROLE PASSWORD '`+password+`'`)
	t.Cleanup(func() { Exec(t, admin, `DROP ROLE IF EXISTS `+role) })
	url, err := pgurl.For(admin, role, "postgres", secret.New(password))
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return url
}

// Exec runs statements, each by itself, and returns the rows of the last; columns are
// separated by a `|`, as psql does. A statement that fails ends the test.
func Exec(t testing.TB, url secret.Secret, statements ...string) (rows []string) {
	t.Helper()
	rows, err := Try(url, statements...)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return rows
}

// Try is Exec for a statement that may fail.
func Try(url secret.Secret, statements ...string) (rows []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgconn.Connect(ctx, url.Reveal())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range statements {
		results, err := conn.Exec(ctx, statement).ReadAll()
		if err != nil {
			return nil, err
		}
		rows = nil
		for _, result := range results {
			for _, row := range result.Rows {
				rows = append(rows, joined(row))
			}
		}
	}
	return rows, nil
}

func joined(row [][]byte) string {
	columns := make([]string, len(row))
	for i, column := range row {
		columns[i] = string(column)
	}
	return strings.Join(columns, "|")
}

// named returns what SP_TEST_POSTGRES says.
func named(t testing.TB) string {
	t.Helper()
	named := os.Getenv("SP_TEST_POSTGRES")
	if named == "" {
		t.Skip("it needs a PostgreSQL server: make test-pg runs it")
	}
	return named
}

// running returns a server that was started here, once in a process.
func running(t testing.TB, start func() (*cluster, error)) *cluster {
	t.Helper()
	dir := programs()
	switch {
	case dir == "" && os.Getenv("SP_REQUIRE_POSTGRES") == "1":
		t.Fatal("pgtest: this machine has no PostgreSQL server's programs, and SP_REQUIRE_POSTGRES demands them")
	case dir == "":
		t.Skip("pgtest: this machine has no PostgreSQL server's programs (apt-get install postgresql)")
	}
	c, err := start()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return c
}
