package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// DatabaseState is how far a database that sp makes has come.
type DatabaseState string

// The states of a database: begun, whole, and about to go.
const (
	Provisioning DatabaseState = "provisioning"
	Ready        DatabaseState = "ready"
	Dropping     DatabaseState = "dropping"
)

// DatabaseLogin is one of the two roles that log in to a database that sp made; there are
// two so that credentials can be rotated without a gap.
type DatabaseLogin string

// The logins of a database.
const (
	LoginA DatabaseLogin = "a"
	LoginB DatabaseLogin = "b"
)

// Other returns the one of the two that l is not.
func (l DatabaseLogin) Other() DatabaseLogin {
	if l == LoginA {
		return LoginB
	}
	return LoginA
}

// Database is a database that sp made for a tenant or is about to make. It is remembered
// until it is dropped, even where its tenant is no more.
type Database struct {
	Tenant TenantID
	State  DatabaseState
	Server string
	Name   string
	// Login is the one that the tenant's URL names; the other one ends at RetireAt, and
	// has ended where that is nil.
	Login    DatabaseLogin
	RetireAt *time.Time
}

// Database returns the database that sp makes or made for a tenant, nil if there is none.
func (v *View) Database(ctx context.Context, tenant TenantID) (*Database, error) {
	if v.copied {
		return nil, nil
	}
	row, err := v.q.Database(ctx, string(tenant))
	if there, err := isThere(err); !there {
		return nil, err
	}
	d := databaseOf(row)
	return &d, nil
}

// Databases returns all databases that sp makes or made, in order of their tenants' ids.
func (v *View) Databases(ctx context.Context) ([]Database, error) {
	if v.copied { // they are the original's
		return nil, nil
	}
	rows, err := v.q.Databases(ctx)
	var databases []Database
	for _, row := range rows {
		databases = append(databases, databaseOf(row))
	}
	return databases, err
}

// DueDatabases returns those with which something is left to be done: they are begun or about to go, or
// the time of their other login is over.
func (v *View) DueDatabases(ctx context.Context, now time.Time) (due []Database, err error) {
	if v.copied {
		return nil, nil
	}
	rows, err := v.q.DueDatabases(ctx)
	for _, row := range rows {
		if d := databaseOf(row); d.State != Ready || d.RetireAt != nil && !d.RetireAt.After(now) {
			due = append(due, d)
		}
	}
	return due, err
}

// IsGone tells whether a tenant is not there any more.
func (v *View) IsGone(ctx context.Context, id TenantID) (bool, error) {
	_, err := v.Tenant(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return true, nil
	}
	return false, err
}

func databaseOf(row queries.Database) Database {
	d := Database{
		Tenant: TenantID(row.TenantID), State: DatabaseState(row.State), Server: row.Server, Name: row.Name, Login: DatabaseLogin(row.Login),
	}
	if row.RetireAt != nil {
		at := time.UnixMicro(*row.RetireAt).UTC()
		d.RetireAt = &at
	}
	return d
}

func (c *change) putDatabase(ctx context.Context, d Database) error {
	params := queries.PutDatabaseParams{
		TenantID: string(d.Tenant), State: string(d.State), Server: d.Server, Name: d.Name, Login: string(d.Login),
	}
	if d.RetireAt != nil {
		at := d.RetireAt.UnixMicro()
		params.RetireAt = &at
	}
	return c.q.PutDatabase(ctx, params)
}

// PlanDatabase remembers, before any of it is made, the database that a tenant is to
// have. A tenant that has one already, or a URL of another, is refused.
func (r *Registry) PlanDatabase(ctx context.Context, tenant TenantID, p PlannedDatabase) error {
	return r.write(ctx, func(c *change) error {
		t, err := c.Tenant(ctx, tenant)
		if err != nil {
			return err
		}
		return c.planDatabase(ctx, t, p)
	})
}

// PlannedDatabase is where a new tenant's database is to be made, and its name. A server
// that is not known yet is from then on.
type PlannedDatabase struct {
	Server Server
	Name   string
}

func (c *change) planDatabase(ctx context.Context, t Tenant, p PlannedDatabase) error {
	known, err := c.Database(ctx, t.ID)
	switch {
	case err != nil:
		return err
	case t.IsCloud():
		return fmt.Errorf("tenant %s: the database of a cloud tenant is not made here: %w", t, ErrInvalid)
	case known != nil:
		return fmt.Errorf("tenant %s: database %s: %w", t, known.Name, ErrExists)
	case t.HasDatabaseURL():
		return fmt.Errorf("tenant %s: its database: %w", t, ErrExists)
	}
	server, err := c.Server(ctx, p.Server.Name)
	if err == nil && server == nil {
		err = c.putServer(ctx, p.Server)
	}
	return errors.Join(err, c.putDatabase(ctx, Database{Tenant: t.ID, State: Provisioning, Server: p.Server.Name, Name: p.Name, Login: LoginA}))
}

