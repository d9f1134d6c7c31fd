package hosting

import (
	"context"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// A tenant may log in as the role whose password is changed by another address: a socket, a list of hosts, a pooler.
// Where the text of its URL does not show whether that is so, its server is asked. Who can't be asked is named.

// findTenants finds the tenants that log in as the role, and those that may.
func (a *Adopted) findTenants(ctx context.Context, view *registry.View) error {
	for t, err := range view.Tenants(ctx, registry.Page{}) {
		if err != nil {
			return err
		}
		if !t.IsLocal() || t.DatabaseURL == nil {
			continue
		}
		likeness := pgurl.SameLogin(*a.Tenant.DatabaseURL, *t.DatabaseURL)
		if likeness == pgurl.Perhaps {
			if likeness, err = a.planned(ctx, view, t); err != nil {
				return err
			}
		}
		switch likeness {
		case pgurl.Same:
			a.Tenants = append(a.Tenants, t.ID)
		case pgurl.Perhaps:
			a.Perhaps = append(a.Perhaps, t)
		}
	}
	return nil
}

// planned tells of a tenant that may log in as the role whether a rotation that was stopped had found that out: the
// password that was planned for both is the same.
func (a *Adopted) planned(ctx context.Context, view *registry.View, t registry.Tenant) (pgurl.Likeness, error) {
	next, err := view.Rotation(ctx, t.ID)
	if err != nil || next == nil || a.Next == nil {
		return pgurl.Perhaps, err
	}
	own, _ := pgurl.PasswordOf(*a.Next) // both were made by pgurl
	theirs, _ := pgurl.PasswordOf(*next)
	if own.Equal(theirs) {
		return pgurl.Same, nil
	}
	return pgurl.Perhaps, nil
}

// askOthers asks the servers of those that may log in as the role, and those on which sp may.
func (a *Adopted) askOthers(ctx context.Context) error {
	if len(a.Perhaps)+len(a.admins) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	own, err := provision.IdentityOf(ctx, a.from)
	if err != nil { // then nobody can say
		return nil //nolint:nilerr
	}
	var urls []secret.Secret
	for _, s := range a.admins {
		urls = append(urls, s.Admin)
	}
	for i, other := range identitiesOf(ctx, urls) {
		if other != nil && own.Is(*other) {
			return a.sharedAdmin(a.admins[i])
		}
	}
	asked := a.Perhaps
	a.Perhaps, urls = nil, nil
	for _, t := range asked {
		urls = append(urls, *t.DatabaseURL)
	}
	for i, other := range identitiesOf(ctx, urls) {
		switch t := asked[i]; {
		case other != nil && own.Is(*other):
			a.Tenants, a.elsewhere = append(a.Tenants, t.ID), append(a.elsewhere, t.ID)
			a.PooledElsewhere = a.PooledElsewhere || other.Pooled
		case other == nil || own.MayBe(*other):
			a.Perhaps = append(a.Perhaps, t)
		}
	}
	return nil
}

// identitiesOf asks the servers to which URLs lead who they are; nil is one that does not say.
func identitiesOf(ctx context.Context, urls []secret.Secret) []*provision.Identity {
	found := make([]*provision.Identity, len(urls))
	askEach(len(urls), func(i int) {
		if identity, err := provision.IdentityOf(ctx, urls[i]); err == nil {
			found[i] = &identity
		}
	})
	return found
}
