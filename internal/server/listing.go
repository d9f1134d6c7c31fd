package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Me is who asks and all his tenants: what a client syncs from.
type Me struct {
	User     Self     `json:"user"`
	Customer Customer `json:"customer"`
	Tenants  []Tenant `json:"tenants"`
}

// Self is who asks.
type Self struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
}

// Customer is there for the original's client.
type Customer struct {
	ID string `json:"id"`
}

type meAnswer struct {
	ETag        string             `header:"ETag"`
	ContentType string             `header:"Content-Type"`
	Body        func(huma.Context) // a list of very many is not copied for everybody who asks
}

// me are the operations that list tenants.
func (s *Server) me(api huma.API) {
	o := operation("me", http.MethodGet, "/api/v1/auth/me", "who I am and all my tenants, URLs masked", Read)
	o.Responses = map[string]*huma.Response{
		"200": {Description: "OK", Headers: map[string]*huma.Param{"ETag": {Schema: &huma.Schema{Type: "string"}}}, Content: map[string]*huma.MediaType{
			"application/json": {Schema: api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Me](), true, "Me")},
		}},
		"304": {Description: "nothing changed"},
	}
	huma.Register(api, o, func(ctx context.Context, in *struct {
		IfNoneMatch string `header:"If-None-Match"`
	},
	) (*meAnswer, error) {
		answer, err := s.listed(ctx, in.IfNoneMatch)
		return answer, s.refused(ctx, err)
	})
	huma.Register(api, operation("tenants", http.MethodGet, "/api/v1/tenants", "my tenants in short", Read),
		func(ctx context.Context, _ *struct{}) (*struct{ Body data[[]TenantBrief] }, error) {
			brief := []TenantBrief{}
			err := s.read(ctx, func(view *registry.View) error {
				return s.each(ctx, view, func(t registry.Tenant) error {
					brief = append(brief, TenantBrief{ID: string(t.ID), Name: t.Name, Hostname: orNothing(t.Hostname)})
					return nil
				})
			})
			return &struct{ Body data[[]TenantBrief] }{data[[]TenantBrief]{brief}}, s.refused(ctx, err)
		})
}

