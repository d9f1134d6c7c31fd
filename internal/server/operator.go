package server

import (
	"context"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/registry"
)

// TenantOf is a tenant as the operator of this machine sees it: with those who were granted it. Who is an
// admin may use it, too.
type TenantOf struct {
	ID       registry.TenantID `json:"id"`
	Name     string            `json:"name"`
	Region   *string           `json:"region"`
	Status   string            `json:"status"`
	Message  *string           `json:"message"` // why its database is not as it has to be
	Canceled bool              `json:"subscription_canceled"`
	Users    []string          `json:"users"`
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
	troubles, err := s.troubles(ctx)
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
			st := s.statusOf(t, d, troubles[rows.TroubleParams{TenantID: string(t.ID), Making: isBeingMade(d)}])
			one := TenantOf{ID: t.ID, Name: t.Name, Region: t.Region, Status: st.Status, Canceled: canceled[t.ID], Users: append([]string{}, granted[t.ID]...)}
			if st.Message != "" {
				one.Message = &st.Message
			}
			found = append(found, one)
		}
		return nil
	})
	return found, err
}

// troubles are what did not work with the databases of tenants, their making and the rest.
func (s *Server) troubles(ctx context.Context) (found map[rows.TroubleParams]*rows.Trouble, err error) {
	found = map[rows.TroubleParams]*rows.Trouble{}
	err = s.db.Read(ctx, func(q *rows.Queries) error {
		list, err := q.Troubles(ctx)
		for i := range list {
			found[rows.TroubleParams{TenantID: list[i].TenantID, Making: list[i].Making}] = &list[i]
		}
		return err
	})
	return found, err
}

// FindTenant returns the tenant that a word of the operator's means: by its id, its name, or the beginning
// of its id.
func (s *Server) FindTenant(ctx context.Context, word string) (t registry.Tenant, err error) {
	err = s.read(ctx, func(view *registry.View) (err error) {
		t, err = view.FindTenant(ctx, word)
		return err
	})
	return t, err
}
