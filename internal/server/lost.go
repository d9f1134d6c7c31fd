package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// A region whose server is gone for good can't be emptied: nobody drops the databases there. Its operator
// has spd forget them.

// LostRegion is a region whose server does not answer.
type LostRegion struct {
	Code    string
	Server  string // its address
	Tenants []registry.Tenant
}

// LostRegion looks at a region whose server does not answer, and refuses one whose server does, even if
// that lets nobody in, is full or just starts: there, tenants are deleted with their databases.
func (s *Server) LostRegion(ctx context.Context, code string) (lost LostRegion, err error) {
	var region registry.Server
	if err := s.read(ctx, func(view *registry.View) (err error) {
		region, lost, err = lostIn(ctx, view, code)
		return err
	}); err != nil {
		return lost, s.noted(ctx, regional("region.remove", code, err), err)
	}
	err = s.machine(func(string) {}).Answers(ctx, region)
	if err == nil || provision.IsSaid(err) || errors.Is(err, provision.ErrDenied) || errors.Is(err, provision.ErrMismatch) {
		err = fmt.Errorf("region %s: its server %s answers: %w", code, lost.Server, registry.ErrInUse)
		return lost, s.noted(ctx, regional("region.remove", code, err), err)
	}
	return lost, nil
}

// lostIn is a region with the tenants whose databases are on its server.
func lostIn(ctx context.Context, view *registry.View, code string) (region registry.Server, lost LostRegion, err error) {
	found, err := view.Region(ctx, code)
	if err == nil && found == nil {
		err = fmt.Errorf("region %s: %w", harmless(code), registry.ErrNotFound)
	}
	if err != nil {
		return region, lost, err
	}
	lost = LostRegion{Code: code, Server: found.Name}
	databases, err := view.Databases(ctx)
	for _, d := range databases {
		if d.Server != found.Name || err != nil {
			continue
		}
		t, unread := view.Tenant(ctx, d.Tenant)
		if isNotFound(unread) { // its database was to be dropped after it
			t, unread = registry.Tenant{ID: d.Tenant}, nil
		}
		lost.Tenants, err = append(lost.Tenants, t), unread
	}
	return *found, lost, err
}

// ForgetRegion forgets a region, and the tenants there. Their databases stay as they are.
func (s *Server) ForgetRegion(ctx context.Context, code string) (lost LostRegion, err error) {
	err = s.change(ctx, func(reg *registry.Registry) error {
		view, err := reg.View(ctx)
		if err != nil {
			return err
		}
		if _, lost, err = lostIn(ctx, view, code); err != nil {
			return err
		}
		for _, t := range lost.Tenants {
			if err := errors.Join(reg.ForgetDatabase(ctx, t.ID), forgetTenant(ctx, reg, t.ID)); err != nil {
				return err
			}
		}
		return reg.RemoveRegion(ctx, code)
	})
	if err == nil {
		err = s.forgetLost(ctx, lost)
	}
	return lost, s.noted(ctx, regional("region.remove", code, err), err)
}

func forgetTenant(ctx context.Context, reg *registry.Registry, id registry.TenantID) error {
	_, err := reg.DeleteTenant(ctx, registry.Deletion{ID: id})
	if isNotFound(err) {
		return nil
	}
	return err
}

// forgetLost forgets what serve.db knows of the tenants of a region that is no more.
func (s *Server) forgetLost(ctx context.Context, lost LostRegion) (err error) {
	for _, t := range lost.Tenants {
		err = errors.Join(err, s.forget(ctx, t.ID), s.note(ctx, act{action: "tenant.forget", tenant: t.ID, target: lost.Code}, nil))
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", registry.ErrIncomplete, err)
	}
	return err
}
