package hosting

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// A database that sp has not made has only one role, so the new URLs are recorded before it gets
// another password: a crash leaves the one that works known, whichever it is, and the next
// rotation goes on with it. A recorded password is given up only behind the server's own word
// on it, which a pooler's is not.

// Adopted is the role of a database that sp did not make.
type Adopted struct {
	Subject
	// Tenants are the tenants that log in as the role, whatever form their addresses have.
	Tenants []registry.TenantID
	// Perhaps are other tenants that may log in as it: their server could not be asked.
	Perhaps []registry.Tenant
	// Pooled reports that a connection pooler stands before the server, PooledElsewhere that one does at the
	// address of another of the tenants.
	Pooled, PooledElsewhere bool
	// Unreached says why a login as the role fails now.
	Unreached error

	from      secret.Secret       // a URL that opens
	elsewhere []registry.TenantID // tenants with another address, which opens
	admins    []registry.Server   // of which the role may be the administrator
}

// LookAtAdopted finds the role of a tenant whose password is to be changed, and the tenants that
// use it.
func (m *Machine) LookAtAdopted(ctx context.Context, t registry.Tenant) (a Adopted, err error) {
	if m.Offline != nil {
		return a, m.Offline
	}
	url := orEmpty(t.DatabaseURL)
	password, err := pgurl.PasswordOf(url)
	if err != nil {
		return a, &LoginError{Subject{Tenant: t}, err}
	}
	if password.Empty() {
		return a, fmt.Errorf("tenant %s: its URL holds no password that could be changed: %w", t, registry.ErrInvalid)
	}
	err = m.Read(ctx, func(view *registry.View) error {
		if a.Subject, err = SubjectOf(ctx, view, t); err != nil {
			return err
		}
		if err := a.findAdmins(ctx, view); err != nil {
			return err
		}
		return a.findTenants(ctx, view)
	})
	if err != nil {
		return a, err
	}
	if a.from, a.Pooled, a.Unreached = a.whichOpens(ctx); a.Unreached == nil {
		err = a.askOthers(ctx)
	}
	return a, err
}

// findAdmins refuses the role as which sp itself works on a server, and finds the servers on which it may be that.
func (a *Adopted) findAdmins(ctx context.Context, view *registry.View) error {
	servers, err := view.Servers(ctx)
	for _, s := range servers {
		switch pgurl.SameLogin(*a.Tenant.DatabaseURL, s.Admin) {
		case pgurl.Same:
			return a.sharedAdmin(s)
		case pgurl.Perhaps:
			a.admins = append(a.admins, s)
		}
	}
	return err
}

func (a *Adopted) sharedAdmin(s registry.Server) error {
	return marked{fmt.Errorf("tenant %s: its role is the one as which sp makes databases on server %s: %w", a.Tenant, s.Name, registry.ErrInUse), ErrSharedAdmin}
}

// whichOpens returns the URL of a tenant with which one can log in: its own, or the one of a
// rotation that was stopped. Behind a pooler both may, whatever the server thinks of them.
func (s Subject) whichOpens(ctx context.Context) (url secret.Secret, pooled bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	alone := Subject{Tenant: s.Tenant}
	answer, err := alone.ask(ctx, false)
	if err == nil {
		return *s.Tenant.DatabaseURL, answer.Pooled, nil
	}
	if s.Next == nil {
		return url, false, &LoginError{alone, err}
	}
	answer, refused := provision.Check(ctx, *s.Next)
	if refused == nil {
		return *s.Next, answer.Pooled, nil
	}
	return url, false, marked{fmt.Errorf("tenant %s: neither its password nor the one of a rotation that was stopped opens its database, and both stay recorded: %w", s.Tenant, refused), ErrBothRefused}
}

// rotation is one try to give the role another password.
type rotation struct {
	m            *Machine
	role         *provision.Role
	before, next secret.Secret // the URL of the tenant whose rotation it is
	ids          []registry.TenantID
	elsewhere    []registry.TenantID                 // of them, those with another address, which opened
	urls         map[registry.TenantID]secret.Secret // that are planned
	fresh        bool                                // it is the first try with next

	published bool
	settled   bool // one password is recorded, and the role has it
	unsure    bool // nobody knows which password the role has
}

// RotateAdopted gives the role a new password, and records it for all tenants that use the role.
func (m *Machine) RotateAdopted(ctx context.Context, a Adopted) (done Rotated, err error) {
	if a.Unreached != nil { // before anything hangs in the air
		return done, a.Unreached
	}
	m.Progress("changing the password")
	r, err := m.attempt(ctx, a, a.from)
	if r.unsure { // the answer was lost: the same password is set once more
		if s, unread := m.subject(ctx, a.Tenant.ID); unread == nil {
			s.Tenant = a.Tenant
			if from, _, unreached := s.whichOpens(ctx); unreached == nil {
				if again, problem := m.attempt(ctx, a, from); again.settled {
					r, err = again, problem
				}
			}
		}
	}
	if !r.published {
		if !r.settled && !r.next.Empty() {
			err = marked{err, ErrUnsettled}
		}
		return done, err
	}
	done.Published, done.Sharers = true, a.Perhaps
	for _, id := range r.ids {
		if id != a.Tenant.ID {
			done.Also = append(done.Also, id)
		}
	}
	return done, errors.Join(err, done.checkRefused(ctx, r.before, a.Pooled))
}

