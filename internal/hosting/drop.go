package hosting

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// Dropped is a database that was dropped.
type Dropped struct {
	// Begun reports, together with an error, that the data may be gone already. With Whole they are
	// not, and Keep takes the drop back.
	Begun, Whole bool
	Warnings
}

// Drop drops a database that sp made, and its roles. Its row stays until the tenant is deleted or
// the database is forgotten. w may name the login for its server.
func (m *Machine) Drop(ctx context.Context, d registry.Database, w Wanted) (done Dropped, err error) {
	if err := m.drop(ctx, d, w, &done); err != nil {
		now, unread := m.database(ctx, d.Tenant)
		done.Begun = unread != nil || now == nil || now.State == registry.Dropping
		return done, err
	}
	return done, nil
}

// drop records first that a database is about to go, so that nobody publishes a login to it
// meanwhile.
func (m *Machine) drop(ctx context.Context, d registry.Database, w Wanted, done *Dropped) (err error) {
	s, err := m.server(ctx, d.Server)
	if err != nil {
		return err
	}
	defer func() { err = m.orFull(s, err) }()
	h, err := m.bringUpRoomy(ctx, w.Instead(s))
	if err != nil {
		return err
	}
	defer h.close()
	done.Pooled = h.pooled()
	ctx, cancel := context.WithTimeout(ctx, dropWithin)
	defer cancel()
	locked, err := m.lock(ctx, h, d.Tenant)
	if err != nil {
		return err
	}
	there, _, err := h.admin.Holds(ctx, h.database(*locked))
	if err == nil && !there && locked.State == registry.Ready {
		err = fmt.Errorf("nothing of it is on server %s, perhaps another server answers there: %w", h.Name, provision.ErrMismatch)
	}
	if err == nil {
		err = h.admin.MayDrop(ctx, h.database(*locked))
	}
	if err != nil {
		return err
	}
	err = m.changeOn(ctx, h, func(reg *registry.Registry) error { return reg.DropDatabase(ctx, d.Tenant) })
	if !made(err) {
		return err
	}
	if err := h.admin.Drop(ctx, h.database(*locked)); err != nil {
		_, done.Whole, _ = h.admin.Holds(ctx, h.database(*locked)) // what can't be seen may be gone
		return err
	}
	return nil
}

// Hit is what a drop of a database hits beside its tenant.
type Hit struct {
	Sharers []registry.Tenant // other tenants whose URL leads to it
	// Answered reports that its server did; else the rest is not known.
	Answered bool
	Uses     provision.Uses // who is in it
	Extras   []string       // the databases for tests that go with it
}

// HitBy looks what a drop of a database would hit. It starts no server: what is wrong with one, Drop says. w may
// name the login for it.
func (m *Machine) HitBy(ctx context.Context, d registry.Database, w Wanted) (hit Hit, err error) {
	s, err := m.server(ctx, d.Server)
	if err != nil {
		return hit, err
	}
	hit.Sharers, err = recorded(ctx, m, func(view *registry.View) ([]registry.Tenant, error) { return sharersOf(ctx, view, s, d) })
	if err != nil {
		return hit, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	admin, err := m.connect(ctx, w.Instead(s))
	if err != nil {
		return hit, nil
	}
	h := &host{s, admin}
	defer h.close()
	if hit.Uses, err = admin.Uses(ctx, h.database(d)); err == nil {
		hit.Extras, err = admin.FindExtras(ctx, h.database(d))
	}
	hit.Answered = err == nil
	return hit, err
}

// Tables counts the tables of a tenant's database, as its login sees them, and those of the databases for tests beside
// it that are there.
func (m *Machine) Tables(ctx context.Context, t registry.Tenant, d registry.Database) (tables, forTests int, err error) {
	s := Subject{Tenant: t}
	if err := cmp.Or(s.mustHaveURL(), m.Offline); err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	tables, err = provision.Tables(ctx, *s.url())
	for _, extra := range (provision.Database{Name: d.Name}).Extras() {
		url, unmade := pgurl.WithDatabase(*s.url(), extra.Name)
		if err != nil || unmade != nil {
			break
		}
		n, uncounted := provision.Tables(ctx, url)
		if uncounted == nil { // else it is not there
			forTests += n
		}
	}
	return tables, forTests, err
}
