package resolver

import (
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// connect turns the finding that decided into a connection.
func (req Request) connect(f Finding) (Connection, error) {
	if f.Err != nil {
		return Connection{}, f.Err
	}
	url, err := req.url(*f.Tenant)
	if err != nil {
		return Connection{}, err
	}
	return Connection{Source: f.Source, Profile: f.Profile, Tenant: *f.Tenant, URL: url}, nil
}

// url returns the tenant's URL for the network asked for.
func (req Request) url(t registry.Tenant) (secret.Secret, error) {
	unusable := func(member string, fault Fault) (secret.Secret, error) {
		return secret.Secret{}, &URLError{Tenant: t.ID, Name: t.Name, Kind: t.Kind, Member: member, Fault: fault}
	}
	member, url := "database_url", t.OwnURL()
	switch {
	case req.Network == ExternalNetwork && !t.IsCloud():
		return secret.Secret{}, usage("--network external: tenant %q is local", t.ID)
	case req.Network == ExternalNetwork && !t.ExternalDBAccess:
		return unusable("external_db_access", Off)
	case req.Network == ExternalNetwork:
		url = t.DatabaseURL
	case t.IsCloud():
		member = "internal_database_url"
	}
	switch {
	case url == nil:
		return unusable(member, Absent)
	case url.Empty():
		return unusable(member, Empty)
	case pgurl.IsMasked(*url):
		return unusable(member, Masked)
	case pgurl.LeadsNowhere(*url):
		return unusable(member, Nowhere)
	case pgurl.IsHarmful(*url):
		return unusable(member, Harmful)
	}
	return *url, nil
}
