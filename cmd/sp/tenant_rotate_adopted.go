package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

// rotateAdopted gives the role of a database that sp has not made another password. There
// is only that one role, so the new URLs are recorded before: a crash leaves the one that
// works known, whichever it is, and the next rotation goes on with it. A recorded password is
// given up only behind the server's own word on it, which a pooler's is not.
func (a *app) rotateAdopted(ctx context.Context, cmd *cli.Command, reg *registry.Registry, t registry.Tenant, done *rotated) error {
	before := *t.DatabaseURL
	if err := a.mayConnect(); err != nil {
		return err
	}
	if _, password, err := registry.WithoutPassword(before); err != nil || password.Empty() {
		return errors.Join(err, fmt.Errorf("tenant %s: its URL holds no password that could be changed: %w", t, registry.ErrInvalid))
	}
	if err := spareAdmins(ctx, reg, t); err != nil {
		return err
	}
	ids, err := sameLogin(ctx, reg, before)
	if err != nil {
		return err
	}
	from, pooled, unreached := a.whichOpens(ctx, reg, t)
	if err := a.confirmAdopted(ctx, cmd, t, ids, pooled); err != nil {
		return err
	}
	if unreached != nil { // before anything hangs in the air
		return unreached
	}
	a.step("changing the password")
	r, err := a.attempt(ctx, reg, t, ids, from)
	if r.unsure { // the answer was lost: the same password is set once more
		if from, _, unreached := a.whichOpens(ctx, reg, t); unreached == nil {
			if again, problem := a.attempt(ctx, reg, t, ids, from); again.settled {
				r, err = again, problem
			}
		}
	}
	if !r.published {
		return r.advise(t, pooled, err)
	}
	done.published = true
	a.note("tenant %s has new credentials", t)
	for _, id := range r.ids {
		if id != t.ID {
			done.Also = append(done.Also, id)
			a.note("tenant %s, which logs in as the same role, has them too", id)
		}
	}
	return errors.Join(err, a.checkRefused(ctx, before, pooled, done))
}

// attempt tries once to give the role another password. from is a URL that opens.
func (a *app) attempt(ctx context.Context, reg *registry.Registry, t registry.Tenant, ids []registry.TenantID, from secret.Secret) (rotation, error) {
	r := rotation{reg: reg, before: *t.DatabaseURL}
	var err error
	if r.role, err = openRole(ctx, from); err != nil {
		return r, err
	}
	defer r.role.Close()
	if err := a.planRotation(ctx, &r, t, ids); !made(err) {
		return r, err
	}
	err = r.run(context.WithoutCancel(ctx)) // Ctrl-C must not leave open which password holds
	return r, err
}

func (a *app) confirmAdopted(ctx context.Context, cmd *cli.Command, t registry.Tenant, ids []registry.TenantID, pooled bool) error {
	const behindPooler = "a connection pooler stands before its server: it may refuse the new password, and then the old one is set back"
	question := fmt.Sprintf("change the password of the role that tenants %s log in as at %s? others who use it are shut out",
		joined(ids), registry.DescribeURL(*t.OwnURL()))
	if !pooled {
		return a.confirm(ctx, cmd, question)
	}
	if cmd.Bool("yes") {
		a.note("tenant %s: %s", t, behindPooler)
	}
	return a.confirm(ctx, cmd, question+"; "+behindPooler)
}

// whichOpens returns the URL of a tenant with which one can log in: its own, or the one of a
// rotation that was stopped. Behind a pooler both may, whatever the server thinks of them.
func (a *app) whichOpens(ctx context.Context, reg *registry.Registry, t registry.Tenant) (url secret.Secret, pooled bool, err error) {
	begun, err := planned(ctx, reg, []registry.TenantID{t.ID})
	if err != nil {
		return url, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	s := subject{tenant: t}
	standing, err := s.ask(ctx)
	if err == nil {
		return *t.DatabaseURL, standing.Pooled, nil
	}
	next, ok := begun[t.ID]
	if !ok {
		return url, false, a.adviseConnecting(s, err)
	}
	standing, refused := provision.Check(ctx, next)
	if refused == nil {
		return next, standing.Pooled, nil
	}
	return url, false, withHint(fmt.Errorf("tenant %s: neither its password nor the one of a rotation that was stopped opens its database, and both stay recorded: %w", t, refused),
		"when the server answers again: sp tenant rotate-credentials %s -y", project.Quoted(string(t.ID)))
}

func openRole(ctx context.Context, url secret.Secret) (*provision.Role, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return provision.OpenRole(ctx, url)
}

// planRotation records the URLs with a new password, unless a rotation that was stopped has
// done so. The role is locked: no other command is about to change it.
func (a *app) planRotation(ctx context.Context, r *rotation, t registry.Tenant, ids []registry.TenantID) error {
	now, err := lookAt(ctx, r.reg, (*string)(&t.ID))
	if err != nil {
		return err
	}
	if !orEmpty(now.tenant.DatabaseURL).Equal(r.before) {
		return fmt.Errorf("tenant %s: its credentials were rotated meanwhile: %w", t, registry.ErrConflict)
	}
	begun, err := planned(ctx, r.reg, ids)
	if err != nil {
		return err
	}
	if url, ok := begun[t.ID]; ok {
		r.next, r.ids = url, slices.Sorted(maps.Keys(begun))
		return nil
	}
	password, err := provision.NewPassword(a.random)
	if err != nil {
		return err
	}
	urls, err := withPassword(ctx, r.reg, ids, password)
	if err == nil {
		err = r.reg.PlanRotation(ctx, urls)
	}
	if made(err) {
		r.next, r.ids, r.fresh = urls[t.ID], ids, true
	}
	return err
}

// planned are the URLs that are recorded for a rotation.
func planned(ctx context.Context, reg *registry.Registry, ids []registry.TenantID) (map[registry.TenantID]secret.Secret, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	urls := map[registry.TenantID]secret.Secret{}
	for _, id := range ids {
		url, err := view.Rotation(ctx, id)
		if err != nil {
			return nil, err
		}
		if url != nil {
			urls[id] = *url
		}
	}
	return urls, nil
}

// withPassword are the URLs of tenants with another password.
func withPassword(ctx context.Context, reg *registry.Registry, ids []registry.TenantID, password secret.Secret) (map[registry.TenantID]secret.Secret, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	urls := map[registry.TenantID]secret.Secret{}
	for _, id := range ids {
		t, err := view.Tenant(ctx, id)
		if err == nil {
			urls[id], err = registry.WithPassword(*orEmpty(t.DatabaseURL), password)
		}
		if err != nil {
			return nil, err
		}
	}
	return urls, nil
}

func joined(ids []registry.TenantID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return strings.Join(texts, ", ")
}
