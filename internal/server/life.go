package server

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
)

// Status says how far a tenant's database is.
type Status struct {
	Status     string `json:"status" enum:"provisioning,ready,failed,deleting"`
	Message    string `json:"message,omitempty"`
	AppURL     string `json:"app_url,omitempty"`
	SecretsURL string `json:"secrets_url,omitempty" doc:"where its credentials are, once it is ready"`
}

// External says whether a tenant's database may be reached from outside.
type External struct {
	Tenant      string `json:"tenant_id"`
	Enabled     bool   `json:"external_db_access"`
	DatabaseURL string `json:"database_url"`
}

// retention is how long a tenant whose subscription was cancelled is kept.
const retention = 7 * 24 * time.Hour

// tenantLife are the operations on how far a tenant is.
func (s *Server) tenantLife(api huma.API) {
	huma.Register(api, operation("tenantStatus", http.MethodGet, "/api/v1/tenants/{id}/status", "how far its database is", Read, http.StatusNotFound),
		func(ctx context.Context, in *TenantPath) (*struct{ Body data[Status] }, error) {
			st, err := s.status(ctx, registry.TenantID(in.ID))
			return &struct{ Body data[Status] }{data[Status]{st}}, s.refused(ctx, err)
		})
	huma.Register(api, operation("retryProvision", http.MethodPost, "/api/v1/tenants/{id}/retry-provision", "the database of a tenant that failed is begun anew",
		Write, http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable), func(ctx context.Context, in *TenantPath) (*struct {
		Body struct {
			Status string `json:"status" enum:"provisioning,ready,failed,deleting"`
		}
	}, error,
	) {
		st, err := s.retry(ctx, registry.TenantID(in.ID))
		answer := &struct {
			Body struct {
				Status string `json:"status" enum:"provisioning,ready,failed,deleting"`
			}
		}{}
		answer.Body.Status = st.Status
		return answer, s.refused(ctx, err)
	})
	huma.Register(api, operation("cancelSubscription", http.MethodPost, "/api/v1/tenants/{id}/subscription/cancel",
		"the tenant goes read-only, and is deleted after 7 days; until then PATCH takes it back", Write, http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable),
		func(ctx context.Context, in *TenantPath) (*struct{ Body null }, error) {
			return &struct{ Body null }{}, s.refused(ctx, s.cancel(ctx, registry.TenantID(in.ID)))
		})
	huma.Register(api, bodied(operation("externalAccess", http.MethodPut, "/api/v1/tenants/{id}/external-db-access", "whether its database may be reached from outside",
		Write, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable)), func(ctx context.Context, in *struct {
		TenantPath
		Body struct {
			Enabled bool `json:"enabled"`
		}
	},
	) (*struct{ Body data[External] }, error) {
		done, err := s.setExternal(ctx, registry.TenantID(in.ID), in.Body.Enabled)
		return &struct{ Body data[External] }{data[External]{done}}, s.refused(ctx, err)
	})
}

// null is an answer that says nothing, as the original's client expects it.
type null struct{}

// MarshalJSON writes it.
func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// Schema describes it.
func (null) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: "null"} }

// status is how far a tenant's database is. What has to be done again and again says why.
func (s *Server) status(ctx context.Context, id registry.TenantID) (st Status, err error) {
	err = s.read(ctx, func(view *registry.View) error {
		t, err := s.tenant(ctx, view, id)
		if err != nil {
			return err
		}
		d, err := view.Database(ctx, id)
		if err != nil {
			return err
		}
		trouble, err := s.trouble(ctx, id, isBeingMade(d))
		st = s.statusOf(t, d, trouble)
		return err
	})
	return st, err
}

// isBeingMade tells of a tenant's database whether it is not made yet.
func isBeingMade(d *registry.Database) bool { return d != nil && d.State == registry.Provisioning }

func (s *Server) statusOf(t registry.Tenant, d *registry.Database, trouble *rows.Trouble) (st Status) {
	st = Status{Status: provisioning, AppURL: "https://" + orNothing(t.Hostname)}
	if trouble != nil {
		st.Message = trouble.Reason
	}
	switch {
	case d == nil || d.State == registry.Dropping:
		st.Status = deleting
	case d.State == registry.Ready:
		st.Status, st.Message = ready, ""
		st.SecretsURL = s.origin() + "/api/v1/tenants/" + string(t.ID) + "/credentials"
	case trouble != nil && trouble.NextAt == nil:
		st.Status = failed
	}
	return st
}

