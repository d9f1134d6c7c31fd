package resolver

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
)

// tenant asks `--tenant`.
func (q *query) tenant(ctx context.Context, f *Finding) error {
	id := *q.req.Tenant
	holds := string(id)
	f.Holds, f.Why, f.Reason = &holds, "a tenant without a profile", ByTenant
	switch {
	case id == "":
		return refuse("--tenant is empty: %w", ErrUsage)
	case q.req.Flag != nil:
		return refuse("--tenant excludes --profile: %w", ErrUsage)
	}
	t, err := q.reader.Tenant(ctx, id)
	if errors.Is(err, registry.ErrNotFound) {
		return refuse("tenant %q of %s: %w", id, f.place(), f.missing("tenant", holds))
	}
	if err != nil {
		return err
	}
	f.Tenant = &t
	return nil
}

// given asks the flag or the variable for the value that it has.
func (q *query) given(ctx context.Context, f *Finding, value *string) error {
	f.Holds = value
	switch {
	case value == nil:
		f.Why, f.Reason = "not set", NotGiven
		return nil
	case *value == "" && f.Source == FromFlag:
		return refuse("--profile is empty: %w", ErrUsage)
	case *value == "":
		f.Why, f.Reason = "empty counts as not set", EmptyValue
		return nil
	case isURL(*value), pgurl.IsConnection(*value):
		hidden := "***"
		f.Holds = &hidden
		return refuse("%s is a way to a database, not a profile: %w", f.place(), registry.ErrInvalid)
	case isPath(*value):
		return q.file(ctx, f, *value)
	}
	f.Why, f.Reason = "by name", ByName
	p, err := q.profile(ctx, f, *value)
	if err != nil {
		return err
	}
	return q.settle(ctx, f, p)
}

// file looks up the profile of a profile.yaml. The registry's row decides; a file that
// names another of its tenants is a conflict, for one of the two has to be wrong. A local
// tenant that it does not know is one of another machine, where the file comes from.
func (q *query) file(ctx context.Context, f *Finding, path string) error {
	if q.req.ReadProfile == nil {
		return refuse("%s: a path cannot be read here", f.place())
	}
	name, tenant, err := q.req.ReadProfile(path)
	if err != nil {
		return refuse("%s: %w", f.place(), err)
	}
	f.Why, f.Reason = fmt.Sprintf("its file names profile %q", name), ByFile
	p, err := q.profile(ctx, f, name)
	if err != nil {
		return err
	}
	if tenant != nil && *tenant != p.Tenant {
		if registry.IsLocalID(*tenant) {
			if _, err := q.reader.Tenant(ctx, *tenant); errors.Is(err, registry.ErrNotFound) {
				return q.settle(ctx, f, p)
			}
		}
		return refuse("profile %q of %s belongs to tenant %q, but its file names %q: %w",
			name, f.place(), p.Tenant, harmless(*tenant), registry.ErrConflict)
	}
	return q.settle(ctx, f, p)
}

// harmless is what a profile.yaml names, unless somebody put a connection string
// there, which is not repeated.
func harmless(id registry.TenantID) registry.TenantID {
	if pgurl.IsConnection(string(id)) {
		return "***"
	}
	return id
}

// session asks the session of the selected tenant.
func (q *query) session(ctx context.Context, f *Finding) error {
	s, err := q.reader.ActiveSession(ctx)
	if err != nil && !errors.Is(err, registry.ErrNoTenant) {
		return err
	}
	if s == nil {
		selection, err := q.selection(ctx)
		f.Why, f.Reason = selection.withoutSession()
		return err
	}
	f.Holds, f.Why, f.Reason = &s.Profile, fmt.Sprintf("the session of tenant %q", s.Tenant), ByChoice
	p, err := q.profile(ctx, f, s.Profile)
	if err != nil {
		return err
	}
	if p.Tenant != s.Tenant {
		return refuse("profile %q of %s belongs to tenant %q, not to %q: %w",
			p.Name, f.place(), p.Tenant, s.Tenant, registry.ErrNoProfile)
	}
	return q.settle(ctx, f, p)
}

// profile reads the profile that a source names.
func (q *query) profile(ctx context.Context, f *Finding, name string) (registry.Profile, error) {
	p, err := q.reader.Profile(ctx, name)
	if errors.Is(err, registry.ErrNotFound) {
		return p, refuse("profile %q of %s: %w", name, f.place(), f.missing("profile", name))
	}
	return p, err
}

// settle completes a finding with the profile and its tenant.
func (q *query) settle(ctx context.Context, f *Finding, p registry.Profile) error {
	t, err := q.reader.Tenant(ctx, p.Tenant)
	if errors.Is(err, registry.ErrNotFound) {
		return refuse("tenant %q of profile %q of %s: %w", p.Tenant, p.Name, f.place(), f.missing("tenant", string(p.Tenant)))
	}
	if err != nil {
		return err
	}
	f.Profile, f.Tenant = &p, &t
	return nil
}

// place names the source as people know it.
func (f *Finding) place() string {
	switch f.Source {
	case FromTenant:
		return "--tenant"
	case FromFlag:
		return "--profile"
	case FromEnvironment:
		return "SYSTEMPROMPT_PROFILE"
	default:
		return "the " + string(f.Source)
	}
}

// missing is what it means that the source names something that is not there.
func (f *Finding) missing(what, word string) error {
	if f.Source == FromSession || f.Source == FromDefault {
		return errMissing
	}
	return missingError{what, word}
}
