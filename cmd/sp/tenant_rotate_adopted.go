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
	"github.com/urfave/cli/v3"
)

// rotateAdopted gives the role of a database that sp has not made another password. There
// is only that one role, so the new URLs are recorded before: a crash leaves the one that
// works known, whichever it is, and the next rotation finds out which.
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
	if err := a.confirm(ctx, cmd, fmt.Sprintf("change the password of the role that tenants %s log in as at %s? others who use it are shut out", joined(ids), registry.DescribeURL(before))); err != nil {
		return err
	}
	next, ids, err := a.plannedURL(ctx, reg, t, ids)
	if err != nil {
		return err
	}
	a.step("changing the password")
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	defer cancel()
	problem := setPassword(ctx, before, next)
	changed, err := whichWorks(ctx, before, next, problem)
	if err != nil {
		if problem != nil {
			err = fmt.Errorf("%w; %w", problem, err)
		}
		return withHint(err, "nobody can tell now which password holds: when the server answers again, sp tenant rotate-credentials %s -y", project.Quoted(string(t.ID)))
	}
	published := reg.EndRotation(ctx, ids, changed)
	if !made(published) {
		return published
	}
	if !changed {
		return problem
	}
	a.note("tenant %s has new credentials", t)
	for _, id := range ids {
		if id != t.ID {
			done.Also = append(done.Also, id)
			a.note("tenant %s, which logs in as the same role, has them too", id)
		}
	}
	return errors.Join(published, a.checkRefused(ctx, before, done))
}

// plannedURL records the URLs with a new password and returns the tenant's and whom they
// are for, or what was recorded by a rotation that was stopped.
func (a *app) plannedURL(ctx context.Context, reg *registry.Registry, t registry.Tenant, ids []registry.TenantID) (registry.Secret, []registry.TenantID, error) {
	begun, err := planned(ctx, reg, ids)
	if url, ok := begun[t.ID]; err != nil || ok {
		return url, slices.Sorted(maps.Keys(begun)), err
	}
	if err := a.mustLogIn(ctx, t); err != nil { // before anything hangs in the air
		return registry.Secret{}, nil, err
	}
	password, err := provision.NewPassword(a.random)
	if err != nil {
		return registry.Secret{}, nil, err
	}
	urls, err := withPassword(ctx, reg, ids, password)
	if err == nil {
		err = reg.PlanRotation(ctx, urls)
	}
	if !made(err) {
		return registry.Secret{}, nil, err
	}
	return urls[t.ID], ids, nil
}

// mustLogIn refuses what has to do with a database to which nobody can log in.
func (a *app) mustLogIn(ctx context.Context, t registry.Tenant) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	s := subject{tenant: t}
	if _, err := s.ask(ctx); err != nil {
		return a.adviseConnecting(s, err)
	}
	return nil
}

// planned are the URLs that are recorded for a rotation.
func planned(ctx context.Context, reg *registry.Registry, ids []registry.TenantID) (map[registry.TenantID]registry.Secret, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	urls := map[registry.TenantID]registry.Secret{}
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
func withPassword(ctx context.Context, reg *registry.Registry, ids []registry.TenantID, password registry.Secret) (map[registry.TenantID]registry.Secret, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	urls := map[registry.TenantID]registry.Secret{}
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

func setPassword(ctx context.Context, before, next registry.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return provision.SetPassword(ctx, before, next)
}

// whichWorks tells whether the password was changed: the answer may have been lost. A
// server that lets everybody in opens with both, and then it is what it said.
func whichWorks(ctx context.Context, before, next registry.Secret, problem error) (changed bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin) // Ctrl-C must not leave that open
	defer cancel()
	_, after := provision.Check(ctx, next)
	if after == nil && problem == nil {
		return true, nil
	}
	_, err = provision.Check(ctx, before)
	if err != nil && after == nil {
		return true, nil
	}
	return false, err
}

func joined(ids []registry.TenantID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return strings.Join(texts, ", ")
}
