package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Tenant is a tenant as clients see it: the shape of the original's control plane, with masked URLs.
type Tenant struct {
	ID           string `json:"id" format:"uuid"`
	Name         string `json:"name"`
	AppID        string `json:"app_id,omitempty"`
	Hostname     string `json:"hostname,omitempty"`
	Region       string `json:"region,omitempty"`
	Status       string `json:"status" enum:"pending,active,suspended,deleted"`
	Subscription string `json:"subscription_status" enum:"active,canceled"`
	External     bool   `json:"external_db_access"`
	DatabaseURL  string `json:"database_url" doc:"always there, always masked: one tenant without it breaks the original's login"`
}

// TenantBrief is a tenant in a short list.
type TenantBrief struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Hostname string `json:"hostname,omitempty"`
}

// The words for how far a tenant is.
const (
	pending   = "pending"
	active    = "active"
	suspended = "suspended"
	deleted   = "deleted"
)

// shown turns a record into what clients see of it. d is its database, nil if it is gone.
func shown(t registry.Tenant, d *registry.Database, canceled bool) Tenant {
	view := Tenant{
		ID: string(t.ID), Name: t.Name, AppID: orNothing(t.AppID), Hostname: orNothing(t.Hostname), Region: orNothing(t.Region),
		Status: pending, Subscription: "active", External: t.ExternalDBAccess, DatabaseURL: "postgres://***:***@***/***",
	}
	if t.DatabaseURL != nil {
		view.DatabaseURL = pgurl.Describe(*t.DatabaseURL)
	}
	switch {
	case d == nil || d.State == registry.Dropping:
		view.Status = deleted
	case canceled:
		view.Status = suspended
	case d.State == registry.Ready:
		view.Status = active
	}
	if canceled {
		view.Subscription = "canceled"
	}
	return view
}

func orNothing(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// TenantPath names what an operation is about.
type TenantPath struct {
	ID string `path:"id" minLength:"1" maxLength:"64"`
}

type tenantAnswer struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     data[Tenant]
}

// tenantRequest is a new tenant.
type tenantRequest struct {
	Name     string `json:"name" minLength:"1" maxLength:"255"`
	Region   string `json:"region"`
	External bool   `json:"external_db_access,omitempty" default:"false"`
}

// tenantEdit has what a tenant is to have from now on; nil leaves it.
type tenantEdit struct {
	Name     *string `json:"name,omitempty" minLength:"1" maxLength:"255"`
	External *bool   `json:"external_db_access,omitempty"`
}

// tenants are the operations that make, show, edit and delete a tenant.
func (s *Server) tenants(api huma.API) {
	create := bodied(operation("createTenant", http.MethodPost, "/api/v1/tenants",
		"make a tenant in a region; answers when it is recorded, not when it is ready; 404 if the one that the key made is gone",
		Write, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable))
	create.DefaultStatus = http.StatusAccepted
	huma.Register(api, create, func(ctx context.Context, in *struct {
		CallKey
		Body tenantRequest
	},
	) (*tenantAnswer, error) {
		return s.createTenant(ctx, in.Key, in.Body)
	})
	huma.Register(api, operation("tenant", http.MethodGet, "/api/v1/tenants/{id}", "a tenant, its URL masked", Read, http.StatusNotFound),
		func(ctx context.Context, in *TenantPath) (*tenantAnswer, error) {
			return s.tenantNow(ctx, registry.TenantID(in.ID))
		})
	huma.Register(api, bodied(operation("editTenant", http.MethodPatch, "/api/v1/tenants/{id}",
		"its name and whether it may be reached from outside; takes back a cancellation. If-Match names the version that is edited",
		Write, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity, http.StatusPreconditionRequired, http.StatusServiceUnavailable)),
		func(ctx context.Context, in *struct {
			TenantPath
			IfMatch string `header:"If-Match"`
			Body    tenantEdit
		},
		) (*tenantAnswer, error) {
			return s.editTenant(ctx, registry.TenantID(in.ID), in.IfMatch, in.Body)
		})
	remove := operation("deleteTenant", http.MethodDelete, "/api/v1/tenants/{id}",
		"ends its logins, drops its database, roles and row; 204 while that goes on, 404 after", Write, http.StatusNotFound, http.StatusServiceUnavailable)
	remove.DefaultStatus = http.StatusNoContent
	huma.Register(api, remove, func(ctx context.Context, in *TenantPath) (*struct{}, error) {
		return nil, s.deleteTenant(ctx, registry.TenantID(in.ID))
	})
}

