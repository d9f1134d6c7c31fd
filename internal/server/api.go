package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	rows "github.com/sp-registry/sp/db/server"
)

// Handler answers the requests of clients. What a process left that died between the two files is made up
// for first, while nobody asks for anything new.
func (s *Server) Handler(ctx context.Context) (http.Handler, error) {
	if err := s.forgetGone(ctx); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s.api(mux)
	return s.outermost(s.onlyKnown(mux)), s.mountLogin(ctx, mux)
}

// API returns the description of the API, as docs/openapi.yaml has it.
func (s *Server) API() *huma.OpenAPI { return s.api(http.NewServeMux()).OpenAPI() }

func (s *Server) api(mux *http.ServeMux) huma.API {
	speakProblems()
	config := huma.DefaultConfig("sp control plane", "1")
	config.CreateHooks, config.DocsPath, config.SchemasPath = nil, "", ""
	config.Formats = map[string]huma.Format{"application/json": strictJSON, "json": strictJSON}
	config.RejectUnknownQueryParameters = true
	config.Info.Description = "The API that spd offers and sp uses. Every answer has Request-Id. Secrets come only from operations " +
		"that need the scope secrets; each reading stands in the audit."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearerScheme: {Type: "http", Scheme: "bearer", Description: "sp_pat_… of a person or a job, or an access token of /oauth/token"},
		syncScheme:   {Type: "http", Scheme: "bearer", Description: "sp_sync_… of the tenant in the path, and of no other"},
	}
	api := humago.New(mux, config)
	api.UseMiddleware(s.authenticate(api), refuseEmpty(api))
	for _, operations := range []func(huma.API){
		s.health, s.me, s.tenants, s.tenantLife, s.eventStream, s.credentials, s.tokens, s.users, s.audit, s.regionList, s.configuration,
	} {
		operations(api)
	}
	return api
}

// operation is one of the API, which asks for a scope. Statuses are those of its refusals.
func operation(id, method, path, summary string, scope Scope, statuses ...int) huma.Operation {
	o := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: smallBody, Errors: statuses}
	if scope != "" {
		o.Security = []map[string][]string{{bearerScheme: {string(scope)}}}
		o.Errors = append([]int{http.StatusUnauthorized, http.StatusForbidden}, o.Errors...)
	}
	return o
}

// bodied marks an operation that reads a body, with what may be wrong with that: no JSON, too slow, too
// large, of another type.
func bodied(o huma.Operation) huma.Operation {
	o.Errors = append(o.Errors, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	return o
}

// refuseEmpty refuses a parameter that is there and empty, where it may not be. To the library it is
// none at all: who sends an empty idempotency key would believe that it guards the request.
func refuseEmpty(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		for _, p := range c.Operation().Parameters {
			mayBe := p.Schema.Type == huma.TypeString && (p.Schema.MinLength == nil || *p.Schema.MinLength == 0)
			if !mayBe && isEmpty(c, p) {
				writeProblem(api, c, invalid(p.Name, "it is empty"))
				return
			}
		}
		next(c)
	}
}

// isEmpty tells whether a parameter is there, and nothing in it.
func isEmpty(c huma.Context, p *huma.Param) (empty bool) {
	if p.In == "query" {
		at := c.URL()
		query := at.Query()
		return query.Has(p.Name) && query.Get(p.Name) == ""
	}
	c.EachHeader(func(name, value string) {
		empty = empty || p.In == "header" && value == "" && strings.EqualFold(name, p.Name)
	})
	return empty
}

// secretly marks an operation whose answer is a secret, which needs that scope, too.
func secretly(o huma.Operation) huma.Operation {
	for scheme, scopes := range o.Security[0] {
		if len(scopes) == 0 || scopes[0] != string(Secrets) {
			o.Security[0][scheme] = append(scopes, string(Secrets))
		}
	}
	return o
}

// data wraps an answer, as the original does with some.
type data[T any] struct {
	Data T `json:"data"`
}

