package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Errors about extensions of PostgreSQL.
var (
	// ErrNoExtension is returned for an extension that a server does not have.
	ErrNoExtension = errors.New("not installed on the server")
	// ErrNotMade is returned for an extension that sp makes for no tenant, or not with this administrator.
	ErrNotMade = errors.New("sp does not make it")
	// ErrNoSchema is returned for a database whose tenant dropped the schema in which extensions are made.
	ErrNoSchema = errors.New("the database has no schema public")
)

// NoExtensionError is ErrNoExtension with those of the server's extensions that sp may make.
type NoExtensionError struct {
	Name    string
	Version int // of the server
	Known   []string
}

func (e *NoExtensionError) Error() string {
	return fmt.Sprintf("extension %s: %v", shown(e.Name, ""), ErrNoExtension)
}

// Unwrap returns ErrNoExtension.
func (e *NoExtensionError) Unwrap() error { return ErrNoExtension }

// vetted are extensions that only a superuser may make and that give who uses them no power over the server or
// over other databases: their functions work on values, and neither read files nor open connections.
// (PostgreSQL lets a database's owner make those that it trusts.)
var vetted = []string{"postgis", "vector"}

// extension is one that a server can make.
type extension struct {
	name    string
	trusted bool // the owner of a database may make it
}

func (s *Server) extensions(ctx context.Context) (map[string]extension, error) {
	rows, err := s.query(ctx, "extensions", `SELECT v.name, v.trusted OR NOT v.superuser FROM pg_available_extensions e
		JOIN pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version`)
	known := map[string]extension{}
	for _, row := range rows {
		known[row[0]] = extension{row[0], row[1] == "t"}
	}
	return known, err
}

// MayExtend refuses extensions that Extend would not make in a database, which may be new.
func (s *Server) MayExtend(ctx context.Context, names []string, isNew bool) error {
	_, err := s.mayExtend(ctx, names, isNew)
	return err
}

func (s *Server) mayExtend(ctx context.Context, names []string, isNew bool) (found []extension, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	known, err := s.extensions(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		e, there := known[name]
		if !there {
			maps.DeleteFunc(known, func(name string, e extension) bool { return !e.trusted && !slices.Contains(vetted, name) })
			return nil, &NoExtensionError{name, s.major, slices.Sorted(maps.Keys(known))}
		}
		if err := s.mayMake(ctx, e, isNew); err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	return found, nil
}

// mayMake refuses an extension that would give a tenant power over the server. One that only a superuser may make
// is made only in a new database: what a tenant has put into its own would run with his rights.
func (s *Server) mayMake(ctx context.Context, e extension, isNew bool) error {
	if e.trusted {
		return nil
	}
	refused := func(why string) error { return fmt.Errorf("extension %s: %w: %s", shown(e.name, ""), ErrNotMade, why) }
	admin, err := s.row(ctx, "rights of the administrator", 1, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
	switch {
	case err != nil:
		return err
	case !slices.Contains(vetted, e.name):
		return refused("it could give the tenant power over the whole server")
	case admin[0] != "t":
		return refused("only a superuser may make it, and this administrator is none")
	case !isNew:
		return refused("only a superuser may make it, and what the tenant has in its database would run with his rights")
	}
	return nil
}

// Extend makes extensions in a database of a tenant: as its owner, with what they require, if PostgreSQL trusts
// them, and as the administrator otherwise. Those that are there stay as they are.
func (s *Server) Extend(ctx context.Context, d Database, names []string, isNew bool) error {
	found, err := s.mayExtend(ctx, names, isNew)
	if err != nil || len(found) == 0 {
		return err
	}
	doing := "extensions in database " + d.Name
	if err := s.change(ctx, doing, s.join(d.Owner())); err != nil {
		return err
	}
	there, err := s.enter(ctx, doing, d.Name)
	if err != nil {
		return err
	}
	defer there.close()
	for _, e := range found {
		statements := []string{"SET LOCAL search_path TO public", "CREATE EXTENSION IF NOT EXISTS " + identifier(e.name)}
		if e.trusted {
			statements = []string{"SET LOCAL ROLE " + identifier(d.Owner()), statements[0], statements[1] + " CASCADE"}
		}
		err := s.changeIn(ctx, there, "extension "+e.name, statements...)
		if stateOf(err) == "3F000" {
			err = fmt.Errorf("extension %s: database %s: %w", e.name, d.Name, ErrNoSchema)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
