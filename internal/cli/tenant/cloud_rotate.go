package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/registry"
)

// longestGrace is what a control plane takes.
const longestGrace = 24 * time.Hour

// rotateCloud has a control plane give a tenant's database another login, and stores it before
// anything else can fail.
func rotateCloud(ctx context.Context, t *task.Task, tenant registry.Tenant) (cli.Answer, error) {
	grace, ends := t.Duration("grace"), "at once"
	if t.Bool("now") {
		grace = 0
	}
	if grace > 0 {
		ends = "in " + spoken(grace)
	}
	if grace%time.Second != 0 || grace > longestGrace {
		return cli.Answer{}, cli.Usage("--grace: a cloud tenant takes whole seconds, and at most %s", spoken(longestGrace))
	}
	client, _, err := clientFor(ctx, t, tenant)
	if err == nil {
		err = checkPublished(ctx, t, client, tenant)
	}
	if err == nil {
		err = t.Confirm(ctx, fmt.Sprintf("Rotate the database password of tenant %s at %s? The old one stops working %s.", tenant, client.Host(), ends))
	}
	if err != nil {
		return cli.Answer{}, err
	}
	var done cloud.Rotated
	answer, err := storeRotation(ctx, t, client, tenant, registry.RotateCall, func(ctx context.Context, key string) (result registry.CloudResult, err error) {
		t.Step("rotating the password at " + client.Host())
		done, err = client.RotateCredentials(ctx, string(tenant.ID), key, &grace)
		result.InternalURL, result.URL = realURL(done.InternalDatabaseURL), realURL(done.ExternalDatabaseURL)
		return result, adviseGone(ctx, t, tenant, err)
	})
	if !task.Made(err) {
		return answer, adviseNow(err, tenant, grace)
	}
	if done.InternalRefused == nil || tenant.ExternalDBAccess && realURL(done.ExternalDatabaseURL) != nil {
		t.Note("tenant %s has new credentials", tenant)
	}
	refused := refusedIn(tenant, done)
	switch {
	case grace > 0:
		t.Note("the old ones stop working in %s", spoken(grace))
		if done.Message != "" { // whose sessions end then
			t.Note("%s says: %s", client.Host(), done.Message)
		}
	case refused != nil:
		t.Note("the old ones no longer work")
	}
	return answer, cmp.Or(err, refused)
}

// adviseNow names the way to end the old password before the time until which it was promised.
func adviseNow(err error, tenant registry.Tenant, grace time.Duration) error {
	refused, told := errors.AsType[*cloud.Error](err)
	if !told || refused.Code != "conflict" || grace == 0 {
		return err
	}
	return cli.Hint(err, "%s ends the old password now, and gives another one", cli.To("sp tenant rotate-credentials", string(tenant.ID), "--now"))
}

// checkPublished refuses a rotation at a control plane whose database URLs are refused: the old password
// would end, and the new one could not be stored.
func checkPublished(ctx context.Context, t *task.Task, client *cloud.Client, tenant registry.Tenant) error {
	t.Step("asking " + client.Host())
	_, _, err := published(ctx, client, tenant.ID)
	if errors.Is(err, cloud.ErrDatabase) {
		return cli.Hint(fmt.Errorf("tenant %s: %w", tenant, err),
			"nothing was changed; tell whoever runs the control plane: the server of a region needs an address that other machines reach")
	}
	return adviseGone(ctx, t, tenant, err)
}

// refusedIn says which new URL of a rotation could not be stored, and where it is. The rotation was made.
func refusedIn(tenant registry.Tenant, done cloud.Rotated) error {
	why := done.InternalRefused
	if why == nil && tenant.ExternalDBAccess {
		why = done.ExternalRefused
	}
	if why == nil {
		return nil
	}
	return cli.Hint(task.Afterwards(fmt.Errorf("tenant %s: its password was changed, and %w", tenant, why)),
		"the control plane has the new password: once whoever runs it has mended the address of the region's server, %s fetches it", cli.To("sp tenant provision", string(tenant.ID)))
}

