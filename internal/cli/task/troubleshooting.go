package task

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// The words of the documents' troubleshooting tables.
const (
	connectionFailed   = "Database connection failed"
	accessDenied       = "Access denied"
	provisioningFailed = "Provisioning failed"
)

// Why a command on a cloud tenant can't be done.
var (
	// ErrNotCloud is returned for what only a cloud tenant has.
	ErrNotCloud = errors.New("it has no control plane")
	// ErrNoSyncToken is returned for a cloud tenant whose sync token is not known.
	ErrNoSyncToken = errors.New("Sync token missing") //lint:ignore ST1005 the documents' words
)

// AdviseLogin adds the hint from the documents' troubleshooting tables to a failed login.
func AdviseLogin(err error) error {
	var login *hosting.LoginError
	if !errors.As(err, &login) {
		return err
	}
	s, err := login.Subject, login.Err
	id := string(s.Tenant.ID)
	named := func(what string) error { return fmt.Errorf("tenant %s: %s: %w", s.Tenant, what, err) }
	switch {
	case errors.Is(err, ErrOffline):
		return cli.HintAt(named(connectionFailed), offlineHint())
	case s.Database != nil && s.Database.State == registry.Dropping:
		return cli.Hint(named(provisioningFailed+": its database is being dropped"), "%s goes on with that, %s keeps it if it is all there", cli.To("sp tenant delete", id), cli.To("sp tenant provision", id))
	case s.Database != nil && (s.Database.State != registry.Ready || errors.Is(err, registry.ErrNoURL)):
		return cli.Hint(named(provisioningFailed), "%s goes on, %s undoes it", cli.To("sp tenant provision", id), cli.To("sp tenant delete", id))
	case errors.Is(err, hosting.ErrWithheld), errors.Is(err, hosting.ErrLost), errors.Is(err, hosting.ErrOtherData),
		errors.Is(err, hosting.ErrStarting), errors.Is(err, postgres.ErrUnended), errors.Is(err, postgres.ErrFrozen):
		return named(connectionFailed)
	case errors.Is(err, registry.ErrNoURL) && s.Tenant.IsCloud():
		return cli.Hint(cli.Of(registry.ErrNoURL, "tenant %s: %s: internal_database_url is missing or masked", s.Tenant, connectionFailed), "%s fetches it from the control plane, %s takes it from you",
			cli.To("sp tenant provision", id), cli.To("sp tenant edit", id, "--internal-database-url-stdin"))
	case errors.Is(err, registry.ErrNoURL) && s.Tenant.IsDatabaseURLMasked():
		return cli.Hint(cli.Of(registry.ErrNoURL, "tenant %s: %s: its URL has stars in place of the password", s.Tenant, accessDenied), "%s", cli.To("sp tenant edit", id, "--database-url-stdin"))
	case errors.Is(err, registry.ErrNoURL):
		return cli.Hint(named(connectionFailed), "%s makes a database, %s names one", cli.To("sp tenant provision", id), cli.To("sp tenant edit", id, "--database-url-stdin"))
	case errors.Is(err, pgurl.ErrInvalid) && s.Tenant.IsCloud():
		return cli.Hint(named(connectionFailed), "%s fetches another from the control plane, %s takes it from you",
			cli.To("sp tenant provision", id), cli.To("sp tenant edit", id, urlFlag(s.Tenant)))
	case errors.Is(err, pgurl.ErrInvalid):
		return cli.Hint(named(connectionFailed), "%s", cli.To("sp tenant edit", id, urlFlag(s.Tenant)))
	case errors.Is(err, hosting.ErrNextHolds):
		return cli.Hint(named(accessDenied), "%s goes on with it", cli.To("sp tenant rotate-credentials", id, "-y"))
	case errors.Is(err, provision.ErrDenied) && s.Next != nil:
		return cli.Hint(named(accessDenied+": a rotation of its password was stopped"), "%s goes on with it", cli.To("sp tenant rotate-credentials", id, "-y"))
	case errors.Is(err, provision.ErrDenied) && hasNoPassword(s.Tenant):
		return cli.Hint(named(accessDenied), "%s takes a URL with the password; or put it into a password file that only you can read (~/.pgpass, mode 0600)",
			cli.To("sp tenant edit", id, urlFlag(s.Tenant)))
	case errors.Is(err, provision.ErrDenied) && s.Tenant.IsCloud():
		return cli.Hint(named(accessDenied), "%s fetches the current credentials, if somebody else changed them; %s makes new ones",
			cli.To("sp tenant provision", id), cli.To("sp tenant rotate-credentials", id))
	case errors.Is(err, provision.ErrDenied):
		return cli.Hint(named(accessDenied), "%s, or %s", cli.To("sp tenant rotate-credentials", id), cli.To("sp tenant edit", id, "--database-url-stdin"))
	case errors.Is(err, provision.ErrMismatch):
		return cli.Hint(named(connectionFailed), "see where its URL leads: %s", cli.To("sp tenant show", id))
	case errors.Is(err, provision.ErrFull) && s.Server != nil && s.Server.IsOwn():
		return cli.Hint(named(connectionFailed), "a session has taken all that the server has; %s ends them all", cli.To("sp db restart"))
	case errors.Is(err, provision.ErrCrowded), errors.Is(err, provision.ErrNoDisk), errors.Is(err, hosting.ErrNoRoom):
		return named(connectionFailed)
	case isDumb(s.Server, err):
		return cli.HintAt(named(connectionFailed), dumbHint())
	case s.Server != nil && s.Server.IsOwn():
		return cli.Hint(named(connectionFailed), "%s starts PostgreSQL", cli.To("sp db up"))
	case s.Tenant.IsLocal():
		return cli.Hint(named(connectionFailed), "see that its PostgreSQL runs, and that the address is right: %s", cli.To("sp tenant show", id))
	}
	return cli.Hint(named(connectionFailed), "see that you are where its address is known: %s", cli.To("sp tenant show", id))
}

