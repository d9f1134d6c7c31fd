package registry

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// NewTenant asks for a tenant; without an id it gets one of its own.
type NewTenant struct {
	Tenant             Tenant
	AllowDuplicateName bool
	// Database, if not nil, is where its database is to be made; it has no URL then.
	Database *PlannedDatabase
}

// Check tells whether the request can be granted, as far as it shows by itself.
func (n NewTenant) Check() error {
	if n.Tenant.ID != "" {
		if err := checkID(n.Tenant.ID); err != nil {
			return err
		}
	}
	if !n.Tenant.IsLocal() && !n.Tenant.IsCloud() {
		return fmt.Errorf("tenant type: neither local nor cloud: %w", ErrInvalid)
	}
	return checkTenant(n.Tenant)
}

// checkTenant holds the rules for a tenant that sp creates or changes.
func checkTenant(t Tenant) error {
	if err := checkLabel("tenant name", t.Name); err != nil {
		return err
	}
	for _, m := range Members {
		text, there := m.Reveal(&t)
		var err error
		switch {
		case !m.Optional || !there:
		case m.URL:
			err = pgurl.Check(secret.New(text))
		case text == "":
		case m.Secret:
			err = checkText(m.Title, text)
		default:
			err = checkLabel(m.Title, text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// CreateTenant puts a tenant behind the others and returns it.
func (r *Registry) CreateTenant(ctx context.Context, n NewTenant) (Tenant, error) {
	if err := n.Check(); err != nil {
		return Tenant{}, err
	}
	tenant := n.Tenant
	err := r.write(ctx, func(c *change) error {
		if err := c.checkName(ctx, tenant, n.AllowDuplicateName); err != nil {
			return err
		}
		if tenant.ID == "" {
			id, err := c.freeLocalID(ctx)
			if err != nil {
				return err
			}
			tenant.ID = id
		} else if err := c.checkFree(ctx, tenant.ID); err != nil {
			return err
		}
		if n.Database != nil {
			if err := c.planDatabase(ctx, tenant, *n.Database); err != nil {
				return err
			}
		}
		return c.appendTenant(ctx, tenant)
	})
	return tenant, err
}

func (c *change) hasTenant(ctx context.Context, id TenantID) (bool, error) {
	_, err := c.Tenant(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// checkFree refuses an id that a tenant has, also as its name: the word would be ambiguous.
func (c *change) checkFree(ctx context.Context, id TenantID) error {
	taken, err := c.hasTenant(ctx, id)
	if err == nil && taken {
		return fmt.Errorf("tenant %s: %w", id, ErrExists)
	}
	named, problem := c.tenantsNamed(ctx, string(id), 1)
	if err = errors.Join(err, problem); err == nil && len(named) > 0 {
		return fmt.Errorf("tenant id %s: it is the name of tenant %s: %w", id, named[0], ErrExists)
	}
	return err
}

// checkName refuses a name that is another tenant's id, for the word would be ambiguous,
// and one that another tenant has.
func (c *change) checkName(ctx context.Context, t Tenant, allowDuplicate bool) error {
	if id := TenantID(t.Name); id != t.ID {
		if taken, err := c.hasTenant(ctx, id); err != nil || taken {
			return errors.Join(err, fmt.Errorf("tenant name %q: it is the id of another tenant: %w", t.Name, ErrExists))
		}
	}
	if allowDuplicate {
		return nil
	}
	others, err := c.tenantsNamed(ctx, t.Name, 2)
	for _, other := range others {
		if other != t.ID {
			return fmt.Errorf("tenant name %q: %s has it: %w", t.Name, other, ErrExists)
		}
	}
	return err
}

// freeLocalID returns `local_` and the lower-case hex of the change's
// milliseconds, as the original makes its ids, one step on while taken.
func (c *change) freeLocalID(ctx context.Context) (TenantID, error) {
	for at := c.now; ; at = at.Add(time.Millisecond) {
		id := TenantID("local_" + strconv.FormatInt(at.UnixMilli(), 16))
		if err := c.checkFree(ctx, id); !errors.Is(err, ErrExists) {
			return id, err
		}
	}
}
