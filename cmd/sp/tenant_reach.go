package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// url is the URL under which a tenant's database can be reached from here.
func (s subject) url() *secret.Secret {
	t := s.tenant
	if t.IsCloud() && t.ExternalDBAccess && t.DatabaseURL != nil {
		return t.DatabaseURL
	}
	return t.OwnURL()
}

// mustHaveURL refuses a tenant that has none that could be used.
func (s subject) mustHaveURL() error {
	if url := s.url(); url == nil || url.Empty() || registry.IsMasked(*url) || registry.LeadsNowhere(*url) {
		return registry.ErrNoURL
	}
	return nil
}

// ask logs in to a tenant's database, and looks whether it is the one that was made for it.
func (s subject) ask(ctx context.Context) (provision.Standing, error) {
	if err := s.mustHaveURL(); err != nil {
		return provision.Standing{}, err
	}
	standing, err := provision.Check(ctx, *s.url())
	if err == nil && standing.Tenant != "" && standing.Tenant != string(s.tenant.ID) {
		err = fmt.Errorf("it was made for tenant %s: %w", standing.Tenant, provision.ErrMismatch)
	}
	if err != nil && s.next != nil {
		if _, refused := provision.Check(ctx, *s.next); refused == nil {
			err = fmt.Errorf("%w: %w", errNextHolds, err)
		}
	}
	return standing, err
}

// errNextHolds is what a database is refused with that opens to the password which was to
// become its tenant's.
var errNextHolds = errors.New("its server takes the password of a rotation that was stopped")

// The words of the documents' troubleshooting tables.
const (
	connectionFailed   = "Database connection failed"
	accessDenied       = "Access denied"
	provisioningFailed = "Provisioning failed"
)

// adviseConnecting says which row of the documents' tables a failure is, and what helps.
func (a *app) adviseConnecting(s subject, err error) error {
	id := project.Quoted(string(s.tenant.ID))
	named := func(what string) error { return fmt.Errorf("tenant %s: %s: %w", s.tenant, what, err) }
	switch {
	case s.database != nil && s.database.State == registry.Dropping:
		return withHint(named(provisioningFailed+": its database is being dropped"), "sp tenant delete %s -y goes on with that", id)
	case s.database != nil && (s.database.State != registry.Ready || errors.Is(err, registry.ErrNoURL)):
		return withHint(named(provisioningFailed), "sp tenant provision %s goes on, sp tenant delete %s -y undoes it", id, id)
	case errors.Is(err, errWithheld), errors.Is(err, errLost), errors.Is(err, errOtherData):
		return named(connectionFailed)
	case errors.Is(err, registry.ErrNoURL) && s.tenant.IsCloud():
		return withHint(named(connectionFailed+": internal_database_url is missing or masked"), "sp tenant edit %s --internal-database-url-stdin", id)
	case errors.Is(err, registry.ErrNoURL) && s.tenant.IsDatabaseURLMasked():
		return withHint(named(accessDenied+": its URL has stars in place of the password"), "sp tenant edit %s --database-url-stdin", id)
	case errors.Is(err, registry.ErrNoURL):
		return withHint(named(connectionFailed), "sp tenant provision %s makes a database, sp tenant edit %s --database-url-stdin names one", id, id)
	case errors.Is(err, errNextHolds):
		return withHint(named(accessDenied), "sp tenant rotate-credentials %s -y goes on with it", id)
	case errors.Is(err, provision.ErrDenied) && s.next != nil:
		return withHint(named(accessDenied+": a rotation of its password was stopped"), "sp tenant rotate-credentials %s -y goes on with it", id)
	case errors.Is(err, provision.ErrDenied):
		return withHint(named(accessDenied), "sp tenant rotate-credentials %s, or sp tenant edit %s --database-url-stdin", id, id)
	case errors.Is(err, provision.ErrMismatch):
		return withHint(named(connectionFailed), "see where its URL leads: sp tenant show %s", id)
	case s.server != nil && s.server.IsOwn():
		return withHint(named(connectionFailed), "sp db up starts PostgreSQL")
	case s.tenant.IsLocal():
		return withHint(named(connectionFailed), "see that its PostgreSQL runs, and that the address is right: sp tenant show %s", id)
	}
	return withHint(named(connectionFailed), "see that you are where its address is known: sp tenant show %s", id)
}

// mustLogIn refuses what has to do with a database to which nobody can log in.
func (a *app) mustLogIn(ctx context.Context, t registry.Tenant) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	s := subject{tenant: t}
	if _, err := s.ask(ctx); err != nil {
		return a.adviseConnecting(s, err)
	}
	return nil
}

// adoptWithin bounds how long a database that is adopted is tried.
const adoptWithin = 3 * time.Second

// checkAdopted logs in to a database that is about to be adopted. One that refuses is
// refused; where nobody answers it may be that nobody does yet.
func (a *app) checkAdopted(ctx context.Context, url secret.Secret) error {
	if a.mayConnect() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, adoptWithin)
	defer cancel()
	a.step("trying its database")
	_, err := provision.Check(ctx, url)
	switch {
	case errors.Is(err, provision.ErrDenied):
		return withHint(fmt.Errorf("tenant create: %s: %w", accessDenied, err), "nothing was stored; --no-check stores it all the same")
	case errors.Is(err, provision.ErrMismatch):
		return withHint(fmt.Errorf("tenant create: %s: %w", connectionFailed, err), "nothing was stored; --no-check stores it all the same")
	case err != nil && context.Cause(ctx) != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return err
	case err != nil:
		a.note("warning: %s: %v; sp tenant check tries again", connectionFailed, err)
	}
	return nil
}
