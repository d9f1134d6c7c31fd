// Package provision makes, checks, renews and drops what a tenant has on a PostgreSQL server:
// a database, a role that owns it and all that is in it, and two roles that log in. Every step
// can be done again, so that what was cut off is gone on with by the same call.
//
// A password is never sent in clear by what is here, but for the login itself where a server
// asks for that: the server gets a SCRAM-SHA-256 verifier, so its log can't have it.
//
// Where a connection leads depends on its URL alone: what the URL does not say is what a
// client does without PG* variables and ~/.postgresql. A password that it does not say may stand in
// the file of WithPassfile. Two of the library's own
// remain: a PGSERVICE that names a service which can't be read is refused, and the user of a
// URL that has none is PGUSER or the one of the system. sp makes no URL without a user.
package provision

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// What a caller can do something about; wrapped with what was being done.
var (
	// ErrUnavailable is returned when no server answers, or it can't now.
	ErrUnavailable = errors.New("database server not available")
	// ErrFull is ErrUnavailable for a server of which somebody holds all locks, so that nobody can log in.
	ErrFull = fmt.Errorf("%w", ErrUnavailable)
	// ErrCrowded is ErrUnavailable for a server all of whose connections are taken, or all that a role may have.
	ErrCrowded = fmt.Errorf("%w", ErrUnavailable)
	// ErrNoDisk is ErrUnavailable for a server that can't write because its disk is full.
	ErrNoDisk = fmt.Errorf("%w", ErrUnavailable)
	// ErrDenied is returned when the server refuses a login, a right or a statement.
	ErrDenied = errors.New("refused by the database server")
	// ErrMismatch is returned when a database or a role is not there, or not the tenant's.
	ErrMismatch = errors.New("not the database that was registered")
	// ErrUnchecked is returned when a server lets a wrong password in.
	ErrUnchecked = errors.New("this server does not check passwords")
	// ErrInvalid is returned for a name or a password that is not allowed.
	ErrInvalid = errors.New("not allowed")
	// ErrUnknown is returned when it can't be found out whether a server did what it was told.
	ErrUnknown = errors.New("whether the change was made is not known")
)

// Login is one of the two roles of a database that log in; one does, while the other rests.
type Login string

// The two logins of a database.
const (
	LoginA Login = "a"
	LoginB Login = "b"
)

// Database names what belongs to a tenant on a server; nothing else is ever touched.
type Database struct {
	Name   string // of the database and, with _owner, _a and _b behind it, of its roles
	Tenant string // marked on the database
	Own    bool   // the server is one that sp runs: postgres and template1 are closed to tenants

	roles string // the beginning of the names of its roles, of one of Extras; "" is Name
}

// Owner returns the name of the role that owns the database and all in it, and never logs in.
func (d Database) Owner() string { return cmp.Or(d.roles, d.Name) + "_owner" }

// Role returns the name of the role that logs in as l.
func (d Database) Role(l Login) string { return cmp.Or(d.roles, d.Name) + "_" + string(l) }

// longest is what PostgreSQL keeps of a name; it cuts the rest off without an error.
const longest = 63

func (d Database) check() error {
	switch {
	case d.Name == "":
		return fmt.Errorf("name of a database: empty: %w", ErrInvalid)
	case len(d.Owner()) > longest:
		return fmt.Errorf("name of a database: longer than %d bytes: %w", longest-len("_owner"), ErrInvalid)
	case strings.ContainsRune(d.Name+d.Tenant, 0):
		return fmt.Errorf("name of a database or its tenant: holds a NUL: %w", ErrInvalid)
	}
	return nil
}

// identifier quotes a name for SQL.
func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal quotes a text for SQL, whatever standard_conforming_strings is.
func literal(text string) string {
	text = strings.ReplaceAll(text, `'`, `''`)
	if strings.Contains(text, `\`) {
		return ` E'` + strings.ReplaceAll(text, `\`, `\\`) + `'`
	}
	return `'` + text + `'`
}