// trouble is what did not work with the making of a tenant's database, or with anything else; nil if all did.
func (s *Server) trouble(ctx context.Context, id registry.TenantID, making bool) (found *rows.Trouble, err error) {
	err = s.db.Read(ctx, func(q *rows.Queries) error {
		row, err := q.Trouble(ctx, rows.TroubleParams{TenantID: string(id), Making: making})
		if rows.IsMissing(err) {
			return nil
		}
		found = &row
		return err
	})
	return found, err
}

// retry has a database made again that failed, from the beginning.
func (s *Server) retry(ctx context.Context, id registry.TenantID) (Status, error) {
	st, err := s.status(ctx, id)
	if err == nil && st.Status == failed {
		err = s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
			if err := s.mustBeTheirs(ctx, q, id); err != nil {
				return err
			}
			return q.DeleteTrouble(ctx, rows.DeleteTroubleParams{TenantID: string(id), Making: true})
		})
		if err == nil {
			err = s.tell(ctx, id, event{Type: "vm_provisioning_started", Status: provisioning, Message: "begun again"})
		}
	}
	if err = s.noted(ctx, act{action: "tenant.retry", tenant: id}, err); err != nil {
		return st, err
	}
	s.news.wake()
	return s.status(ctx, id)
}

// cancel ends a tenant's subscription: the loop has its database read-only and, later, dropped.
func (s *Server) cancel(ctx context.Context, id registry.TenantID) error {
	st, err := s.status(ctx, id)
	if err == nil && st.Status == deleting {
		err = errDeleted
	}
	if err == nil {
		err = s.putCancellation(ctx, id)
	}
	if err = s.noted(ctx, act{action: "tenant.cancel", tenant: id}, err); err == nil {
		s.news.wake()
	}
	return err
}

// putCancellation records when a tenant is deleted; one that is cancelled stays as it is.
func (s *Server) putCancellation(ctx context.Context, id registry.TenantID) error {
	return s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
		if err := s.mustBeTheirs(ctx, q, id); err != nil {
			return err
		}
		found, err := q.Cancellation(ctx, string(id))
		if err == nil && found.DeleteAt != nil || err != nil && !rows.IsMissing(err) {
			return err
		}
		at := s.Now().Add(retention).UnixMicro()
		if err := q.PutCancellation(ctx, rows.PutCancellationParams{TenantID: string(id), DeleteAt: &at}); err != nil {
			return err
		}
		return q.BumpGrants(ctx) // a list of tenants shows it
	})
}

// uncancel takes a cancellation back, until the tenant is being deleted. Its row stays until the database can
// be written again. There may be none, as in a serve.db from a backup, and the database be read-only: with look
// the loop has a look.
func (s *Server) uncancel(ctx context.Context, id registry.TenantID, look bool) error {
	return s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
		if err := s.mustBeTheirs(ctx, q, id); err != nil {
			return err
		}
		found, err := q.Cancellation(ctx, string(id))
		if look && rows.IsMissing(err) {
			return q.PutCancellation(ctx, rows.PutCancellationParams{TenantID: string(id)})
		}
		if rows.IsMissing(err) || err == nil && found.DeleteAt == nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := q.PutCancellation(ctx, rows.PutCancellationParams{TenantID: string(id), Applied: found.Applied}); err != nil {
			return err
		}
		return q.BumpGrants(ctx)
	})
}

func (s *Server) isCanceled(ctx context.Context, id registry.TenantID) (canceled bool, err error) {
	err = s.db.Read(ctx, func(q *rows.Queries) error {
		found, err := q.Cancellation(ctx, string(id))
		canceled = err == nil && found.DeleteAt != nil
		if rows.IsMissing(err) {
			return nil
		}
		return err
	})
	return canceled, err
}

// setExternal records whether a tenant's database may be reached from outside, which its clients obey.
func (s *Server) setExternal(ctx context.Context, id registry.TenantID, enabled bool) (done External, err error) {
	now, err := s.tenantNow(ctx, id)
	if err == nil {
		err = s.changeTenant(ctx, id, func(reg *registry.Registry) error { return updateTenant(ctx, reg, id, tenantEdit{External: &enabled}) })
	}
	if err = s.noted(ctx, act{action: "tenant.external", tenant: id}, err); err != nil {
		return done, err
	}
	return External{Tenant: string(id), Enabled: enabled, DatabaseURL: now.Body.Data.DatabaseURL}, nil
}

// masked is a URL as an answer shows it that is no secret.
func masked(t registry.Tenant) string {
	if t.DatabaseURL == nil {
		return "postgres://***:***@***/***"
	}
	return pgurl.Describe(*t.DatabaseURL)
}
