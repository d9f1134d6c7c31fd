package server

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/registry"
)

// event is a step that was taken for a tenant, in the words of the original's control plane.
type event struct {
	Tenant  registry.TenantID `json:"tenant_id"`
	Type    string            `json:"event_type"`
	Status  string            `json:"status" enum:"provisioning,ready,failed,deleting"`
	Message string            `json:"message,omitempty"`
	AppURL  string            `json:"app_url,omitempty"`
}

// heartbeat shows that a stream without news is alive.
type heartbeat struct {
	Status string `json:"status" enum:"provisioning,ready,failed,deleting"`
}

// The words for how far the database of a tenant is.
const (
	provisioning = "provisioning"
	ready        = "ready"
	failed       = "failed"
	deleting     = "deleting"
)

// tell records an event behind the others of its tenant, and wakes who waits for it.
func (s *Server) tell(ctx context.Context, id registry.TenantID, e event) error {
	ctx = context.WithoutCancel(ctx)
	err := s.db.Write(ctx, func(q *rows.Queries) error { return s.tellIn(ctx, q, id, e) })
	s.news.tell(id)
	return err
}

func (s *Server) tellIn(ctx context.Context, q *rows.Queries, id registry.TenantID, e event) error {
	last, err := q.LastEvent(ctx, string(id))
	if err != nil {
		return err
	}
	return q.InsertEvent(ctx, rows.InsertEventParams{
		TenantID: string(id), Number: last + 1, At: s.Now().UnixMicro(), Type: e.Type, Status: e.Status, Message: e.Message,
	})
}

// news wakes those who wait for an event of a tenant, and the loop.
type news struct {
	mu    sync.Mutex
	next  map[registry.TenantID]chan struct{} // closed at the next event; only where somebody waits
	loop  chan struct{}                       // has something if the loop has something to do
	ready sync.Once
}

func (n *news) init() {
	n.ready.Do(func() { n.next, n.loop = map[registry.TenantID]chan struct{}{}, make(chan struct{}, 1) })
}

// wait returns a channel that is closed at the next event of a tenant.
func (n *news) wait(id registry.TenantID) <-chan struct{} {
	n.init()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next[id] == nil {
		n.next[id] = make(chan struct{})
	}
	return n.next[id]
}

func (n *news) tell(id registry.TenantID) {
	n.init()
	n.mu.Lock()
	defer n.mu.Unlock()
	if next := n.next[id]; next != nil {
		close(next)
		delete(n.next, id)
	}
}

// wake has the loop look now.
func (n *news) wake() {
	n.init()
	select {
	case n.loop <- struct{}{}:
	default: // it is about to look
	}
}

// beat is how often a stream without news shows that it is alive, and is looked at who follows it.
const beat = 15 * time.Second

// eventStream is the operation that follows a tenant's database until it is ready or failed.
func (s *Server) eventStream(api huma.API) {
	type input struct {
		TenantPath
		Last string `header:"Last-Event-ID" doc:"the id of the last event that was read; those behind it follow"`
	}
	o := operation("tenantEvents", http.MethodGet, "/api/v1/tenants/{id}/events",
		"server-sent events: provisioning, numbered by its id, so that who comes back misses none and gets none twice, and heartbeat", Read, http.StatusNotFound)
	o.Middlewares = huma.Middlewares{s.knownTenant(api)}
	sse.Register(api, o, map[string]any{"provisioning": event{}, "heartbeat": heartbeat{}}, func(ctx context.Context, in *input, send sse.Sender) {
		s.follow(ctx, registry.TenantID(in.ID), in.Last, send)
	})
	api.OpenAPI().Paths[o.Path].Get.Responses["200"].Content["text/event-stream"].Schema = eventSchema(api)
}

// eventSchema describes one event of the stream, as it is sent: the library describes a list of objects.
func eventSchema(api huma.API) *huma.Schema {
	known := api.OpenAPI().Components.Schemas
	said := &huma.Schema{OneOf: []*huma.Schema{known.Schema(reflect.TypeFor[event](), true, "Event"), known.Schema(reflect.TypeFor[heartbeat](), true, "Heartbeat")}}
	return &huma.Schema{
		Type: huma.TypeObject, Required: []string{"event", "data"},
		Properties: map[string]*huma.Schema{
			"id":    {Type: huma.TypeString, Description: "its number; a heartbeat has none"},
			"event": {Type: huma.TypeString, Enum: []any{"provisioning", "heartbeat"}},
			"data":  {Type: huma.TypeString, Extensions: map[string]any{"contentMediaType": "application/json", "contentSchema": said}},
		},
	}
}

// knownTenant refuses a tenant before a stream of it begins.
func (s *Server) knownTenant(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		if _, err := s.tenantNow(c.Context(), registry.TenantID(c.Param("id"))); err != nil {
			writeProblem(api, c, err)
			return
		}
		next(c)
	}
}

// lastRead is the number of the event that was read last. What is no number is none, and all follow; behind
// one that nobody was sent comes what is new.
func (s *Server) lastRead(ctx context.Context, id registry.TenantID, said string) (last int64, err error) {
	last, err = strconv.ParseInt(said, 10, 64)
	if err != nil {
		return 0, nil
	}
	err = s.db.Read(ctx, func(q *rows.Queries) error {
		newest, err := q.LastEvent(ctx, string(id))
		last = min(last, newest)
		return err
	})
	return last, err
}

// follow sends what comes behind an event, until there is nothing more to come or nobody listens.
func (s *Server) follow(ctx context.Context, id registry.TenantID, said string, send sse.Sender) {
	last, err := s.lastRead(ctx, id, said)
	if err != nil {
		return
	}
	tick := time.NewTicker(s.beat)
	defer tick.Stop()
	for over := false; ; {
		changed := s.news.wait(id) // before the look: an event in between is not missed
		now, err := s.status(ctx, id)
		if err != nil {
			return // who was locked out, or whose token ended; another one comes back
		}
		found, err := s.eventsAfter(ctx, id, last)
		if err != nil {
			return
		}
		for _, e := range found {
			if send(sse.Message{ID: int(e.Number), Data: shownEvent(id, e, now.AppURL)}) != nil {
				return
			}
			last, over = e.Number, e.Status != provisioning
		}
		var late <-chan time.Time
		if now.Status != provisioning {
			if over {
				return
			}
			late = time.After(lastWord)
		}
		select {
		case <-ctx.Done():
			return
		case <-late: // the process ended before it could say so
			return
		case <-changed:
		case <-tick.C:
			if send.Data(heartbeat{now.Status}) != nil {
				return
			}
		}
	}
}

// lastWord is how long a stream waits for the event that says what is so already.
const lastWord = time.Second

func (s *Server) eventsAfter(ctx context.Context, id registry.TenantID, last int64) (found []rows.Event, err error) {
	err = s.db.Read(ctx, func(q *rows.Queries) (err error) {
		found, err = q.EventsAfter(ctx, rows.EventsAfterParams{TenantID: string(id), Number: last})
		return err
	})
	return found, err
}

func shownEvent(id registry.TenantID, e rows.Event, app string) event {
	shown := event{Tenant: id, Type: e.Type, Status: e.Status, Message: e.Message}
	if e.Status == ready {
		shown.AppURL = app
	}
	return shown
}
