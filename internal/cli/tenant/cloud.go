package tenant

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// What a control plane is asked for that it must not do twice has a key, which is recorded before it is
// asked and goes with the change that stores the answer. So whatever is cut off, the same command goes
// on with it.

// beginnings are what people call the kinds of call.
var beginnings = map[registry.CloudCallKind]string{
	registry.CreateCall: "creation", registry.RotateCall: "rotation", registry.TokenCall: "rotation of the sync token",
}

// beginCall records that a control plane is about to be asked, or returns what was begun and not ended.
// One of long ago is given up: what it made, a sync brings. It looks at tenants.json as the change will
// that stores the answer: what stops that one has to stop this one, before anything is made.
func beginCall(ctx context.Context, t *task.Task, k registry.CloudCall) (begun registry.CloudCall, resumed bool, err error) {
	if k.Key, err = newKey(t.Random); err != nil {
		return begun, false, err
	}
	err = t.Change(ctx, t.Tenants(func(ctx context.Context, reg *registry.Registry) error {
		begun, err = reg.BeginCloudCall(ctx, k)
		if err == nil && begun.Key != k.Key && begun.IsOver(t.Now()) {
			if err = reg.EndCloudCall(ctx, begun.Key); err == nil {
				begun, err = reg.BeginCloudCall(ctx, k)
			}
		}
		return err
	}))
	resumed = begun.Key != k.Key
	if err == nil && resumed {
		t.Note("going on with the %s that began at %s", beginnings[k.Kind], task.Clock(begun.MadeAt))
	}
	return begun, resumed, err
}

// newKey is 24 random bytes.
func newKey(random io.Reader) (string, error) {
	var b [24]byte
	_, err := io.ReadFull(random, b[:])
	return base64.RawURLEncoding.EncodeToString(b[:]), err
}

// unlessRefused ends a call that the control plane refused for good, and returns its error. Any other
// failure leaves it, for the same command to go on with; of one whose token was refused there is nothing to
// go on with, unless it may have been heard before.
func unlessRefused(ctx context.Context, t *task.Task, key string, resumed bool, err error) error {
	var refused *cloud.Error
	if err == nil || !errors.As(err, &refused) || refused.Status < 400 || refused.Status >= 500 || isPassing(refused) ||
		refused.Status == http.StatusUnauthorized && (resumed || refused.Repeated) {
		return err
	}
	return endCall(ctx, t, key, err)
}

// endCall forgets a call that came to nothing, and returns the error that says why.
func endCall(ctx context.Context, t *task.Task, key string, why error) error {
	ended := t.Change(context.WithoutCancel(ctx), t.Others(func(ctx context.Context, reg *registry.Registry) error {
		return reg.EndCloudCall(ctx, key)
	}))
	return errors.Join(why, ended)
}

// isPassing tells of an answer whether it may be another one later. Of the conflicts, that is the one
// with the same request, which is still under way.
func isPassing(refused *cloud.Error) bool {
	switch refused.Status {
	case http.StatusConflict:
		return refused.Code == "busy"
	case http.StatusRequestTimeout, http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return false
}

// accountAt is who asks a control plane, by email. Of a login that is known; of a token of SP_TOKEN the
// control plane says it.
func accountAt(ctx context.Context, client *cloud.Client) (string, error) {
	if client.Account != "" {
		return client.Account, nil
	}
	me, _, err := client.Me(ctx, "")
	return me.User.Email, err
}

// adviseEnded names the command that helps, and says what it does, where the registry forgot a call before
// its result was stored.
func adviseEnded(err error, next cli.Next, does string) error {
	if !errors.Is(err, registry.ErrForgotten) {
		return err
	}
	return cli.Hint(err, "%s shows whether the tenant is there; if it is, %s %s", cli.To("sp tenant list"), next, does)
}

// keep makes the change that stores what a control plane gave. Nobody else has that: where the files
// can't follow, the registry keeps it without them.
func keep(ctx context.Context, t *task.Task, commit func(context.Context, *registry.Registry) error) error {
	ctx = context.WithoutCancel(ctx)
	err := t.Change(ctx, t.Tenants(commit))
	switch {
	case task.Made(err), errors.Is(err, registry.ErrForgotten):
		return err
	case !t.Defers() && t.Change(ctx, workspace.Change{Defer: true, Commit: commit}) == nil:
		return task.Afterwards(err)
	}
	return fmt.Errorf("%w: %w", task.ErrUnstored, err)
}

// clientFor returns the client of the control plane that a cloud tenant is from. Of one that came with a
// file nobody knows which that is: then the one of the login is asked whether it has the tenant.
func clientFor(ctx context.Context, t *task.Task, tenant registry.Tenant) (*cloud.Client, string, error) {
	client, origin, err := t.Cloud(ctx)
	if err != nil {
		return nil, "", err
	}
	from, err := originOf(ctx, t, tenant.ID)
	if err == nil && from != nil && *from != origin {
		err = cli.Hint(fmt.Errorf("tenant %s is from %s, and you are logged in to %s: %w", tenant, *from, origin, cloud.ErrNotLoggedIn), "%s", cli.To("sp login", *from))
	}
	if err == nil && from == nil {
		err = task.CheckIsThere(ctx, client, tenant)
	}
	return client, origin, err
}

// originOf is the control plane that a tenant is from, nil if that is not known.
func originOf(ctx context.Context, t *task.Task, id registry.TenantID) (from *string, err error) {
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		from, err = view.CloudOrigin(ctx, id)
		return err
	})
	return from, err
}

// cloudTenantOf is a tenant as the registry takes it from a control plane.
func cloudTenantOf(client *cloud.Client, c cloud.Tenant) registry.CloudTenant {
	return registry.CloudTenant{
		Account: client.Account, ID: registry.TenantID(c.ID), Name: c.Name, AppID: c.AppID, Hostname: c.Hostname, Region: c.Region, External: c.ExternalDBAccess,
	}
}

// readTenant reads the tenant with that id.
func readTenant(ctx context.Context, t *task.Task, id registry.TenantID) (tenant registry.Tenant, err error) {
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		tenant, err = view.Tenant(ctx, id)
		return err
	})
	return tenant, err
}