// createTenant records a tenant and the database that it is to get. What makes it is the loop.
func (s *Server) createTenant(ctx context.Context, key string, r tenantRequest) (answer *tenantAnswer, err error) {
	id, err := newID(s.Random)
	if err != nil {
		return nil, s.refused(ctx, err)
	}
	c := call{operation: "tenant.create", key: key, request: r, tenant: registry.TenantID(id)}
	err = s.once(ctx, c, func(c call, again bool) error {
		if again {
			if answer, err = s.tenantNow(ctx, c.tenant); c.done || !isNotFound(err) {
				return err
			}
			if there, unread := s.isThere(ctx, c.tenant); there || unread != nil { // it is not theirs any more
				return errors.Join(err, unread)
			}
		}
		if err := s.record(ctx, c.tenant, r); err != nil {
			return err
		}
		answer, err = s.tenantNow(ctx, c.tenant)
		return err
	})
	if err != nil {
		return nil, s.refused(ctx, err)
	}
	answer.Location = "/api/v1/tenants/" + answer.Body.Data.ID
	s.news.wake()
	return answer, nil
}

// record makes the rows of a new tenant: first who may use it, so that none is without somebody, and
// last the first event.
func (s *Server) record(ctx context.Context, id registry.TenantID, r tenantRequest) error {
	if err := s.read(ctx, func(view *registry.View) error { return s.checkNew(ctx, view, r) }); err != nil {
		return err
	}
	if err := s.grantTo(ctx, id); err != nil {
		return err
	}
	if err := s.change(ctx, func(reg *registry.Registry) error { return s.plan(ctx, reg, id, r) }); err != nil {
		return errors.Join(err, s.ungrant(ctx, id, err))
	}
	return s.tell(ctx, id, event{Type: "tenant_created", Status: provisioning, Message: "recorded"})
}

// ungrant takes back the use of a tenant that was not made. Whether it was may not be known.
func (s *Server) ungrant(ctx context.Context, id registry.TenantID, failure error) error {
	if errors.Is(failure, registry.ErrUnknown) || errors.Is(failure, registry.ErrIncomplete) {
		return nil
	}
	return s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error { return q.RevokeTenant(ctx, string(id)) })
}

// checkNew refuses a tenant that can't be made.
func (s *Server) checkNew(ctx context.Context, view *registry.View, r tenantRequest) error {
	if _, err := regionIn(ctx, view, r.Region); err != nil {
		return err
	}
	if err := (registry.NewTenant{Tenant: registry.NewLocal("", r.Name, secret.New("postgres://h/d"))}).Check(); err != nil {
		return invalid("/name", "%s", err)
	}
	if err := checkNoID(r.Name); err != nil {
		return err
	}
	return s.checkName(ctx, view, r.Name, "")
}

// checkNoID refuses a name that could be the id of a tenant. The registry takes such a name unless it is
// one, and so would tell which ids others have.
func checkNoID(name string) error {
	if IsID(strings.ToLower(name)) {
		return invalid("/name", "a name can't look like the id of a tenant")
	}
	return nil
}

// plan records a tenant in the region that is asked for.
func (s *Server) plan(ctx context.Context, reg *registry.Registry, id registry.TenantID, r tenantRequest) error {
	view, err := reg.View(ctx)
	if err != nil {
		return err
	}
	region, err := regionIn(ctx, view, r.Region)
	if err != nil {
		return err
	}
	if err := s.checkName(ctx, view, r.Name, ""); err != nil {
		return err
	}
	name, err := databaseName(r.Name, s.Random)
	if err != nil {
		return err
	}
	short := strings.ReplaceAll(string(id), "-", "")[:12]
	app, host := "sp-"+short, short+"."+s.Domain
	t := registry.NewLocal(id, r.Name, secret.Secret{})
	t.DatabaseURL, t.AppID, t.Hostname, t.Region, t.ExternalDBAccess = nil, &app, &host, &r.Region, r.External
	_, err = reg.CreateTenant(ctx, registry.NewTenant{
		Tenant:             t,
		AllowDuplicateName: true, // of somebody else's, who is nobody's business
		Database:           &registry.PlannedDatabase{Server: region, Name: name},
	})
	return err
}

// checkName refuses a name that one of the tenants has which who asks may use, but for the one that is to
// get it. One that is being deleted has let go of it.
func (s *Server) checkName(ctx context.Context, view *registry.View, name string, but registry.TenantID) error {
	const most = 1000 // of that name: it is a courtesy, not a rule that others rely on
	named, err := view.TenantsNamed(ctx, name, most)
	if err != nil {
		return err
	}
	p, err := s.admitted(ctx) // who asks may have made another one since
	if err != nil {
		return err
	}
	for _, id := range named {
		if id == but || !p.may(id) {
			continue
		}
		d, err := view.Database(ctx, id)
		if err != nil {
			return err
		}
		if d == nil || d.State != registry.Dropping {
			return problem(http.StatusConflict, "exists", "you already have a tenant of that name: %s", id)
		}
	}
	return nil
}

// tenantNow shows a tenant as it is recorded.
func (s *Server) tenantNow(ctx context.Context, id registry.TenantID) (*tenantAnswer, error) {
	var answer *tenantAnswer
	err := s.read(ctx, func(view *registry.View) (err error) {
		answer, err = s.tenantIn(ctx, view, id)
		return err
	})
	return answer, s.refused(ctx, err)
}

