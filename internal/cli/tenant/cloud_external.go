package tenant

import (
	"cmp"
	"context"
	"errors"
	"strconv"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// aboutExternal is what help says of it.
const aboutExternal = "--external-db-access, and =false, of a cloud tenant also changes it at its\n" +
	"control plane, if you are logged in there. The rest changes only here."

func offlineEdit() cli.Flag {
	return cli.Bool("offline", "change external_db_access of a cloud tenant only here")
}

// external is what the control plane of a cloud tenant says since it was asked to allow access to the
// database from outside, or to end that.
type external struct {
	origin string
	now    registry.CloudTenant
}

// askExternal asks the control plane of a cloud tenant whose external_db_access is to be changed, without a
// lock, and puts what it answers in place of what was asked for. It is nil where nobody was asked.
func askExternal(ctx context.Context, t *task.Task, wanted registry.TenantEdit) (*external, error) {
	if !t.IsSet("external-db-access") {
		return nil, nil
	}
	tenant, err := meant(ctx, t)
	if err != nil || tenant.IsLocal() {
		return nil, err
	}
	client, origin, err := ownPlane(ctx, t, tenant)
	if err != nil || client == nil {
		return nil, err
	}
	if err := rehearse(ctx, t, wanted); err != nil { // what would stop the storing stops this
		return nil, err
	}
	t.Step("asking " + client.Host())
	enabled, err := client.SetExternal(ctx, string(tenant.ID), t.Bool("external-db-access"))
	if err != nil {
		return nil, adviseGone(ctx, t, tenant, err)
	}
	given, err := client.Tenant(ctx, string(tenant.ID))
	if err != nil {
		return nil, err
	}
	asked := external{origin, cloudTenantOf(client, given)}
	asked.now.External = enabled
	wanted.Set["external_db_access"] = new(secret.New(strconv.FormatBool(enabled)))
	if enabled {
		fetchExternal(ctx, t, client, &asked.now)
	}
	return &asked, nil
}

var errRehearsed = errors.New("not meant to be made")

// rehearse returns the error that an edit would return, and changes nothing.
func rehearse(ctx context.Context, t *task.Task, wanted registry.TenantEdit) error {
	err := t.Change(ctx, t.Tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		if wanted.ID, err = findID(ctx, t, reg, *t.Arg(0)); err != nil {
			return err
		}
		_, _, err = reg.UpdateTenant(ctx, wanted)
		return cmp.Or(err, errRehearsed)
	}))
	if errors.Is(err, errRehearsed) {
		return nil
	}
	return err
}

// ownPlane is the control plane that a tenant is from; nil where it is not to be asked, or can't be, which
// it says.
func ownPlane(ctx context.Context, t *task.Task, tenant registry.Tenant) (*cloud.Client, string, error) {
	const here = "external_db_access of tenant %s changes only here"
	if t.Bool("offline") || t.Offline() != nil {
		t.Note(here+"; the control plane is not asked", tenant)
		return nil, "", nil
	}
	from, err := originOf(ctx, t, tenant.ID)
	if err != nil {
		return nil, "", err
	}
	if from == nil {
		t.Note(here+": nothing says which control plane it is from", tenant)
		return nil, "", nil
	}
	client, origin, err := clientFor(ctx, t, tenant)
	if errors.Is(err, cloud.ErrNotLoggedIn) {
		t.Note(here+": %s; to change it there too: %s, then the same command", tenant, t.FailureOf(err).Message, cli.To("sp login", *from))
		return nil, "", nil
	}
	return client, origin, err
}

// tellExternal says of a tenant that may be reached from outside, as far as is known here, that its control
// plane gives no URL for that.
func tellExternal(t *task.Task, tenant registry.Tenant, given bool) {
	if tenant.ExternalDBAccess && !given {
		t.Note("its control plane gives no URL from outside; %s asks for it", cli.To("sp tenant edit", string(tenant.ID), "--external-db-access"))
	}
}

// fetchExternal fetches the URL for connections from outside. Where it can't, the tenant has none yet.
func fetchExternal(ctx context.Context, t *task.Task, client *cloud.Client, now *registry.CloudTenant) {
	opened, ready, err := published(ctx, client, now.ID)
	if err != nil {
		t.Note("warning: no URL from outside: %s; %s fetches it", t.FailureOf(err).Message, cli.To("sp tenant provision", string(now.ID)))
		return
	}
	if ready {
		now.URL, now.InternalURL = realURL(opened.DatabaseURL), realURL(opened.InternalDatabaseURL)
	}
}

// published fetches the credentials of a tenant whose database is ready.
func published(ctx context.Context, client *cloud.Client, id registry.TenantID) (found cloud.Credentials, ready bool, err error) {
	st, err := client.Status(ctx, string(id))
	if err != nil || st.State != cloud.Ready {
		return found, false, err
	}
	found, err = client.Credentials(ctx, string(id), st.SecretsURL)
	return found, err == nil, err
}
