package resolver

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/internal/registry"
)

// ErrUsage is returned for a request that no registry could answer.
var ErrUsage = errors.New("wrong usage")

func usage(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrUsage)...)
}

// errMissing is what a session or the default meets where a flag or variable
// meets registry.ErrNotFound: nobody named it just now.
var errMissing = fmt.Errorf("missing: %w", registry.ErrNoProfile)

// missingError is registry.ErrNotFound of what a word was to name.
type missingError struct{ what, word string }

func (missingError) Error() string { return registry.ErrNotFound.Error() }

func (missingError) Unwrap() error { return registry.ErrNotFound }

// Missing returns what was looked for, and by which word.
func (e missingError) Missing() (what, word string) { return e.what, e.word }

// refusal is why what a source names is unusable. Any other error from asking a
// source means that reading failed.
type refusal struct{ error }

func refuse(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// NothingError is returned when no source names a profile. It is a
// registry.ErrNoProfile when a tenant is selected, else a registry.ErrNoTenant.
type NothingError struct {
	Selection Selection
	// Candidates are the first profiles, in order of name, that could be named: the
	// selected tenant's, else all; More tells that there are others.
	Candidates []string
	More       bool
}

// Unwrap returns the kind of trouble.
func (e *NothingError) Unwrap() error {
	if e.Selection.Tenant != nil {
		return registry.ErrNoProfile
	}
	return registry.ErrNoTenant
}

// Error says what is missing and lists the candidates.
func (e *NothingError) Error() string {
	why := "none is selected"
	switch {
	case e.Selection.Tenant != nil && len(e.Candidates) == 0:
		why = fmt.Sprintf("tenant %q has none", *e.Selection.Tenant)
	case e.Selection.Tenant != nil:
		why = fmt.Sprintf("nothing names one of tenant %q", *e.Selection.Tenant)
	case e.Selection.Deleted:
		why = "the selected one was deleted"
	}
	return fmt.Sprintf("%s: %s%s", e.Unwrap(), why, listed(e.Candidates, e.More))
}

// listed lists candidates for people, behind something else; nothing if there are none.
func listed(names []string, more bool) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	text := strings.Join(quoted, ", ")
	if more {
		text += " and more"
	}
	return "; candidates: " + text
}

// URLError is returned when the tenant is known but its connection URL cannot be
// used; it is a registry.ErrNoURL. The remedy depends on all it tells.
type URLError struct {
	Tenant registry.TenantID
	Name   string
	Kind   registry.Kind
	// Member is the member of tenants.json that Fault is about.
	Member string
	Fault  Fault
}

// Fault is what keeps a URL from being used.
type Fault string

// The faults.
const (
	Absent Fault = "absent"
	Empty  Fault = "empty"
	Masked Fault = "masked"
	// Nowhere is the fault of a URL that leaves out the host or the database.
	Nowhere Fault = "without a host or a database"
	// Harmful is the fault of a URL by which a client would do more than connect.
	Harmful Fault = "one for which PostgreSQL's clients load a library or write a file (sslkey=ENGINE:KEY, sslkeylogfile, servicefile)"
	// Off is the fault of external_db_access.
	Off Fault = "off"
)

// Unwrap returns registry.ErrNoURL.
func (e *URLError) Unwrap() error { return registry.ErrNoURL }

// Error names the tenant, the member and its fault, never the URL.
func (e *URLError) Error() string {
	return fmt.Sprintf("tenant %s (%s): %s is %s", e.Tenant, e.Name, e.Member, e.Fault)
}
