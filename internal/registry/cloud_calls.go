package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// CloudCallKind is what a control plane is asked for.
type CloudCallKind string

// The kinds of call: a tenant, new credentials of its database, and a new sync token.
const (
	CreateCall CloudCallKind = "create"
	RotateCall CloudCallKind = "rotate"
	TokenCall  CloudCallKind = "token"
)

// CloudCall is a request to a control plane whose result is not stored yet. It is remembered
// before it is sent, so that whoever comes after a crash asks again with the same key, and the
// control plane does the same once.
type CloudCall struct {
	// Key is the idempotency key, Origin the URL of the control plane, Account who asks there: nobody
	// else's key is the same. Account is empty where that is not known.
	Key             string
	Kind            CloudCallKind
	Origin, Account string
	// Tenant is whose credentials are to be made; of a creation nil until NoteCloudTenant.
	Tenant *TenantID
	// Name, Region and External are what a creation asks for.
	Name, Region string
	External     bool
	MadeAt       time.Time
	// AllowDuplicateName lets a creation begin though a tenant here has that name. It is not kept.
	AllowDuplicateName bool
}

// callLife is how long a call's key is used again. A control plane knows it for a day.
const callLife = 20 * time.Hour

// IsOver tells of a call that is so old that its key is not used again. What it made, a sync brings.
func (k CloudCall) IsOver(now time.Time) bool { return now.Sub(k.MadeAt) > callLife }

// check refuses a call that could not be sent, or not be found again.
func (k CloudCall) check() error {
	err := errors.Join(checkText("idempotency key", k.Key), checkText("origin", k.Origin))
	switch {
	case err != nil:
		return err
	case k.Kind == CreateCall:
		return cmp.Or(checkLabel("tenant name", k.Name), checkLabel("region", k.Region))
	case k.Kind != RotateCall && k.Kind != TokenCall || k.Tenant == nil || *k.Tenant == "":
		return fmt.Errorf("call of kind %s: it needs a tenant: %w", k.Kind, ErrInvalid)
	}
	return nil
}

// isSame tells whether two calls are about the same: then the second is not made.
func (k CloudCall) isSame(o CloudCall) bool {
	switch {
	case k.Kind != o.Kind || k.Origin != o.Origin || k.Account != o.Account:
		return false
	case k.Kind == CreateCall:
		return k.Name == o.Name && k.Region == o.Region
	}
	return *k.Tenant == *o.Tenant
}

// creates tells whether it is the creation of a tenant that a control plane has. One whose answer
// was lost is known by what it asked for.
func (k CloudCall) creates(origin string, t CloudTenant, now time.Time) bool {
	switch {
	case k.Kind != CreateCall || k.Origin != origin || k.IsOver(now):
		return false
	case k.Tenant != nil:
		return *k.Tenant == t.ID
	}
	return k.Account == t.Account && k.Name == t.Name && t.Region != nil && k.Region == *t.Region
}

// CloudCalls returns the calls that are under way, in the order in which they were made.
func (v *View) CloudCalls(ctx context.Context) ([]CloudCall, error) {
	rows, err := v.q.CloudCalls(ctx)
	var calls []CloudCall
	for _, row := range rows {
		call, err := cloudCallOf(row)
		if err != nil {
			return nil, err
		}
		calls = append(calls, call)
	}
	slices.SortStableFunc(calls, func(a, b CloudCall) int { return a.MadeAt.Compare(b.MadeAt) }) // they come by key
	return calls, err
}

func cloudCallOf(row queries.CloudCall) (CloudCall, error) {
	k := CloudCall{
		Key: row.Key, Kind: CloudCallKind(row.Kind), Origin: row.Origin, Account: row.Account, Tenant: (*TenantID)(row.TenantID),
		Name: row.Name, Region: row.Region, External: row.ExternalDBAccess, MadeAt: time.UnixMicro(row.MadeAt).UTC(),
	}
	if err := k.check(); err != nil || k.Tenant != nil && !utf8.ValidString(string(*k.Tenant)) {
		return k, fmt.Errorf("a call of the cloud that is under way: %w: row does not make sense", db.ErrDamaged)
	}
	return k, nil
}

// BeginCloudCall remembers a call that is about to be made, and returns it. If the same is
// under way already for that account, it returns that instead: a creation of that name in that region,
// or a call of that kind for that tenant. A creation whose name is taken here is refused now: once the
// control plane has made the tenant, it is stored under whatever name it has.
func (r *Registry) BeginCloudCall(ctx context.Context, k CloudCall) (begun CloudCall, err error) {
	if err := k.check(); err != nil {
		return begun, err
	}
	err = r.write(ctx, func(c *change) error {
		calls, err := c.CloudCalls(ctx)
		if err := cmp.Or(err, c.checkCloud(ctx, k)); err != nil {
			return err
		}
		for _, other := range calls {
			if begun = other; other.isSame(k) {
				return nil
			}
			if other.Key == k.Key {
				return fmt.Errorf("a call with this idempotency key: %w", ErrExists)
			}
		}
		if k.Kind == CreateCall {
			if err := c.checkName(ctx, Tenant{Name: k.Name}, k.AllowDuplicateName); err != nil {
				return err
			}
		}
		begun = k
		begun.MadeAt = c.now.Truncate(time.Microsecond) // as it is stored
		return c.insertCall(ctx, begun)
	})
	return begun, err
}

