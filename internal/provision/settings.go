package provision

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
)

// A tenant can set something, as the owner of its database or as a login, with which nobody gets in: a
// bound of 0 connections, a limit of 1 ms for each statement. Else it could keep a password that leaked
// from being changed. That is undone. What keeps nobody out stays as the tenant wants it, and so does
// all of it where the login fails for another reason.

// open tries a login, and undoes what the tenant set to keep it out.
func (s *Server) open(ctx context.Context, url secret.Secret, d Database, l Login) error {
	const most = 6 // more than can stand in the way, one behind the other
	for try := 1; ; try++ {
		err := s.leadsTo(ctx, url, d, l)
		if err == nil || ctx.Err() != nil || try == most {
			return err
		}
		statements, unknown := s.undoing(ctx, d, l, err)
		if unknown != nil || len(statements) == 0 {
			return errors.Join(err, unknown)
		}
		statements = append([]string{s.join(d.Owner()), s.join(d.Role(l))}, statements...)
		if undone := s.change(ctx, "settings of the tenant", statements...); undone != nil {
			return errors.Join(err, undone)
		}
	}
}

// undoing returns the statements that undo what made a login fail, none if that was not the tenant. A
// server looks in this order, and says one thing at a time.
func (s *Server) undoing(ctx context.Context, d Database, l Login, failed error) ([]string, error) {
	full := isFull(failed, d, l)
	if !full && isOfServer(failed) {
		return nil, nil
	}
	set, err := s.tenantSettings(ctx, d, l)
	database, setting := "DATABASE "+identifier(d.Name), culprit(failed)
	switch {
	case err != nil:
		return nil, err
	case set.closed:
		return []string{"ALTER " + database + " ALLOW_CONNECTIONS true"}, nil
	case set.revoked:
		return []string{"GRANT CONNECT, TEMPORARY ON " + database + " TO " + identifier(d.Owner())}, nil
	case full && set.bounded:
		return []string{"ALTER " + database + " CONNECTION LIMIT -1"}, nil
	case slices.Contains(set.names, setting):
		return reset(d, l, identifier(setting)), nil
	case len(set.names) > 0 && isOfStatement(failed):
		return s.resetAll(ctx, d, l)
	}
	return nil, nil
}

// isFull tells of an error whether the database takes no more connections. In whatever language a server
// says so, it names what is full: the server itself has no name.
func isFull(err error, d Database, l Login) bool {
	text := err.Error()
	return slices.Contains([]string{"53300", ofPoolers}, stateOf(err)) && strings.Contains(text, d.Name) && !strings.Contains(text, d.Role(l))
}

// isOfServer tells of an error whether nothing that a tenant sets leads to it, but a bound of
// connections: the network, a password or pg_hba.conf, a server that is full, starts or stops.
func isOfServer(err error) bool {
	switch state := stateOf(err); state {
	case "", "57P01", "57P02", "57P03":
		return true
	case ofPoolers:
		return errors.Is(err, ErrDenied)
	default:
		return slices.Contains([]string{"28", "3D", "53"}, state[:2])
	}
}

// isOfStatement tells of an error whether a setting of an extension's may have led to it, and not the
// state of the server (its disk, a bug) or a pooler.
func isOfStatement(err error) bool {
	return !slices.Contains([]string{"08", "58", "XX"}, stateOf(err)[:2])
}

// culprit is the setting of which an error comes. A library can end a login with any.
func culprit(err error) string {
	switch stateOf(err) {
	case "57014":
		return "statement_timeout"
	case "55P03":
		return "lock_timeout"
	case "57P05":
		return "idle_session_timeout"
	case "25P03":
		return "idle_in_transaction_session_timeout"
	case "25P04":
		return "transaction_timeout"
	}
	return "local_preload_libraries"
}

// tenantSettings are what a tenant may have set.
type tenantSettings struct {
	closed, revoked bool     // nobody gets in, the login does not
	bounded         bool     // so many get in at once
	names           []string // of settings, without those that sp makes
}

func (s *Server) tenantSettings(ctx context.Context, d Database, l Login) (set tenantSettings, err error) {
	role := literal(d.Role(l))
	row, err := s.row(ctx, "settings of the tenant", 4, `SELECT datallowconn, has_database_privilege(`+role+`, d.oid, 'CONNECT'), datconnlimit,
		ARRAY(SELECT DISTINCT split_part(one, '=', 1) FROM pg_db_role_setting, unnest(setconfig) one
			WHERE (setdatabase IN (0, d.oid) AND setrole = `+role+`::regrole OR setdatabase = d.oid AND setrole = 0)
			AND one NOT LIKE 'role=%' AND one NOT LIKE 'default_transaction_read_only=%')
		FROM pg_database d WHERE datname = `+literal(d.Name))
	if err != nil {
		return set, err
	}
	limit, err := strconv.Atoi(row[2])
	set.closed, set.revoked, set.bounded = row[0] == "f", row[1] == "f", limit >= 0
	set.names = strings.FieldsFunc(row[3], func(r rune) bool { return strings.ContainsRune(`{},"`, r) })
	return set, err
}

// reset takes a setting back wherever a tenant can set it; ALL takes back all of them. A login goes on to
// act as the owner.
func reset(d Database, l Login, setting string) []string {
	database, role := "DATABASE "+identifier(d.Name), "ALTER ROLE "+identifier(d.Role(l))
	return []string{
		"ALTER " + database + " RESET " + setting,
		role + " IN " + database + " RESET " + setting,
		role + " RESET " + setting,
		role + " SET role TO " + identifier(d.Owner()),
	}
}

// resetAll takes back every setting but that the database only reads, where sp made it so.
func (s *Server) resetAll(ctx context.Context, d Database, l Login) ([]string, error) {
	statements := reset(d, l, "ALL")
	readOnly, err := s.hasReadOnlyMark(ctx, d)
	if readOnly {
		statements = append(statements, "ALTER DATABASE "+identifier(d.Name)+" SET default_transaction_read_only TO on")
	}
	return statements, err
}