// rotateCloudToken has a control plane give a tenant another sync token.
func rotateCloudToken(ctx context.Context, t *task.Task, tenant registry.Tenant) (cli.Answer, error) {
	client, _, err := clientFor(ctx, t, tenant)
	if err == nil {
		err = t.Confirm(ctx, fmt.Sprintf("Rotate the sync token of tenant %s at %s? The old one stops working at once.", tenant, client.Host()))
	}
	if err != nil {
		return cli.Answer{}, err
	}
	answer, err := storeRotation(ctx, t, client, tenant, registry.TokenCall, func(ctx context.Context, key string) (result registry.CloudResult, err error) {
		t.Step("rotating the sync token at " + client.Host())
		token, err := client.RotateSyncToken(ctx, string(tenant.ID), key)
		result.SyncToken = &token
		return result, adviseGone(ctx, t, tenant, err)
	})
	if task.Made(err) {
		t.Note("tenant %s has a new sync token", tenant)
	}
	return answer, err
}

// storeRotation asks for new credentials under a key that is recorded first, and stores them.
func storeRotation(ctx context.Context, t *task.Task, client *cloud.Client, tenant registry.Tenant, kind registry.CloudCallKind,
	ask func(ctx context.Context, key string) (registry.CloudResult, error),
) (answer cli.Answer, err error) {
	account, err := accountAt(ctx, client)
	if err != nil {
		return answer, err
	}
	var shown record
	err = inTurnOf(ctx, t, tenant.ID, func(ctx context.Context) error {
		result, err := askUnderKey(ctx, t, registry.CloudCall{Kind: kind, Origin: client.Base, Account: account, Tenant: &tenant.ID}, ask)
		if err != nil {
			return err
		}
		return keep(ctx, t, func(ctx context.Context, reg *registry.Registry) error {
			stored, err := storeResult(ctx, reg, tenant, result)
			if err == nil {
				shown, err = recordIn(ctx, reg, stored)
			}
			return err
		})
	})
	if !task.Made(err) {
		return cli.Answer{}, adviseRotationEnded(err, kind, string(tenant.ID))
	}
	return cli.Answer{Value: shown}, err
}

func adviseRotationEnded(err error, kind registry.CloudCallKind, id string) error {
	if kind == registry.TokenCall {
		return adviseEnded(err, cli.To("sp tenant rotate-sync-token", id), "makes another one")
	}
	return adviseEnded(err, cli.To("sp tenant provision", id), "fetches the new credentials")
}

// storeResult stores what a control plane gave, and ends the call, also if all of that was refused.
func storeResult(ctx context.Context, reg *registry.Registry, tenant registry.Tenant, result registry.CloudResult) (registry.Tenant, error) {
	if result.InternalURL != nil || result.URL != nil || result.SyncToken != nil {
		return reg.StoreCloudCredentials(ctx, result)
	}
	return tenant, reg.EndCloudCall(ctx, result.Key)
}

// askUnderKey asks under a key that is recorded first. One that was begun with other words than now, as
// with another --grace, can't be gone on with: then it asks again, under a new key.
func askUnderKey(ctx context.Context, t *task.Task, call registry.CloudCall,
	ask func(ctx context.Context, key string) (registry.CloudResult, error),
) (result registry.CloudResult, _ error) {
	for tries := 1; ; tries++ {
		k, resumed, err := beginCall(ctx, t, call)
		if err != nil {
			return result, err
		}
		result, err = ask(ctx, k.Key)
		result.Key = k.Key
		err = unlessRefused(ctx, t, k.Key, resumed, err)
		if tries > 1 || !resumed || !isOtherBody(err) {
			return result, err
		}
	}
}

// isOtherBody tells of a refusal whether the key is known with another body.
func isOtherBody(err error) bool {
	var refused *cloud.Error
	return errors.As(err, &refused) && refused.Status == http.StatusUnprocessableEntity
}
