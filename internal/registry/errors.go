package registry

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/pgurl"
)

// What a caller can do something about; wrapped with whom it concerns.
var (
	// ErrInvalid is returned for a value that is not allowed.
	ErrInvalid = errors.New("not allowed")
	// ErrNotFound is returned when what was named does not exist.
	ErrNotFound = errors.New("not found")
	// ErrAmbiguous is returned for a word that means more than one thing.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrExists is returned when what would be made is there already.
	ErrExists = errors.New("exists already")
	// ErrInUse is returned when something else still needs what would be changed.
	ErrInUse = errors.New("in use")
	// ErrConflict is returned when two sides say different things, and sp may not choose.
	ErrConflict = errors.New("conflict")
	// ErrNoTenant is returned when no tenant is selected.
	ErrNoTenant = errors.New("no tenant configured")
	// ErrNoProfile is returned when nothing names a profile, or a session or the
	// default names one that cannot be used.
	ErrNoProfile = errors.New("no profile")
	// ErrNoURL is returned when a tenant has no usable connection URL.
	ErrNoURL = errors.New("no usable database URL")
)

// reasoned is an error of a kind that says why in its own words alone.
type reasoned struct {
	error
	kind error
}

func (r *reasoned) Unwrap() error { return r.kind }

func because(kind error, format string, args ...any) error {
	return &reasoned{fmt.Errorf(format, args...), kind}
}

// namesakeError is ErrExists for a tenant's name that another one has.
type namesakeError struct {
	name  string
	other TenantID
}

func (e *namesakeError) Error() string {
	return fmt.Sprintf("tenant name %q %v: tenant %s has it", e.name, ErrExists, e.other)
}

func (e *namesakeError) Unwrap() error { return ErrExists }

// Namesake is the tenant that has the name.
func (e *namesakeError) Namesake() TenantID { return e.other }

// absent turns "no rows" into ErrNotFound of what was looked for.
func absent(err error, what, name string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return &missingError{what, name}
	}
	return err
}

// missingError is ErrNotFound of what a word was to name: a tenant, a profile.
type missingError struct{ what, word string }

func (e *missingError) Error() string {
	return fmt.Sprintf("%s %s: %v", e.what, shown(e.word), ErrNotFound)
}

func (e *missingError) Unwrap() error { return ErrNotFound }

// Missing returns what was looked for, and by which word, which may be a secret in the wrong place.
func (e *missingError) Missing() (what, word string) { return e.what, e.word }

// isThere tells whether a row was found; that it was not is no error.
func isThere(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// shown is a name that may be repeated to the user: not one that must have been
// meant as a way to a database, or as a token.
func shown(name string) string {
	if strings.Contains(name, "://") || strings.Contains(name, "@") || pgurl.IsMisplaced(name) {
		return "***"
	}
	return name
}