func (s *Server) tenantIn(ctx context.Context, view *registry.View, id registry.TenantID) (*tenantAnswer, error) {
	t, err := s.tenant(ctx, view, id)
	if err != nil {
		return nil, err
	}
	d, err := view.Database(ctx, id)
	if err != nil {
		return nil, err
	}
	canceled, err := s.isCanceled(ctx, id)
	answer := &tenantAnswer{Body: data[Tenant]{shown(t, d, canceled)}}
	answer.ETag = versionOf(answer.Body.Data)
	return answer, err
}

// versionOf is the ETag of a tenant: what is edited by PATCH or seen of it.
func versionOf(t Tenant) string {
	return `"v` + secret.Hash(strings.Join([]string{t.Name, t.Hostname, t.Region, t.Status, t.Subscription, strconv.FormatBool(t.External), t.DatabaseURL}, "\x00"))[:16] + `"`
}

// editTenant edits a tenant and, whatever is edited, takes back its cancellation.
func (s *Server) editTenant(ctx context.Context, id registry.TenantID, version string, e tenantEdit) (*tenantAnswer, error) {
	err := s.edit(ctx, id, version, e)
	if err = s.noted(ctx, act{action: "tenant.edit", tenant: id}, err); err != nil {
		return nil, s.refused(ctx, err)
	}
	s.news.wake()
	return s.tenantNow(ctx, id)
}

func (s *Server) edit(ctx context.Context, id registry.TenantID, version string, e tenantEdit) error {
	if version == "" {
		return problem(http.StatusPreconditionRequired, "invalid", "If-Match is missing: it names the version that is edited")
	}
	if e.Name != nil {
		if err := checkNoID(*e.Name); err != nil {
			return err
		}
	}
	var was Tenant
	if err := s.change(ctx, func(reg *registry.Registry) (err error) {
		if was, err = s.checkVersion(ctx, reg, id, version); err != nil {
			return err
		}
		if e.Name != nil && *e.Name != was.Name {
			err = s.checkRename(ctx, reg, id, *e.Name)
		}
		if err == nil {
			err = updateTenant(ctx, reg, id, e)
		}
		return err
	}); err != nil {
		return err
	}
	if err := s.uncancel(ctx, id, e == (tenantEdit{}) && was.Status == active); err != nil {
		return err
	}
	now, err := s.tenantNow(ctx, id)
	if err == nil && now.Body.Data.Status == deleted { // the loop was faster
		err = errDeleted
	}
	return err
}

// checkVersion refuses to edit a tenant that is not as it was when the version was read. Nobody else
// changes it meanwhile.
func (s *Server) checkVersion(ctx context.Context, reg *registry.Registry, id registry.TenantID, version string) (was Tenant, err error) {
	view, err := reg.View(ctx)
	if err != nil {
		return was, err
	}
	now, err := s.tenantIn(ctx, view, id)
	switch {
	case err != nil:
		return was, err
	case version != now.ETag && version != "*":
		return was, problem(http.StatusPreconditionFailed, "conflict", "the tenant was changed meanwhile").with("ETag", now.ETag)
	case now.Body.Data.Status == deleted:
		return was, errDeleted
	}
	return now.Body.Data, nil
}

// checkRename refuses a name that another tenant has, as at a creation.
func (s *Server) checkRename(ctx context.Context, reg *registry.Registry, id registry.TenantID, name string) error {
	view, err := reg.View(ctx)
	if err != nil {
		return err
	}
	return s.checkName(ctx, view, name, id)
}

func updateTenant(ctx context.Context, reg *registry.Registry, id registry.TenantID, e tenantEdit) error {
	set := members{}
	if e.Name != nil {
		set.put("name", *e.Name)
	}
	if e.External != nil {
		set.put("external_db_access", strconv.FormatBool(*e.External))
	}
	if len(set) == 0 {
		return nil
	}
	_, _, err := reg.UpdateTenant(ctx, registry.TenantEdit{ID: id, Set: set, AllowDuplicateName: true})
	return err
}

// deleteTenant records that a tenant is to go. Who can no longer use it is decided at once.
func (s *Server) deleteTenant(ctx context.Context, id registry.TenantID) error {
	err := s.changeTenant(ctx, id, func(reg *registry.Registry) error { return reg.DropDatabase(ctx, id) })
	if err == nil || errors.Is(err, errDeleted) { // the one before may have died in between
		err = s.endSync(ctx, id)
	}
	if err = s.noted(ctx, act{action: "tenant.delete", tenant: id}, err); err != nil {
		return s.refused(ctx, err)
	}
	s.news.wake()
	return nil
}

// endSync ends the sync token of a tenant whose database is to go, and the pause after what failed with that.
func (s *Server) endSync(ctx context.Context, id registry.TenantID) error {
	return s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
		tenant := string(id)
		if err := q.DeleteSyncToken(ctx, &tenant); err != nil {
			return err
		}
		return q.DeleteTroubles(ctx, tenant)
	})
}