// outermost is around everything: every answer has a number by which the log and the audit know it,
// and nothing that goes wrong here shows more than that.
func (s *Server) outermost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := newID(s.Random)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		address := s.addressOf(r)
		ctx := context.WithValue(context.WithValue(r.Context(), requestKey, id), addressKey, address)
		header := w.Header()
		header.Set("Request-Id", id)
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		seen := &seenWriter{ResponseWriter: w}
		began := s.Now()
		defer func() {
			if trouble := recover(); trouble != nil && trouble != http.ErrAbortHandler {
				s.Log.ErrorContext(ctx, "panic", "request", id, "method", r.Method, "path", loggedPath(r.URL.Path), "trouble", trouble)
				if seen.status == 0 {
					respond(seen, problem(http.StatusInternalServerError, "internal", "the control plane has a problem; its log has more under %s", id))
				}
			}
			s.Log.InfoContext(ctx, "request", "request", id, "method", r.Method, "path", loggedPath(r.URL.Path), "status", seen.status, "took", s.Now().Sub(began).Round(time.Microsecond).String())
		}()
		r = r.WithContext(ctx)
		r.RemoteAddr = net.JoinHostPort(address, "0")
		next.ServeHTTP(seen, r)
	})
}

// seenWriter knows what was answered.
type seenWriter struct {
	http.ResponseWriter
	status int
}

func (w *seenWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *seenWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap and Flush are what a stream asks for.
func (w *seenWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *seenWriter) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// onlyKnown answers what the router has no pattern for with a problem instead of a line of text, or with a
// page, in a browser.
func (s *Server) onlyKnown(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		found := &routed{header: http.Header{}}
		handler.ServeHTTP(found, r)
		if allow := found.header.Get("Allow"); allow != "" {
			respond(w, problem(http.StatusMethodNotAllowed, "unsupported", "%s is not offered there, but %s", r.Method, allow).with("Allow", allow))
			return
		}
		if accepts(r.Header.Get("Accept"), "text/html") {
			s.login.ShowNowhere(w, r)
			return
		}
		respond(w, problem(http.StatusNotFound, "not_found", "there is nothing at that path"))
	})
}

// routed takes what the router would say.
type routed struct{ header http.Header }

func (r *routed) Header() http.Header         { return r.header }
func (r *routed) Write(b []byte) (int, error) { return len(b), nil }
func (r *routed) WriteHeader(int)             {}

// respond answers with a problem outside of the API's operations.
func respond(w http.ResponseWriter, p *Problem) {
	for name, values := range p.headers {
		w.Header().Set(name, values[0])
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = huma.DefaultJSONFormat.Marshal(w, p) // who does not listen learns nothing
}

// health are the two questions of who watches over the process.
func (s *Server) health(api huma.API) {
	type answer struct {
		Body struct {
			Status string `json:"status" enum:"ok"`
		}
	}
	ok := func(context.Context, *struct{}) (*answer, error) {
		a := &answer{}
		a.Body.Status = "ok"
		return a, nil
	}
	huma.Register(api, operation("healthz", http.MethodGet, "/healthz", "the process answers", ""), ok)
	huma.Register(api, operation("readyz", http.MethodGet, "/readyz", "the stores can be read; whether there is room to write is not looked at, a change says so by 503", "", http.StatusServiceUnavailable), func(ctx context.Context, in *struct{}) (*answer, error) {
		if s.stopping.Load() {
			return nil, problem(http.StatusServiceUnavailable, "unavailable", "spd is being stopped")
		}
		if err := s.ready(ctx); err != nil {
			s.Log.ErrorContext(ctx, "not ready", "error", err)
			return nil, problem(http.StatusServiceUnavailable, "unavailable", "the stores do not answer").with("Retry-After", "2")
		}
		return ok(ctx, in)
	})
}

// ready tells whether both files can be read, have the schema that this program knows, and belong together.
func (s *Server) ready(ctx context.Context) error {
	return errors.Join(s.checkRegistry(ctx), s.db.Read(ctx, func(q *rows.Queries) error {
		_, err := q.Grants(ctx)
		return err
	}))
}

// Stop has the server say from now on that it is not ready, while it answers what is under way.
func (s *Server) Stop() { s.stopping.Store(true) }

// origin is the URL of the server, without a slash at its end.
func (s *Server) origin() string { return strings.TrimSuffix(s.URL.String(), "/") }
