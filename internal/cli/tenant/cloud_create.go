package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// ofLocal are the flags that say where the database of a local tenant is.
var ofLocal = []string{
	"id", "shared-container-db", "no-database", "no-check", "database-url", "database-url-stdin", "database-url-file",
	"provider", "server", "server-stdin", "server-file", extensionFlag, createdbFlag,
}

// createCloud has a control plane make a tenant, waits until it is ready, and stores it with its
// credentials: none is here without them.
func createCloud(ctx context.Context, t *task.Task) (cli.Answer, error) {
	asked, err := cloudAsked(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	client, origin, err := t.Cloud(ctx)
	if err == nil && asked.Region == "" {
		asked.Region, err = onlyRegion(ctx, t, client)
	}
	if err == nil {
		err = t.MakeRegistry(ctx, t.Existing())
	}
	if err != nil {
		return cli.Answer{}, err
	}
	asked.Origin = origin
	if asked.Account, err = accountAt(ctx, client); err != nil {
		return cli.Answer{}, err
	}
	var made record
	err = inTurnOfNew(ctx, t, asked.Name, func(ctx context.Context, waited bool) (err error) {
		made, err = createAt(ctx, t, client, asked, waited)
		return err
	})
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	answer, problem := created(ctx, t, made, nil)
	return answer, cmp.Or(err, problem)
}

// cloudAsked is the tenant that the flags ask for.
func cloudAsked(ctx context.Context, t *task.Task) (k registry.CloudCall, err error) {
	for _, flag := range ofLocal {
		if t.Has(flag) && t.IsSet(flag) {
			return k, cli.Usage("tenant create: --%s is for a local tenant; the control plane makes a cloud tenant's database", flag)
		}
	}
	k = registry.CloudCall{Kind: registry.CreateCall, Name: t.String("name"), Region: t.String("region"), External: t.Bool("external-db-access")}
	k.AllowDuplicateName = t.Bool("allow-duplicate-name")
	if !t.IsSet("name") {
		k.Name, err = askName(ctx, t, k.AllowDuplicateName)
	}
	return k, err
}

// onlyRegion is the region of a control plane that has one alone.
func onlyRegion(ctx context.Context, t *task.Task, client *cloud.Client) (string, error) {
	regions, err := client.Regions(ctx)
	if err != nil {
		return "", err
	}
	if len(regions) == 1 {
		t.Note("in region %s, the only one at %s", regions[0].Code, client.Host())
		return regions[0].Code, nil
	}
	if len(regions) == 0 {
		return "", cli.Hint(fmt.Errorf("%s has no region yet, and a tenant is made in one: %w", client.Host(), cloud.ErrUnavailable), "ask whoever runs it to add one with spd region add")
	}
	return "", cli.Hint(cli.Usage("tenant create: %s has several regions, and --region is missing", client.Host()), "--region with one of %s", listed(regions))
}

func listed(regions []cloud.Region) string {
	codes := make([]string, len(regions))
	for i, r := range regions {
		codes[i] = r.Code
	}
	return strings.Join(codes, ", ")
}

// createAt asks for a tenant, or goes on with what was begun.
func createAt(ctx context.Context, t *task.Task, client *cloud.Client, asked registry.CloudCall, waited bool) (made record, err error) {
	k, resumed, err := beginCall(ctx, t, asked)
	if waited && errors.Is(err, registry.ErrExists) {
		return madeMeanwhile(ctx, t, asked, err)
	}
	if err != nil {
		return made, err
	}
	t.Step("asking " + client.Host())
	asking, reached := cloud.Reach(ctx)
	given, err := client.Create(asking, k.Key, cloud.NewTenant{Name: k.Name, Region: k.Region, ExternalDBAccess: k.External}, resumed)
	if err != nil && !resumed && !reached() { // nobody knows of it
		return made, endCall(ctx, t, k.Key, err)
	}
	if errors.Is(err, cloud.ErrUnavailable) {
		t.Note("%s may be making tenant %s; run the same command again to go on", client.Host(), k.Name)
	}
	if err != nil {
		return made, adviseRegion(ctx, client, k.Region, unlessRefused(ctx, t, k.Key, resumed, adviseCloudTaken(err)))
	}
	id := registry.TenantID(given.ID)
	if k.Tenant == nil {
		if err := noteTenant(ctx, t, k.Key, id); err != nil {
			return made, err
		}
	}
	if resumed && t.IsSet("external-db-access") && given.ExternalDBAccess != asked.External {
		if given.ExternalDBAccess, err = client.SetExternal(ctx, given.ID, asked.External); err != nil {
			return made, err
		}
	}
	err = inTurnOf(ctx, t, id, func(ctx context.Context) error {
		opened, err := waitFor(ctx, t, client, given)
		if err != nil {
			return err
		}
		token, err := client.RotateSyncToken(ctx, given.ID, k.Key+"-sync-token")
		if err != nil {
			return err
		}
		made, err = storeCreated(ctx, t, registry.CloudResult{
			Key: k.Key, Tenant: cloudTenantOf(client, given), InternalURL: &opened.InternalDatabaseURL, URL: realURL(opened.DatabaseURL), SyncToken: &token,
			Select: t.Bool("select"), SelectFirst: true,
		})
		return err
	})
	return made, err
}

// madeMeanwhile is the tenant that was asked for, where the command that had its turn first has made it.
// Otherwise the name is taken.
func madeMeanwhile(ctx context.Context, t *task.Task, asked registry.CloudCall, taken error) (made record, err error) {
	err = t.Change(ctx, t.Others(func(ctx context.Context, reg *registry.Registry) error {
		var found *registry.Tenant
		err := task.InView(ctx, reg, func(view *registry.View) (err error) {
			found, err = createdIn(ctx, view, asked)
			return err
		})
		if err == nil && found == nil {
			err = taken
		}
		if err == nil && t.Bool("select") {
			_, err = reg.SelectTenant(ctx, found.ID)
		}
		if err == nil {
			made, err = recordIn(ctx, reg, *found)
		}
		return err
	}))
	if task.Made(err) {
		t.Note("the other command has made it")
	}
	return made, err
}

// createdIn is the tenant that a creation which asked for the same has made, the newest if there are several;
// nil if there is none.
func createdIn(ctx context.Context, view *registry.View, asked registry.CloudCall) (made *registry.Tenant, err error) {
	const most = 100
	ids, err := view.TenantsNamed(ctx, asked.Name, most)
	for _, id := range ids {
		tenant, err := view.Tenant(ctx, id)
		if err != nil {
			return nil, err
		}
		from, err := view.CloudOrigin(ctx, id)
		if err != nil {
			return nil, err
		}
		if from != nil && *from == asked.Origin && tenant.ExternalDBAccess == asked.External && tenant.Region != nil && *tenant.Region == asked.Region {
			made = &tenant
		}
	}
	return made, err
}

// noteTenant records which tenant is being made. If that is one that is here, the call ends.
func noteTenant(ctx context.Context, t *task.Task, key string, id registry.TenantID) error {
	err := t.Change(ctx, t.Others(func(ctx context.Context, reg *registry.Registry) error { return reg.NoteCloudTenant(ctx, key, id) }))
	fetches := cli.To("sp tenant provision", string(id))
	if !errors.Is(err, registry.ErrExists) {
		return adviseEnded(err, fetches, "fetches its credentials")
	}
	err = cli.Hint(err, "if it is that one, %s fetches its credentials", fetches)
	return endCall(ctx, t, key, err)
}

// waitFor follows the making of a tenant until its database is there, and returns its credentials. One
// that failed before is begun again.
func waitFor(ctx context.Context, t *task.Task, client *cloud.Client, given cloud.Tenant) (opened cloud.Credentials, err error) {
	named := fmt.Sprintf("tenant %s (%s)", given.ID, given.Name)
	again := cli.To("sp tenant provision", given.ID)
	st, err := client.Status(ctx, given.ID)
	if err == nil && st.State == cloud.Failed {
		t.Note("%s: Provisioning failed: %s; trying again", named, st.Message)
		err = client.Retry(ctx, given.ID)
	}
	if err == nil && st.State != cloud.Ready {
		st, err = client.Events(ctx, given.ID, func(e cloud.Event) { t.Step(e.Message) })
	}
	switch {
	case err != nil && (ctx.Err() != nil || errors.Is(err, cloud.ErrUnavailable)):
		t.Note("%s is still being made; run the same command again to go on", named)
		return opened, err
	case err != nil:
		return opened, err
	case st.State == cloud.Failed:
		return opened, cli.Hint(fmt.Errorf("%s: Provisioning failed: %s: %w", named, st.Message, cloud.ErrUnavailable),
			"run the same command to try again; %s shows its status", cli.To("sp cloud status"))
	case st.State == cloud.Deleting:
		return opened, fmt.Errorf("%s: it is being deleted: %w", named, cloud.ErrConflict)
	}
	opened, err = client.Credentials(ctx, given.ID, st.SecretsURL)
	if err != nil {
		return opened, err
	}
	if opened.Refused != nil && given.ExternalDBAccess {
		t.Note("warning: %s: %v; tell whoever runs the control plane, then %s", named, opened.Refused, again)
	}
	if realURL(opened.InternalDatabaseURL) == nil {
		return opened, cli.Hint(fmt.Errorf("%s: %s gave its database URL without the password: %w", named, client.Host(), cloud.ErrDatabase), "%s asks again", again)
	}
	return opened, nil
}

// realURL is a URL that is no mask; nil otherwise.
func realURL(url secret.Secret) *secret.Secret {
	if url.Empty() || pgurl.IsMasked(url) {
		return nil
	}
	return &url
}

// storeCreated stores a tenant that was made.
func storeCreated(ctx context.Context, t *task.Task, result registry.CloudResult) (made record, err error) {
	err = keep(ctx, t, func(ctx context.Context, reg *registry.Registry) error {
		tenant, err := reg.StoreCloudTenant(ctx, result)
		if err == nil {
			made, err = recordIn(ctx, reg, tenant)
		}
		return err
	})
	return made, adviseEnded(err, cli.To("sp tenant provision", string(result.Tenant.ID)), "fetches its credentials")
}

// adviseRegion says which regions there are, where one is not.
func adviseRegion(ctx context.Context, client *cloud.Client, region string, err error) error {
	var refused *cloud.Error
	if !errors.As(err, &refused) || len(refused.Pointers) == 0 || refused.Pointers[0].Pointer != "/region" {
		return err
	}
	regions, unknown := client.Regions(ctx)
	if unknown != nil || len(regions) == 0 {
		return err
	}
	codes := make([]string, len(regions))
	for i, r := range regions {
		codes[i] = r.Code
	}
	if near := cli.Near(region, codes); len(near) > 0 {
		return cli.Hint(cli.WithCandidates(err, codes...), "did you mean --region %s?", strings.Join(near, ", or "))
	}
	return cli.Hint(cli.WithCandidates(err, codes...), "--region with one of %s", listed(regions))
}

// adviseCloudTaken adds what helps where another tenant has the name.
func adviseCloudTaken(err error) error {
	var refused *cloud.Error
	if errors.As(err, &refused) && refused.Code == "exists" {
		return cli.Hint(err, "take another --name; if you mean the tenant that is there, %s adds it", cli.To("sp tenant list"))
	}
	return err
}

// provisionCloud fetches the credentials of a cloud tenant, as of one that a colleague made, once its
// database is there.
func provisionCloud(ctx context.Context, t *task.Task, tenant registry.Tenant) (cli.Answer, error) {
	client, origin, err := clientFor(ctx, t, tenant)
	if err != nil {
		return cli.Answer{}, err
	}
	var fetched record
	bare, outside := false, false // it has no profile, it may be reached from outside
	kept := false                 // it keeps the URL that it had
	err = inTurnOf(ctx, t, tenant.ID, func(ctx context.Context) error {
		t.Step("asking " + client.Host())
		given, err := client.Tenant(ctx, string(tenant.ID))
		if err != nil {
			return adviseGone(ctx, t, tenant, err)
		}
		opened, err := waitFor(ctx, t, client, given)
		if err != nil {
			return err
		}
		now := cloudTenantOf(client, given)
		outside = now.External
		now.InternalURL, now.URL = &opened.InternalDatabaseURL, realURL(opened.DatabaseURL)
		return t.Change(context.WithoutCancel(ctx), t.Tenants(func(ctx context.Context, reg *registry.Registry) error {
			stored, err := reg.StoreCloudURLs(ctx, origin, now)
			if err == nil {
				fetched, err = recordIn(ctx, reg, stored)
			}
			if err == nil {
				kept = !stored.InternalDatabaseURL.Equal(opened.InternalDatabaseURL)
				bare, err = hasNoProfile(ctx, reg, stored.ID)
			}
			return err
		}))
	})
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	if kept {
		t.Note("tenant %s has credentials, and nothing here says that it is from %s: yours stays; if it is, %s takes it over, then %s fetches them",
			fetched.Tenant, client.Host(), cli.To("sp tenant list"), cli.To("sp tenant provision", string(fetched.Tenant.ID)))
	} else {
		t.Note("tenant %s has its credentials", fetched.Tenant)
	}
	tellExternal(t, fetched.Tenant, outside)
	if fetched.Tenant.IsSyncTokenMissing() {
		t.WarnOfToken(fetched.Tenant.ID)
	}
	switch id := string(fetched.Tenant.ID); {
	case !fetched.Selected:
		t.Note("next: %s", cli.To("sp tenant select", id))
	case bare:
		t.Note("next: %s", cli.To("sp profile create", "NAME"))
	}
	return cli.Answer{Value: fetched}, err
}