// checkCloud refuses new credentials for a local tenant. One that is not here may be on its way.
func (c *change) checkCloud(ctx context.Context, k CloudCall) error {
	if k.Kind == CreateCall {
		return nil
	}
	t, err := c.Tenant(ctx, *k.Tenant)
	if err == nil && t.IsLocal() {
		return fmt.Errorf("tenant %s: the credentials of a local tenant are not made by a control plane: %w", t, ErrInvalid)
	}
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return err
}

func (c *change) insertCall(ctx context.Context, k CloudCall) error {
	return c.q.InsertCloudCall(ctx, queries.InsertCloudCallParams{
		Key: k.Key, Kind: string(k.Kind), Origin: k.Origin, Account: k.Account, TenantID: (*string)(k.Tenant),
		Name: k.Name, Region: k.Region, ExternalDBAccess: k.External, MadeAt: k.MadeAt.UnixMicro(),
	})
}

// keepCalls goes on knowing the calls that were begun since a backup: nobody else knows their
// keys, and the next command would make the same twice.
func (c *change) keepCalls(ctx context.Context, replaced *View) error {
	calls, err := replaced.CloudCalls(ctx)
	if err != nil {
		return nil // it is damaged, and whoever restores a backup knows
	}
	known, err := c.CloudCalls(ctx)
	if err != nil {
		return err
	}
	for _, k := range calls {
		if slices.ContainsFunc(known, func(o CloudCall) bool { return o.Key == k.Key }) {
			continue
		}
		if err := c.insertCall(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// call returns a call that is under way.
func (c *change) call(ctx context.Context, key string, kinds ...CloudCallKind) (CloudCall, error) {
	calls, err := c.CloudCalls(ctx)
	for _, k := range calls {
		if k.Key == key && slices.Contains(kinds, k.Kind) {
			return k, nil
		}
	}
	return CloudCall{}, cmp.Or(err, fmt.Errorf("the request to the control plane: the tenant was deleted, or the registry restored: %w: %w", ErrForgotten, ErrConflict))
}

// NoteCloudTenant remembers which tenant a creation makes. One that is here before is none that it makes.
func (r *Registry) NoteCloudTenant(ctx context.Context, key string, id TenantID) error {
	if err := checkID(id); err != nil {
		return err
	}
	return r.write(ctx, func(c *change) error {
		k, err := c.call(ctx, key, CreateCall)
		if err == nil {
			err = k.checkTenant(id)
		}
		if err == nil && k.Tenant == nil {
			err = c.checkNew(ctx, id)
		}
		if err != nil {
			return err
		}
		return c.q.SetCloudCallTenant(ctx, queries.SetCloudCallTenantParams{Key: key, TenantID: string(id)})
	})
}

// checkNew refuses the id of a tenant that is here. A control plane that gives it would get at the tenant
// of another one.
func (c *change) checkNew(ctx context.Context, id TenantID) error {
	t, err := c.Tenant(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return c.checkWord(ctx, id)
	case err != nil:
		return err
	}
	return fmt.Errorf("tenant %s %w, and the control plane gave its id to a new one", t, ErrExists)
}

// checkWord refuses the id of a new tenant that means another one today.
func (c *change) checkWord(ctx context.Context, id TenantID) error {
	_, from, err := c.takes(ctx, string(id))
	if err == nil && from != nil {
		err = fmt.Errorf("%s %w: it means tenant %s, whose id begins so", shown(string(id)), ErrExists, *from)
	}
	return err
}

// checkTenant refuses another tenant than the one that the creation is known to make.
func (k CloudCall) checkTenant(id TenantID) error {
	if k.Tenant != nil && *k.Tenant != id {
		return fmt.Errorf("tenant %s: the control plane said that it makes %s: %w", shown(string(id)), shown(string(*k.Tenant)), ErrConflict)
	}
	return nil
}

// EndCloudCall forgets a call: it came to nothing, or its result is stored.
func (r *Registry) EndCloudCall(ctx context.Context, key string) error {
	return r.write(ctx, func(c *change) error { return c.q.DeleteCloudCall(ctx, key) })
}

// CloudResult is what a control plane answered to the call with that key, in the end: the
// credentials are real, and nil where it gave none.
type CloudResult struct {
	Key                         string
	Tenant                      CloudTenant // of a creation
	InternalURL, URL, SyncToken *secret.Secret
	// Of a creation, as NewTenant has them.
	Select, SelectFirst bool
}

// give gives a tenant the credentials; database_url only where the database can be reached from
// outside.
func (n CloudResult) give(to *Tenant) error {
	if n.InternalURL != nil {
		if err := checkReal(*to, "internal database URL", *n.InternalURL); err != nil {
			return err
		}
		to.InternalDatabaseURL = n.InternalURL
	}
	if n.URL != nil && to.ExternalDBAccess {
		if err := checkReal(*to, "database URL", *n.URL); err != nil {
			return err
		}
		to.DatabaseURL = n.URL
	}
	if n.SyncToken != nil {
		if err := checkText("sync token", n.SyncToken.Reveal()); err != nil {
			return err
		}
		to.SyncToken = n.SyncToken
	}
	return nil
}

func checkReal(t Tenant, what string, url secret.Secret) error {
	switch {
	case pgurl.IsMasked(url):
		return fmt.Errorf("tenant %s: the control plane gave a %s without its password: %w", t, what, ErrInvalid)
	case pgurl.Check(url) != nil:
		return fmt.Errorf("tenant %s: the control plane gave a %s that leads nowhere: %w", t, what, ErrInvalid)
	}
	return nil
}

// StoreCloudTenant stores what a creation made, with its credentials, and ends the call. A tenant
// that a file brought since NoteCloudTenant is updated as by a sync.
func (r *Registry) StoreCloudTenant(ctx context.Context, n CloudResult) (tenant Tenant, err error) {
	tenant = n.Tenant.record()
	if n.InternalURL == nil {
		return Tenant{}, fmt.Errorf("tenant %s: the control plane gave no internal database URL: %w", tenant, ErrInvalid)
	}
	if err := cmp.Or(checkWhole(tenant), n.give(&tenant)); err != nil {
		return Tenant{}, err
	}
	err = r.write(ctx, func(c *change) error {
		k, err := c.call(ctx, n.Key, CreateCall)
		if err == nil {
			err = k.checkTenant(tenant.ID)
		}
		if err != nil {
			return err
		}
		if k.Tenant == nil {
			if err := c.checkNew(ctx, tenant.ID); err != nil {
				return err
			}
		}
		if tenant, err = c.storeCreated(ctx, n, tenant, k); err != nil {
			return err
		}
		if err := errors.Join(c.putBase(ctx, k.Origin, n.Tenant), c.q.DeleteCloudCall(ctx, n.Key)); err != nil {
			return err
		}
		return c.selectNew(ctx, NewTenant{Select: n.Select, SelectFirst: n.SelectFirst}, tenant.ID)
	})
	return tenant, err
}

// storeCreated appends a tenant, or updates the one that is here, and returns it. One that was renamed since
// it was asked for, and would take a word from another tenant, has the name that it was asked for under.
func (c *change) storeCreated(ctx context.Context, n CloudResult, tenant Tenant, k CloudCall) (Tenant, error) {
	before, err := c.placedTenant(ctx, tenant.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		if tenant.Name != k.Name {
			_, from, err := c.takes(ctx, tenant.Name)
			if err != nil {
				return tenant, err
			}
			if from != nil {
				tenant.Name = k.Name
			}
		}
		return tenant, c.appendTenant(ctx, tenant)
	case err != nil:
		return tenant, err
	case before.IsLocal():
		return tenant, fmt.Errorf("tenant %s %w: a local tenant has this id", before, ErrExists)
	}
	if n, err = c.credentialsFor(ctx, before.Tenant, k.Origin, n); err != nil {
		return tenant, err
	}
	base, err := c.base(ctx, tenant.ID)
	if err != nil {
		return tenant, err
	}
	after, _ := mergeCloud(base, before.Tenant, tenant)
	if err := n.give(&after); err != nil || before.Equal(after) {
		return after, err
	}
	return after, c.updateTenant(ctx, before, after)
}

// StoreCloudCredentials stores what a rotation made, and ends the call. The values that it
// replaces are revoked: they are kept nowhere, and no undo brings them back.
func (r *Registry) StoreCloudCredentials(ctx context.Context, n CloudResult) (tenant Tenant, err error) {
	err = r.write(ctx, func(c *change) error {
		k, err := c.call(ctx, n.Key, RotateCall, TokenCall)
		if err != nil {
			return err
		}
		before, err := c.placedTenant(ctx, *k.Tenant)
		if err != nil {
			return err
		}
		if k.Kind == RotateCall && n.InternalURL == nil && n.URL == nil || k.Kind == TokenCall && n.SyncToken == nil {
			return fmt.Errorf("tenant %s: the control plane gave no new credentials: %w", before, ErrInvalid)
		}
		tenant = before.Tenant
		if err := cmp.Or(n.give(&tenant), c.q.DeleteCloudCall(ctx, n.Key)); err != nil || before.Equal(tenant) {
			return err
		}
		for _, member := range before.Differing(tenant) {
			if _, had := before.secrets()[member]; had {
				c.record.revoked = append(c.record.revoked, member)
			}
		}
		return c.updateTenant(ctx, before, tenant)
	})
	return tenant, err
}
