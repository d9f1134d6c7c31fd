package live

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // what the registry knows

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// makeAdmin makes a role that may make databases and roles, and no more.
func makeAdmin(super secret.Secret, name string) (secret.Secret, error) {
	password := "adminmark" + strings.ToLower(rand.Text())
	_, err := pgtest.Try(super, `CREATE ROLE `+name+` LOGIN CREATEDB CREATEROLE PASSWORD '`+password+`'`)
	if err != nil {
		return secret.Secret{}, err
	}
	return pgurl.For(super, name, "postgres", secret.New(password))
}

// dropAll drops a role with all that it made, and the databases of those.
func dropAll(super secret.Secret, name string) error {
	databases, roles, err := madeBy(super, name)
	if err != nil {
		return err
	}
	for _, database := range databases {
		if _, err := pgtest.Try(super, `DROP DATABASE IF EXISTS `+quoted(database)+` WITH (FORCE)`); err != nil {
			return err
		}
	}
	for _, role := range append(roles, name) {
		if _, err := pgtest.Try(super, `DROP OWNED BY `+quoted(role), `DROP ROLE IF EXISTS `+quoted(role)); err != nil {
			return err
		}
	}
	return nil
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// madeBy returns what sp has made on a server as an administrator, who is a member of every
// role that he made: databases and roles.
func madeBy(url secret.Secret, admin string) (databases, roles []string, err error) {
	const members = `FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
		WHERE m.member = (SELECT oid FROM pg_roles WHERE rolname = '%s') AND r.rolname NOT LIKE 'pg\_%%'`
	if databases, err = pgtest.Try(url, fmt.Sprintf(`SELECT datname FROM pg_database WHERE datdba IN (SELECT r.oid `+members+`) ORDER BY datname`, admin)); err != nil {
		return nil, nil, err
	}
	roles, err = pgtest.Try(url, fmt.Sprintf(`SELECT r.rolname `+members+` ORDER BY r.rolname`, admin))
	slices.Sort(databases)
	slices.Sort(roles)
	return databases, slices.Compact(roles), err
}

// userOf is the login of a URL.
func userOf(url secret.Secret) string {
	_, rest, _ := strings.Cut(url.Reveal(), "://")
	user, _, _ := strings.Cut(rest, ":")
	return user
}

// known is what a registry knows of databases, by the URLs of their servers.
func known(project string) (databases []string, servers []secret.Secret, err error) {
	return knownTo(filepath.Join(project, ".systemprompt", "sp.db"))
}

// knownTo is the same of the registry in a file.
func knownTo(path string) (databases []string, servers []secret.Secret, err error) {
	if databases, err = askedOf(path, `SELECT name FROM databases ORDER BY name`); err != nil {
		return nil, nil, err
	}
	urls, err := askedOf(path, `SELECT admin_url FROM servers ORDER BY name`)
	for _, url := range urls {
		servers = append(servers, secret.New(url))
	}
	return databases, servers, err
}

// asked is what a registry answers to a query with one column.
func asked(project, query string) ([]string, error) {
	return askedOf(filepath.Join(project, ".systemprompt", "sp.db"), query)
}

// askedOf is what a SQLite file answers to a query with one column.
func askedOf(path, query string) ([]string, error) {
	file, err := sql.Open("sqlite", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return harness.Column(file, query)
}

// checkAgreement tells whether the databases and roles that are on the servers are exactly
// those that a registry knows; admin is asked, too, whether that knows his server or not.
func checkAgreement(project string, admin secret.Secret) error {
	return agreesWith(filepath.Join(project, ".systemprompt", "sp.db"), admin)
}

func agreesWith(registry string, admin secret.Secret) error {
	databases, servers, err := knownTo(registry)
	if err != nil {
		return err
	}
	if !admin.Empty() && !slices.ContainsFunc(servers, func(s secret.Secret) bool { return s.Equal(admin) }) {
		servers = append(servers, admin)
	}
	var made, roles, wanted []string
	for _, server := range servers {
		d, r, err := madeBy(server, userOf(server))
		if err != nil {
			return err
		}
		made, roles = append(made, d...), append(roles, r...)
	}
	for _, name := range databases {
		wanted = append(wanted, name+"_a", name+"_b", name+"_owner")
	}
	slices.Sort(made)
	slices.Sort(roles)
	slices.Sort(wanted)
	if !slices.Equal(made, databases) || !slices.Equal(roles, wanted) {
		return fmt.Errorf("on the servers are databases %v and roles %v; the registry knows %v", made, roles, databases)
	}
	return nil
}

// agrees wants that: `agree [PROJECT]`, or `agree FILE` of a registry that is no project's.
func agrees(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) > 1 {
		ts.Fatalf("usage: agree [project | file]")
	}
	file := ts.MkAbs(strings.Join(args, ""))
	if filepath.Ext(file) != ".db" {
		file = filepath.Join(file, ".systemprompt", "sp.db")
	}
	err := agreesWith(file, secret.New(ts.Getenv("ADMIN")))
	if neg != (err != nil) {
		ts.Fatalf("they agree: %v: %v", !neg, err)
	}
}

// makeAdopted makes a database with a role of its own, as somebody else would, and puts its
// URL into the environment: `adopted VARIABLE NAME`; and ADDRESS, that of the server, and
// NODATABASE, the URL of a superuser to a database that is not there.
func makeAdopted(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: adopted variable name")
	}
	super := secret.New(ts.Getenv("SUPER"))
	url, err := adoptable(super, args[1])
	ts.Check(err)
	ts.Defer(func() { ts.Check(dropAdopted(super, args[1])) })
	ts.Setenv(args[0], url.Reveal())
	u, err := pgurl.Parse(url)
	ts.Check(err)
	ts.Setenv("ADDRESS", u.Addresses()[0].Name)
	elsewhere, err := pgurl.For(super, userOf(super), "nosuch", passwordOf(super))
	ts.Check(err)
	ts.Setenv("NODATABASE", elsewhere.Reveal())
}

func passwordOf(url secret.Secret) secret.Secret {
	password, _ := pgurl.PasswordOf(url)
	return password
}

func adoptable(super secret.Secret, name string) (secret.Secret, error) {
	password := secret.New("adoptmark" + strings.ToLower(rand.Text()))
	_, err := pgtest.Try(super, `CREATE ROLE `+name+` LOGIN PASSWORD '`+password.Reveal()+`'`, `CREATE DATABASE `+name+` OWNER `+name)
	if err != nil {
		return secret.Secret{}, err
	}
	return pgurl.For(super, name, name, password)
}

func dropAdopted(super secret.Secret, name string) error {
	_, err := pgtest.Try(super, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`, `DROP ROLE IF EXISTS `+name)
	return err
}

// placesOf is where a script's servers have their data.
func placesOf(ts *testscript.TestScript) string {
	return filepath.Join(ts.Getenv("WORK"), "home", ".local", "share", "sp", "postgres")
}

// placed puts the directory of the only server there into the environment: `placed VARIABLE`.
func placed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: placed variable")
	}
	found, err := filepath.Glob(filepath.Join(placesOf(ts), "*"))
	ts.Check(err)
	if len(found) != 1 {
		ts.Fatalf("there are %v", found)
	}
	ts.Setenv(args[0], found[0])
}