// hasNoPassword tells whether a tenant's URL has no password that a rotation could change.
func hasNoPassword(tenant registry.Tenant) bool {
	url := tenant.OwnURL()
	if url == nil {
		return false
	}
	password, err := pgurl.PasswordOf(*url)
	return err == nil && password.Empty()
}

// urlFlag is the flag that gives a tenant another URL.
func urlFlag(tenant registry.Tenant) string {
	if tenant.IsCloud() {
		return "--internal-database-url-stdin"
	}
	return "--database-url-stdin"
}

// CheckAdopted logs in to a database that is about to be adopted. If the database refuses the
// login, so does sp. If nobody answers, sp only warns, because the server may start later.
func (t *Task) CheckAdopted(ctx context.Context, url secret.Secret) error {
	if t.Offline() != nil {
		return nil
	}
	owner, err := t.Machine(project.Dir{}, nil).CheckAdopted(ctx, url)
	switch {
	case owner != "":
		t.Note("its database was made for tenant %s, and goes with that one", cli.Harmless(owner))
	case errors.Is(err, provision.ErrDenied):
		return cli.Hint(fmt.Errorf("tenant create: %s: %w", accessDenied, err), "nothing was stored; --no-check stores it all the same")
	case errors.Is(err, provision.ErrMismatch):
		return cli.Hint(fmt.Errorf("tenant create: %s: %w", connectionFailed, err), "nothing was stored; --no-check stores it all the same")
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		t.Note("warning: %s: %v; %s tries again", connectionFailed, err, cli.To("sp tenant check"))
	}
	return nil
}

// WarnOfToken prints the documents' warning about a cloud tenant without a sync token.
func (t *Task) WarnOfToken(id registry.TenantID) {
	t.Note("warning: Sync token missing for cloud tenant %s", id)
}

// TokenHint says how a cloud tenant comes by its sync token. There is one: a new one ends a colleague's.
func TokenHint(id registry.TenantID) cli.Advice {
	return cli.Advise("if a colleague has it: %s; %s makes a new one, which ends theirs",
		cli.To("sp tenant edit", string(id), "--sync-token-stdin"), cli.To("sp tenant rotate-sync-token", string(id)))
}