// attempt tries once. from is a URL that opens.
func (m *Machine) attempt(ctx context.Context, a Adopted, from secret.Secret) (rotation, error) {
	r := rotation{m: m, before: *a.Tenant.DatabaseURL, elsewhere: a.elsewhere}
	var err error
	if r.role, err = openRole(ctx, from); err != nil {
		return r, err
	}
	defer r.role.Close()
	if err := r.plan(ctx, a); !made(err) {
		return r, err
	}
	err = r.run(context.WithoutCancel(ctx)) // Ctrl-C must not leave open which password holds
	return r, err
}

func openRole(ctx context.Context, url secret.Secret) (*provision.Role, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return provision.OpenRole(ctx, url)
}

// plan records the URLs with a new password, unless a rotation that was stopped has done so.
// The role is locked: no other command is about to change it.
func (r *rotation) plan(ctx context.Context, a Adopted) error {
	password, err := provision.NewPassword(r.m.Random)
	if err != nil {
		return err
	}
	err = r.m.Change(ctx, func(reg *registry.Registry) error {
		view, err := reg.View(ctx)
		if err != nil {
			return err
		}
		defer view.Close()
		urls, err := r.planned(ctx, view, a, password)
		if err == nil && r.fresh {
			err = reg.PlanRotation(ctx, urls)
		}
		return err
	})
	if !made(err) {
		r.next = secret.Secret{}
	}
	return err
}

// planned is what tenants' URLs are to be: as it was planned before, or with a fresh password.
func (r *rotation) planned(ctx context.Context, view *registry.View, a Adopted, password secret.Secret) (urls map[registry.TenantID]secret.Secret, err error) {
	now, err := view.Tenant(ctx, a.Tenant.ID)
	if err == nil && !orEmpty(now.DatabaseURL).Equal(r.before) {
		err = fmt.Errorf("tenant %s: its credentials were rotated meanwhile: %w", a.Tenant, registry.ErrConflict)
	}
	if err != nil {
		return nil, err
	}
	begun, err := view.Rotation(ctx, a.Tenant.ID)
	if err != nil {
		return nil, err
	}
	urls, r.fresh, r.ids = map[registry.TenantID]secret.Secret{}, begun == nil, nil
	for _, id := range a.Tenants {
		url, err := r.nextOf(ctx, view, id, password)
		if err != nil {
			return nil, err
		}
		if url != nil {
			urls[id], r.ids = *url, append(r.ids, id)
		}
	}
	r.next, r.urls = urls[a.Tenant.ID], urls
	return urls, nil
}

// nextOf is the URL that is planned for a tenant or, in a fresh rotation, its own with another
// password.
func (r *rotation) nextOf(ctx context.Context, view *registry.View, id registry.TenantID, password secret.Secret) (*secret.Secret, error) {
	if !r.fresh {
		return view.Rotation(ctx, id)
	}
	t, err := view.Tenant(ctx, id)
	if err != nil {
		return nil, err
	}
	url, err := pgurl.WithPassword(orEmpty(t.DatabaseURL), password)
	return &url, err
}

// run leaves one password that holds, and is published. Where that can't be had, both stay
// recorded. A password is given up when the server has acknowledged the other one.
func (r *rotation) run(ctx context.Context) error {
	err := r.set(ctx, r.next)
	switch {
	case errors.Is(err, provision.ErrUnknown):
		r.unsure = true
		return err
	case err != nil && r.fresh: // the server refused, so nobody has ever had it
		return r.giveUp(ctx, err)
	case err != nil:
		return err
	}
	if err := r.opens(ctx); err != nil {
		return r.setBack(ctx, err)
	}
	err = r.end(ctx, true)
	switch {
	case made(err):
		r.published, r.settled = true, true
		return err
	case errors.Is(err, registry.ErrUnknown): // it may be published
		return err
	}
	if back := r.set(ctx, r.before); back != nil {
		return fmt.Errorf("%w: the new password holds and is not published: %w; the old one can't be set back: %w", registry.ErrIncomplete, err, back)
	}
	return err
}

// setBack gives the role the password that is published, in the session that is still open.
func (r *rotation) setBack(ctx context.Context, refused error) error {
	if back := r.set(ctx, r.before); back != nil {
		return fmt.Errorf("%w: the role has a new password that does not open the database: %w; the old one can't be set back: %w", registry.ErrIncomplete, refused, back)
	}
	return r.giveUp(ctx, fmt.Errorf("%w: %w", ErrSetBack, refused))
}

// giveUp forgets the new password, which the role does not have.
func (r *rotation) giveUp(ctx context.Context, why error) error {
	if err := r.end(ctx, false); !made(err) {
		return errors.Join(why, err)
	}
	r.settled = true
	return why
}

// end publishes what was planned, or forgets it.
func (r *rotation) end(ctx context.Context, changed bool) error {
	return r.m.Change(ctx, func(reg *registry.Registry) error { return reg.EndRotation(ctx, r.ids, changed) })
}

func (r *rotation) set(ctx context.Context, url secret.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return r.role.SetPassword(ctx, url)
}

// opens tries the new password at each address: a pooler at one of them may not know it.
func (r *rotation) opens(ctx context.Context) error {
	if err := opens(ctx, r.next); err != nil {
		return err
	}
	for _, id := range r.elsewhere {
		url, planned := r.urls[id]
		if !planned {
			continue
		}
		if err := opens(ctx, url); err != nil {
			return fmt.Errorf("tenant %s, which logs in as the same role: %w", id, err)
		}
	}
	return nil
}

func opens(ctx context.Context, url secret.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, 2*answerWithin)
	defer cancel()
	_, err := provision.Opens(ctx, url)
	return err
}
