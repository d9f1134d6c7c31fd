package hosting

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Where a new database is made, in this order: on the server that is named, on the one that is
// chosen, on the one that this project runs already, in Docker, with the machine's own programs.

// Wanted is the server that the user asked for.
type Wanted struct {
	Provider registry.Provider // "" is any
	Admin    *secret.Secret    // of a server that somebody else runs; nil names none
}

// elsewhere returns the server that is named or chosen, nil if none is.
func (w Wanted) elsewhere(known []registry.Server) (*registry.Server, error) {
	if w.Admin == nil {
		for _, s := range known {
			if s.Chosen {
				return &s, nil
			}
		}
		return nil, nil
	}
	s, err := registry.ServerAt(*w.Admin)
	for _, k := range known {
		s.Chosen = s.Chosen || k.Name == s.Name && k.Chosen
	}
	return &s, err
}

// Instead returns the same server with the login that was named for it.
func (w Wanted) Instead(s registry.Server) registry.Server {
	if w.Admin != nil && !s.IsOwn() {
		if named, err := registry.ServerAt(*w.Admin); err == nil && named.Name == s.Name {
			s.Admin = named.Admin
		}
	}
	return s
}

// Find returns the server on which to make a database. A server that sp does not run yet has no
// URL.
func (m *Machine) Find(ctx context.Context, w Wanted, known []registry.Server) (registry.Server, error) {
	if w.Provider == "" || w.Provider == registry.Elsewhere {
		s, err := w.elsewhere(known)
		if err != nil {
			return registry.Server{}, err
		}
		if s != nil {
			return *s, nil
		}
	}
	for _, s := range known {
		if s.IsOwn() && (w.Provider == "" || w.Provider == s.Provider) {
			return s, nil
		}
	}
	nowhere := &NoServerError{}
	for _, own := range []registry.Provider{registry.InDocker, registry.LocalPrograms} {
		if w.Provider != "" && w.Provider != own {
			continue
		}
		_, err := m.CanRun(ctx, own)
		if err == nil {
			return registry.Server{Name: string(own), Provider: own}, nil
		}
		nowhere.Missing = append(nowhere.Missing, err)
	}
	return registry.Server{}, nowhere
}

// NoServerError is ErrNoServer with the reason for each kind of server.
type NoServerError struct{ Missing []error }

func (e *NoServerError) Error() string {
	var why []string
	for _, err := range e.Missing {
		why = append(why, err.Error())
	}
	return fmt.Sprintf("%v: %s", ErrNoServer, strings.Join(why, "; "))
}

// Unwrap returns ErrNoServer.
func (e *NoServerError) Unwrap() error { return ErrNoServer }

// CanRun reports whether sp can run a server of that kind here, and with what.
func (m *Machine) CanRun(ctx context.Context, own registry.Provider) (with string, err error) {
	if m.Offline != nil {
		return "", fmt.Errorf("%s: %w", own, m.Offline)
	}
	if own == registry.InDocker {
		docker, err := m.docker()
		if err != nil {
			return "", err
		}
		version, err := docker.Engine(ctx)
		return "Docker " + version, err
	}
	programs, err := m.Programs("")
	if err == nil {
		_, err = postgres.AccountFor(os.Geteuid())
	}
	return fmt.Sprintf("PostgreSQL %s in %s", programs.Version, programs.Dir), err
}

// CheckWithheld refuses a server that nobody has named since sp trust, and a server of the project
// of which this one is a copy.
func CheckWithheld(s registry.Server) error {
	switch s.Withheld {
	case "":
		return nil
	case registry.Foreign:
		return &ServerError{s, fmt.Errorf("%w: it belongs to the project of which this one is a copy", ErrWithheld)}
	}
	return &ServerError{s, fmt.Errorf("%w until you name it, because this registry was trusted since", ErrWithheld)}
}

// Name lets sp use a server that was withheld.
func (m *Machine) Name(ctx context.Context, s registry.Server) (registry.Server, error) {
	switch s.Withheld {
	case "":
		return s, nil
	case registry.Foreign:
		return s, fmt.Errorf("server %s: %w", s.Name, CheckWithheld(s))
	}
	s.Withheld = ""
	return s, m.Change(ctx, func(reg *registry.Registry) error { return reg.NameServer(ctx, s.Name) })
}

// RecordedOn returns the tenants whose databases are recorded on a server.
func RecordedOn(s registry.Server, databases []registry.Database) (tenants []registry.TenantID) {
	for _, d := range databases {
		if d.Server == s.Name && d.State != registry.Provisioning {
			tenants = append(tenants, d.Tenant)
		}
	}
	return tenants
}
