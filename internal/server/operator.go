package server

import (
	"context"

	"github.com/sp-registry/sp/internal/registry"
)

// TenantOf is a tenant as the operator of this machine sees it: with those who were granted it. Who is an
// admin may use it, too.
type TenantOf struct {
	ID     registry.TenantID `json:"id"`
	Name   string            `json:"name"`
	Region string            `json:"region"`
	Status string            `json:"status"`
	Users  []string          `json:"users"`
}

// Tenants returns all tenants in order of entry, without their secrets.
func (s *Server) Tenants(ctx context.Context) ([]TenantOf, error) {
	users, err := s.Users(ctx)
	if err != nil {
		return nil, err
	}
	granted := map[registry.TenantID][]string{}
	for _, u := range users {
		for _, id := range u.Tenants {
			granted[id] = append(granted[id], u.Name)
		}
	}
	canceled, err := s.canceled(ctx)
	if err != nil {
		return nil, err
	}
	found := []TenantOf{}
	err = s.read(ctx, func(view *registry.View) error {
		for t, err := range view.Tenants(ctx, registry.Page{}) {
			if err != nil {
				return err
			}
			d, err := view.Database(ctx, t.ID)
			if err != nil {
				return err
			}
			found = append(found, TenantOf{
				ID: t.ID, Name: t.Name, Region: orNothing(t.Region), Status: shown(t, d, canceled[t.ID]).Status, Users: append([]string{}, granted[t.ID]...),
			})
		}
		return nil
	})
	return found, err
}
