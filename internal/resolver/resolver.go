// Package resolver says which profile a command works in, hence which tenant's
// database it talks to, and why.
package resolver

import (
	"context"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Reader is what resolution reads; all answers are of one instant.
type Reader interface {
	// Tenant returns one tenant, or registry.ErrNotFound.
	Tenant(ctx context.Context, id registry.TenantID) (registry.Tenant, error)
	// Profile returns one profile, or registry.ErrNotFound.
	Profile(ctx context.Context, name string) (registry.Profile, error)
	// ProfilesOf returns at most limit profiles in order of name, of one tenant or, with nil, of all.
	ProfilesOf(ctx context.Context, tenant *registry.TenantID, limit int) ([]registry.Profile, error)
	// SelectedTenant returns nil when none was ever selected, and registry.ErrNoTenant
	// when the selected one was deleted.
	SelectedTenant(ctx context.Context) (*registry.TenantID, error)
	// ActiveSession returns the session of the selected tenant; nil when it has none,
	// when no tenant is selected, and when the selected one was deleted (there
	// registry.ErrNoTenant will do as well).
	ActiveSession(ctx context.Context) (*registry.Session, error)
	// DefaultProfile returns the name of the registry's default profile, nil when none is set.
	DefaultProfile(ctx context.Context) (*string, error)
}

// Source is a place that can name a profile.
type Source string

// The sources; all but FromTenant in the order in which they are asked.
const (
	FromFlag        Source = "flag"
	FromEnvironment Source = "environment"
	FromSession     Source = "session"
	FromDefault     Source = "default"
	// FromTenant is `resolve --tenant`, which names a tenant without a profile.
	FromTenant Source = "tenant"
)

// Network says from where the database is to be reached.
type Network string

// The networks.
const (
	// OwnNetwork is the tenant's own side: this machine for a local tenant, the
	// managed network for a cloud one.
	OwnNetwork Network = ""
	// ExternalNetwork reaches a cloud tenant's database from outside.
	ExternalNetwork Network = "external"
)

// Request is what the caller was given; nil means not given.
type Request struct {
	Flag, Env *string
	// Tenant excludes Flag and is stronger than every other source.
	Tenant  *registry.TenantID
	Network Network
	// ReadProfile turns a path to a profile.yaml into the profile's name and the
	// tenant that the file names, if it names one. Only a source that holds a path calls it.
	ReadProfile func(path string) (name string, tenant *registry.TenantID, err error)
}

// Connection is what a command talks to. Profile is nil for FromTenant.
type Connection struct {
	Source  Source
	Profile *registry.Profile
	Tenant  registry.Tenant
	URL     secret.Secret
}

// Resolve asks the sources in order; the first that names a profile decides. One
// that names something unusable is an error: going on to a weaker source would
// run the command on a database that nobody asked for.
func Resolve(ctx context.Context, r Reader, req Request) (Connection, error) {
	if err := req.Network.check(); err != nil {
		return Connection{}, err
	}
	f, err := decide(ctx, r, req)
	if err != nil {
		return Connection{}, err
	}
	return req.connect(f)
}

// InEffect returns what the first source says that names anything, whether or not its tenant has a
// URL. Where that is unusable, the finding has its source, beside the error.
func InEffect(ctx context.Context, r Reader, req Request) (Finding, error) {
	f, err := decide(ctx, r, req)
	if err == nil {
		err = f.Err
	}
	return f, err
}

// Profile returns the profile that Resolve would work in. The request names no tenant.
func Profile(ctx context.Context, r Reader, req Request) (registry.Profile, error) {
	f, err := InEffect(ctx, r, req)
	if err != nil {
		return registry.Profile{}, err
	}
	return *f.Profile, nil
}

// decide returns what the first source says that names anything, usable or not.
func decide(ctx context.Context, r Reader, req Request) (Finding, error) {
	q := &query{reader: r, req: req}
	for _, source := range req.sources() {
		f, err := q.consult(ctx, source)
		if err != nil || f.names() {
			return f, err
		}
	}
	nothing, err := q.nothing(ctx)
	if err != nil {
		return Finding{}, err
	}
	return Finding{}, nothing
}

func (n Network) check() error {
	if n != OwnNetwork && n != ExternalNetwork {
		return usage("--network: only external is known")
	}
	return nil
}

// sources lists whom to ask, in order.
func (req Request) sources() []Source {
	sources := []Source{FromTenant, FromFlag, FromEnvironment, FromSession, FromDefault}
	if req.Tenant == nil {
		return sources[1:]
	}
	return sources
}
