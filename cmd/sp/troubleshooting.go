package main

import (
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// The words of the documents' troubleshooting tables.
const (
	connectionFailed   = "Database connection failed"
	accessDenied       = "Access denied"
	provisioningFailed = "Provisioning failed"
)

// adviseLogin says which row of the documents' tables a failure is, and what helps.
func adviseLogin(err error) error {
	var login *hosting.LoginError
	if !errors.As(err, &login) {
		return err
	}
	s, err := login.Subject, login.Err
	id := project.Quoted(string(s.Tenant.ID))
	named := func(what string) error { return fmt.Errorf("tenant %s: %s: %w", s.Tenant, what, err) }
	switch {
	case s.Database != nil && s.Database.State == registry.Dropping:
		return withHint(named(provisioningFailed+": its database is being dropped"), "sp tenant delete %s -y goes on with that", id)
	case s.Database != nil && (s.Database.State != registry.Ready || errors.Is(err, registry.ErrNoURL)):
		return withHint(named(provisioningFailed), "sp tenant provision %s goes on, sp tenant delete %s -y undoes it", id, id)
	case errors.Is(err, hosting.ErrWithheld), errors.Is(err, hosting.ErrLost), errors.Is(err, hosting.ErrOtherData):
		return named(connectionFailed)
	case errors.Is(err, registry.ErrNoURL) && s.Tenant.IsCloud():
		return withHint(named(connectionFailed+": internal_database_url is missing or masked"), "sp tenant edit %s --internal-database-url-stdin", id)
	case errors.Is(err, registry.ErrNoURL) && s.Tenant.IsDatabaseURLMasked():
		return withHint(named(accessDenied+": its URL has stars in place of the password"), "sp tenant edit %s --database-url-stdin", id)
	case errors.Is(err, registry.ErrNoURL):
		return withHint(named(connectionFailed), "sp tenant provision %s makes a database, sp tenant edit %s --database-url-stdin names one", id, id)
	case errors.Is(err, hosting.ErrNextHolds):
		return withHint(named(accessDenied), "sp tenant rotate-credentials %s -y goes on with it", id)
	case errors.Is(err, provision.ErrDenied) && s.Next != nil:
		return withHint(named(accessDenied+": a rotation of its password was stopped"), "sp tenant rotate-credentials %s -y goes on with it", id)
	case errors.Is(err, provision.ErrDenied):
		return withHint(named(accessDenied), "sp tenant rotate-credentials %s, or sp tenant edit %s --database-url-stdin", id, id)
	case errors.Is(err, provision.ErrMismatch):
		return withHint(named(connectionFailed), "see where its URL leads: sp tenant show %s", id)
	case s.Server != nil && s.Server.IsOwn():
		return withHint(named(connectionFailed), "sp db up starts PostgreSQL")
	case s.Tenant.IsLocal():
		return withHint(named(connectionFailed), "see that its PostgreSQL runs, and that the address is right: sp tenant show %s", id)
	}
	return withHint(named(connectionFailed), "see that you are where its address is known: sp tenant show %s", id)
}
