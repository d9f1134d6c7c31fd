package resolver

import (
	"context"
	"errors"

	"github.com/sp-registry/sp/internal/registry"
)

// Finding is what one source says.
type Finding struct {
	Source Source
	// Holds is what the source was given, not looked up yet; nil for nothing.
	Holds *string
	// Profile and Tenant are what the source names, if that is usable.
	Profile *registry.Profile
	Tenant  *registry.Tenant
	// Err is why what the source names is unusable.
	Err error
	// Decided is set on the first source that names anything, usable or not.
	Decided bool
	// Why says how the source names what it names, or why it does not decide; Reason says it to
	// programs.
	Why    string
	Reason Reason
}

// Reason is how a source names what it names, or why it does not decide.
type Reason string

// The reasons.
const (
	ByName       Reason = "name"          // what it holds is a profile's name
	ByFile       Reason = "file"          // it is the path of a profile's file
	ByTenant     Reason = "tenant"        // it is a tenant, without a profile
	ByChoice     Reason = "chosen"        // the session, or the default, chose the profile
	OnlyProfile  Reason = "only_profile"  // it is the only profile in view
	NotGiven     Reason = "not_given"     // it holds nothing
	EmptyValue   Reason = "empty"         // which counts as not given
	NoneSelected Reason = "none_selected" // no tenant is selected
	WasDeleted   Reason = "deleted"       // the selected tenant was deleted
	NoSession    Reason = "no_session"    // the selected tenant has none
	NoDefault    Reason = "no_default"    // none is set, and there is not just one profile
	OtherTenants Reason = "other_tenant"  // the default belongs to another tenant than the selected one
	Outranked    Reason = "outranked"     // a stronger source decided
	Unusable     Reason = "unusable"      // what it names can't be used, which Err explains
)

// names tells whether the source names anything, usable or not.
func (f Finding) names() bool { return f.Tenant != nil || f.Err != nil }

// query is one resolution. What two sources need is read once.
type query struct {
	reader   Reader
	req      Request
	selected *Selection
	inView   *[]registry.Profile
}

// consult asks one source. The error means that reading failed.
func (q *query) consult(ctx context.Context, source Source) (Finding, error) {
	f := Finding{Source: source}
	err := q.ask(ctx, &f)
	if refused, ok := errors.AsType[refusal](err); ok {
		f.Err, f.Why, f.Reason = refused.error, refused.Error(), Unusable
		return f, nil
	}
	return f, err
}

func (q *query) ask(ctx context.Context, f *Finding) error {
	switch f.Source {
	case FromTenant:
		return q.tenant(ctx, f)
	case FromFlag:
		return q.given(ctx, f, q.req.Flag)
	case FromEnvironment:
		return q.given(ctx, f, q.req.Env)
	case FromSession:
		return q.session(ctx, f)
	default:
		return q.byDefault(ctx, f)
	}
}