// RetiredLogin remembers that the other login of a tenant's database has ended.
func (r *Registry) RetiredLogin(ctx context.Context, tenant TenantID) error {
	return r.editDatabase(ctx, tenant, func(d *Database) { d.RetireAt = nil })
}

// DropDatabase remembers that a tenant's database is about to go.
func (r *Registry) DropDatabase(ctx context.Context, tenant TenantID) error {
	return r.editDatabase(ctx, tenant, func(d *Database) { d.State = Dropping })
}

func (r *Registry) editDatabase(ctx context.Context, tenant TenantID, fn func(*Database)) error {
	return r.write(ctx, func(c *change) error {
		d, err := c.Database(ctx, tenant)
		if err != nil || d == nil {
			return err
		}
		fn(d)
		return c.putDatabase(ctx, *d)
	})
}

// ForgetDatabase forgets a database that is gone, or that somebody else looks after from
// now on.
func (r *Registry) ForgetDatabase(ctx context.Context, tenant TenantID) error {
	return r.write(ctx, func(c *change) error { return c.forgetDatabase(ctx, tenant) })
}

func (c *change) forgetDatabase(ctx context.Context, tenant TenantID) error {
	return errors.Join(c.q.DeleteDatabase(ctx, string(tenant)), c.q.DeleteUnusedServers(ctx))
}

// Rotation returns the URL that a tenant is about to get, because the role of its
// database, which sp has not made, gets another password; nil if none is.
func (v *View) Rotation(ctx context.Context, tenant TenantID) (*secret.Secret, error) {
	url, err := v.q.Rotation(ctx, string(tenant))
	if there, err := isThere(err); !there {
		return nil, err
	}
	return secret.Optional(&url), nil
}

// Rotations returns the tenants of which a rotation has been begun and not ended, in order
// of their ids.
func (v *View) Rotations(ctx context.Context) (tenants []TenantID, err error) {
	ids, err := v.q.Rotations(ctx)
	for _, id := range ids {
		tenants = append(tenants, TenantID(id))
	}
	return tenants, err
}

// PlanRotation remembers, before a password is changed, the URLs that tenants will have
// then. It is refused where that has been begun and not ended.
func (r *Registry) PlanRotation(ctx context.Context, urls map[TenantID]secret.Secret) error {
	return r.write(ctx, func(c *change) error {
		for tenant, url := range urls {
			if err := pgurl.Check(url); err != nil {
				return err
			}
			begun, err := c.Rotation(ctx, tenant)
			if err == nil && begun != nil {
				err = fmt.Errorf("tenant %s: a rotation of its password: %w", tenant, ErrExists)
			}
			if err != nil {
				return err
			}
			if err := c.q.PutRotation(ctx, queries.PutRotationParams{TenantID: string(tenant), DatabaseURL: url.Reveal()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// EndRotation gives tenants the URLs that were planned for them if the server took the
// password, and else drops the plan. The URLs that they had are revoked.
func (r *Registry) EndRotation(ctx context.Context, tenants []TenantID, took bool) error {
	return r.write(ctx, func(c *change) error {
		for _, tenant := range tenants {
			url, err := c.Rotation(ctx, tenant)
			if err == nil && url == nil {
				err = fmt.Errorf("tenant %s: a rotation of its password: another command has ended it: %w", tenant, ErrConflict)
			}
			if err == nil {
				err = c.q.DeleteRotation(ctx, string(tenant))
			}
			if err == nil && took {
				_, err = c.publishURL(ctx, tenant, *url, nil)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// movePlan keeps the password that was planned for the role of a tenant which gets another
// URL: the server may have it already, and then nobody else knows it. It goes where another
// role logs in, or the URL has it.
func (c *change) movePlan(ctx context.Context, t Tenant) error {
	next, err := c.Rotation(ctx, t.ID)
	if err != nil || next == nil {
		return err
	}
	planned, _ := pgurl.Parse(*next) // nobody logs in with what can't be read
	var own pgurl.URL
	if t.DatabaseURL != nil {
		own, _ = pgurl.Parse(*t.DatabaseURL)
	}
	if own.User() == "" || own.User() != planned.User() {
		return c.q.DeleteRotation(ctx, string(t.ID))
	}
	moved, err := pgurl.WithPassword(*t.DatabaseURL, planned.Secrets()["password"])
	if err != nil {
		return err
	}
	if moved.Equal(*t.DatabaseURL) {
		return c.q.DeleteRotation(ctx, string(t.ID))
	}
	return c.q.PutRotation(ctx, queries.PutRotationParams{TenantID: string(t.ID), DatabaseURL: moved.Reveal()})
}