// each gives fn the tenants that who asks may use, in order of entry, or of their ids where they are
// not all.
func (s *Server) each(ctx context.Context, view *registry.View, fn func(registry.Tenant) error) error {
	p, err := s.admitted(ctx)
	if err != nil {
		return err
	}
	if p.all() {
		for t, err := range view.Tenants(ctx, registry.Page{}) {
			if err == nil {
				err = fn(t)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	ids := p.only
	if ids == nil {
		ids = p.own
	}
	for _, id := range ids {
		if !p.may(id) {
			continue
		}
		switch t, err := view.Tenant(ctx, id); {
		case err == nil:
			if err := fn(t); err != nil {
				return err
			}
		case !isNotFound(err):
			return err
		}
	}
	return nil
}

// version is how far the registry, and the grants of who asks, have come: every change of what a list
// shows adds to one of them.
type version struct{ revision, grants int64 }

func (s *Server) version(ctx context.Context) (now version, err error) {
	now.grants = asking(ctx).grants
	err = s.read(ctx, func(view *registry.View) error {
		st, err := view.State(ctx)
		now.revision = st.Revision
		return err
	})
	return now, err
}

// etag names a version of a principal's list. Those of two users never have the same.
func (v version) etag(p *principal) string {
	return fmt.Sprintf(`"r%d.%d.%s"`, v.revision, v.grants, secret.Hash(p.user.ID + " " + joined(p.only))[:8])
}

// covers tells whether a list of this version has all that one of another has.
func (v version) covers(other version) bool {
	return v.revision >= other.revision && v.grants >= other.grants
}

// listed is the list of who asks, unless he has it already.
func (s *Server) listed(ctx context.Context, known string) (*meAnswer, error) {
	p := asking(ctx)
	now, err := s.version(ctx)
	if err != nil {
		return nil, err
	}
	if etag := now.etag(p); slices.Contains(strings.Split(strings.ReplaceAll(known, " ", ""), ","), etag) {
		return &meAnswer{ETag: etag, Body: func(c huma.Context) { c.SetStatus(http.StatusNotModified) }}, nil
	}
	head, err := json.Marshal(Me{User: Self{p.user.ID, p.user.Email, p.user.Name}, Customer: Customer{p.user.ID}, Tenants: []Tenant{}})
	if err != nil {
		return nil, err
	}
	now, tenants, err := s.lists.of(p, now, func() (at version, text []byte, err error) {
		if at, err = s.version(ctx); err == nil {
			text, err = s.render(ctx)
		}
		return at, text, err
	})
	if err != nil {
		return nil, err
	}
	switch still, err := s.admitted(ctx); { // the list may have been another one's to render
	case err != nil:
		return nil, err
	case p.lost(still):
		return s.listed(context.WithValue(ctx, principalKey, still), known)
	}
	return &meAnswer{ETag: now.etag(p), ContentType: "application/json", Body: func(c huma.Context) {
		c.SetStatus(http.StatusOK)
		for _, part := range [][]byte{bytes.TrimSuffix(head, []byte("]}")), tenants, []byte("]}")} {
			_, _ = c.BodyWriter().Write(part) // who does not listen learns nothing
		}
	}}, nil
}

// render writes the tenants of who asks. What is newer than its ETag by then does no harm: the next look
// finds another one.
func (s *Server) render(ctx context.Context) ([]byte, error) {
	canceled, err := s.canceled(ctx)
	if err != nil {
		return nil, err
	}
	for {
		var text bytes.Buffer
		err := s.pages(ctx, func(t registry.Tenant, d *registry.Database) error {
			one, err := json.Marshal(shown(t, d, canceled[t.ID]))
			text.Write(one)
			text.WriteByte(',')
			return err
		})
		if !isNotFound(err) { // else the last tenant of a page went before the next one was read
			return append([]byte{}, bytes.TrimSuffix(text.Bytes(), []byte(","))...), err
		}
	}
}

// pageSize is how many tenants are read at once: as long as somebody reads, nobody can write.
const pageSize = 250

// pages gives fn the tenants of who asks with their databases. Those of an admin are read in pages, each
// at an instant of its own, and fn is not waited for there.
func (s *Server) pages(ctx context.Context, fn func(registry.Tenant, *registry.Database) error) error {
	if !asking(ctx).all() {
		return s.read(ctx, func(view *registry.View) error {
			return s.each(ctx, view, func(t registry.Tenant) error {
				d, err := view.Database(ctx, t.ID)
				if err != nil {
					return err
				}
				return fn(t, d)
			})
		})
	}
	var databases []registry.Database
	if err := s.read(ctx, func(view *registry.View) (err error) {
		databases, err = view.Databases(ctx)
		return err
	}); err != nil {
		return err
	}
	for after, full := registry.TenantID(""), true; full; {
		page, err := s.page(ctx, after, databases)
		for _, one := range page {
			if err == nil {
				err = fn(one.tenant, one.database)
			}
		}
		if err != nil {
			return err
		}
		if full = len(page) == pageSize; full {
			after = page[pageSize-1].tenant.ID
		}
	}
	return nil
}

type listed struct {
	tenant   registry.Tenant
	database *registry.Database
}

// page reads the tenants behind one. databases are those of before, in order of their tenants.
func (s *Server) page(ctx context.Context, after registry.TenantID, databases []registry.Database) (page []listed, err error) {
	err = s.read(ctx, func(view *registry.View) error {
		for t, err := range view.Tenants(ctx, registry.Page{After: string(after), Limit: pageSize}) {
			if err != nil {
				return err
			}
			page = append(page, listed{tenant: t})
		}
		for i, one := range page {
			at, known := slices.BinarySearchFunc(databases, one.tenant.ID, func(d registry.Database, id registry.TenantID) int {
				return strings.Compare(string(d.Tenant), string(id))
			})
			if known {
				page[i].database = &databases[at]
				continue
			}
			if page[i].database, err = view.Database(ctx, one.tenant.ID); err != nil { // made meanwhile, or gone
				return err
			}
		}
		return nil
	})
	return page, err
}

// canceled are the tenants whose subscription was cancelled.
func (s *Server) canceled(ctx context.Context) (found map[registry.TenantID]bool, err error) {
	found = map[registry.TenantID]bool{}
	err = s.db.Read(ctx, func(q *rows.Queries) error {
		list, err := q.Cancellations(ctx)
		for _, row := range list {
			found[registry.TenantID(row.TenantID)] = row.DeleteAt != nil
		}
		return err
	})
	return found, err
}

// lists remembers the lists that were rendered last, as far as they are small together: many clients
// of a user ask for the same one.
type lists struct {
	mu    sync.Mutex
	known map[string]*list
	bytes int // of all that are known
}

type list struct {
	mu   sync.Mutex // while it is rendered
	at   version
	body []byte // nil until it is rendered
}

const (
	maxLists     = 256
	maxListBytes = 64 << 20
)

// of returns the list of a principal, at least as new as when he asked, and its version: who waited while
// it was rendered for another has that one. All who may use every tenant have the same.
func (l *lists) of(p *principal, asked version, render func() (version, []byte, error)) (version, []byte, error) {
	whose := p.token.ID
	if p.all() {
		whose = "all"
	}
	one := l.slot(whose)
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.body != nil && one.at.covers(asked) {
		return one.at, one.body, nil
	}
	at, body, err := render()
	if err != nil {
		return at, nil, err
	}
	l.mu.Lock()
	l.bytes += len(body) - len(one.body)
	l.mu.Unlock()
	one.at, one.body = at, body
	return at, body, nil
}

// slot is where the list of a token is kept. Where there are too many, all are forgotten.
func (l *lists) slot(token string) *list {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil || len(l.known) >= maxLists || l.bytes > maxListBytes {
		l.known, l.bytes = map[string]*list{}, 0
	}
	if l.known[token] == nil {
		l.known[token] = &list{}
	}
	return l.known[token]
}
