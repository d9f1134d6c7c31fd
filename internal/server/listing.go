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
	Status      int
	ETag        string `header:"ETag"`
	ContentType string `header:"Content-Type"`
	Body        []byte
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
	p := asking(ctx)
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
	ids := p.own
	if p.admin {
		ids = p.only
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

// state is how far the registry and the grants have come: every change of what a list shows adds to
// one of them.
func (s *Server) state(ctx context.Context) (revision, grants int64, err error) {
	err = s.read(ctx, func(view *registry.View) error {
		st, err := view.State(ctx)
		revision = st.Revision
		return err
	})
	if err == nil {
		err = s.db.Read(ctx, func(q *rows.Queries) (err error) {
			grants, err = q.Grants(ctx)
			return err
		})
	}
	return revision, grants, err
}

// listed is the list of who asks, unless he has it already.
func (s *Server) listed(ctx context.Context, known string) (*meAnswer, error) {
	revision, grants, err := s.state(ctx)
	if err != nil {
		return nil, err
	}
	etag := fmt.Sprintf(`"r%d.%d"`, revision, grants)
	if slices.Contains(strings.Split(strings.ReplaceAll(known, " ", ""), ","), etag) {
		return &meAnswer{Status: http.StatusNotModified, ETag: etag}, nil
	}
	body, err := s.lists.of(asking(ctx), etag, func() ([]byte, error) { return s.render(ctx) })
	return &meAnswer{Status: http.StatusOK, ETag: etag, ContentType: "application/json", Body: body}, err
}

// render writes the list. What is newer than its ETag by then does no harm: the next look finds
// another one.
func (s *Server) render(ctx context.Context) ([]byte, error) {
	p := asking(ctx)
	canceled, err := s.canceled(ctx)
	if err != nil {
		return nil, err
	}
	head, err := json.Marshal(Me{User: Self{p.user.ID, p.user.Email, p.user.Name}, Customer: Customer{p.user.ID}, Tenants: []Tenant{}})
	if err != nil {
		return nil, err
	}
	text := bytes.NewBuffer(bytes.TrimSuffix(head, []byte("]}")))
	err = s.read(ctx, func(view *registry.View) error {
		states, err := s.states(ctx, view)
		if err != nil {
			return err
		}
		return s.each(ctx, view, func(t registry.Tenant) error {
			d, err := states(t.ID)
			if err != nil {
				return err
			}
			one, err := json.Marshal(shown(t, d, canceled[t.ID]))
			text.Write(one)
			text.WriteByte(',')
			return err
		})
	})
	return append(bytes.TrimSuffix(text.Bytes(), []byte(",")), "]}"...), err
}

// states finds the database of a tenant. Where all are asked for, they are read at once.
func (s *Server) states(ctx context.Context, view *registry.View) (func(registry.TenantID) (*registry.Database, error), error) {
	if !asking(ctx).all() {
		return func(id registry.TenantID) (*registry.Database, error) { return view.Database(ctx, id) }, nil
	}
	databases, err := view.Databases(ctx)
	return func(id registry.TenantID) (*registry.Database, error) {
		at, ok := slices.BinarySearchFunc(databases, id, func(d registry.Database, id registry.TenantID) int {
			return strings.Compare(string(d.Tenant), string(id))
		})
		if !ok {
			return nil, nil
		}
		return &databases[at], nil
	}, err
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
	etag string
	body []byte
}

const (
	maxLists     = 256
	maxListBytes = 64 << 20
)

// of returns the list of a principal as it is at an ETag.
func (l *lists) of(p *principal, etag string, render func() ([]byte, error)) ([]byte, error) {
	one := l.slot(p.token.ID)
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.etag == etag {
		return one.body, nil
	}
	body, err := render()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.bytes += len(body) - len(one.body)
	l.mu.Unlock()
	one.etag, one.body = etag, body
	return body, nil
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
