package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// principal is who asks: a user by one of his tokens, or a tenant's sync token.
type principal struct {
	user   rows.User // of a sync token nobody
	token  rows.Token
	scopes []Scope
	admin  bool                // may use every tenant
	own    []registry.TenantID // those that the user may use otherwise, sorted
	only   []registry.TenantID // of these, those for which the token is good; nil is all
	grants int64               // how often what anybody may use had changed when that was read
	needs  []string            // the scopes that are needed for what was asked
}

// may tells whether a tenant is one of those that the token is good for.
func (p *principal) may(id registry.TenantID) bool {
	if p.only != nil && !slices.Contains(p.only, id) {
		return false
	}
	_, owned := slices.BinarySearch(p.own, id)
	return p.admin || owned
}

// all tells whether that are all tenants there are.
func (p *principal) all() bool { return p.admin && p.only == nil }

// lost tells whether somebody who is so by now may not use a tenant any more that he could.
func (p *principal) lost(now *principal) bool {
	return p.all() && !now.all() || !p.all() && slices.ContainsFunc(slices.Concat(p.own, p.only), func(id registry.TenantID) bool { return p.may(id) && !now.may(id) })
}

type contextKey int

const (
	principalKey contextKey = iota
	requestKey
	notedKey
	addressKey
	bodyKey
)

// asking is who asks in a request that was authenticated.
func asking(ctx context.Context) *principal { return ctx.Value(principalKey).(*principal) }

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey).(string)
	return id
}

// authenticate finds out who asks, and refuses who may not: an operation lists the scopes that it
// asks for in its Security.
func (s *Server) authenticate(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		scheme, scopes := demanded(c.Operation())
		if scheme == "" {
			next(c)
			return
		}
		p, err := s.admit(c.Context(), c.Header("Authorization"), scheme, scopes)
		if p != nil { // who is unknown stands nowhere
			c = huma.WithValue(huma.WithValue(c, principalKey, p), notedKey, &noting{})
			defer s.noteAnswer(c)
		}
		if err != nil {
			writeProblem(api, c, s.refused(c.Context(), err))
			return
		}
		next(c)
	}
}

// writeProblem answers with a problem from where no operation is reached.
func writeProblem(api huma.API, c huma.Context, err error) {
	p, ok := err.(*Problem)
	if !ok {
		p = problem(http.StatusInternalServerError, "internal", "the control plane has a problem")
	}
	for name, values := range p.headers {
		c.SetHeader(name, values[0])
	}
	c.SetHeader("Content-Type", "application/problem+json")
	c.SetStatus(p.Status)
	_ = api.Marshal(c.BodyWriter(), "application/json", p) // who does not listen learns nothing
}

// demanded is the kind of token that an operation asks for, and the scopes.
func demanded(o *huma.Operation) (scheme string, scopes []string) {
	for _, one := range o.Security {
		for scheme, scopes := range one {
			return scheme, scopes
		}
	}
	return "", nil
}

var errUnauthenticated = problem(http.StatusUnauthorized, "unauthenticated",
	"the token is missing, unknown, expired or revoked").with("WWW-Authenticate", "Bearer")

// admit finds the user of a token, and looks whether both may do what is asked.
func (s *Server) admit(ctx context.Context, header, scheme string, scopes []string) (*principal, error) {
	word, text, _ := strings.Cut(header, " ")
	if !strings.EqualFold(word, "bearer") || text == "" {
		return nil, errUnauthenticated
	}
	var p *principal
	if err := s.db.Read(ctx, func(q *rows.Queries) (err error) {
		p, err = s.identify(ctx, q, secret.Hash(strings.TrimSpace(text)))
		return err
	}); err != nil {
		return nil, err
	}
	if (p.token.Kind == syncKind) != (scheme == syncScheme) {
		return p, problem(http.StatusForbidden, "denied", "this takes another kind of token")
	}
	p.needs = scopes
	if err := p.mustHaveScopes(); err != nil {
		return p, err
	}
	s.touch(ctx, p.token)
	return p, nil
}

// admitted is who asks as he is now. A request may have waited since he was let in: he may be locked out
// by now, or have lost a scope or a tenant.
func (s *Server) admitted(ctx context.Context) (p *principal, err error) {
	err = s.db.Read(ctx, func(q *rows.Queries) error {
		p, err = s.admittedIn(ctx, q)
		return err
	})
	return p, err
}

func (s *Server) admittedIn(ctx context.Context, q *rows.Queries) (*principal, error) {
	p, err := s.identify(ctx, q, asking(ctx).token.Hash)
	if err == nil {
		p.needs = asking(ctx).needs
		err = p.mustHaveScopes()
	}
	return p, err
}

// mustBeTheirs refuses who asks a change of serve.db that is about a tenant which he may not use any more.
func (s *Server) mustBeTheirs(ctx context.Context, q *rows.Queries, id registry.TenantID) error {
	p, err := s.admittedIn(ctx, q)
	if err == nil && !p.may(id) {
		err = errNotFound
	}
	return err
}

// stillIn is who asks as he is now, and refuses what he may not do any more. Who runs spd is nil, and asks
// nobody.
func (s *Server) stillIn(ctx context.Context, q *rows.Queries) (*principal, error) {
	if _, asks := ctx.Value(principalKey).(*principal); !asks {
		return nil, nil
	}
	return s.admittedIn(ctx, q)
}

func (p *principal) mustHaveScopes() error {
	for _, scope := range p.needs {
		if scope == string(Admin) && p.only != nil {
			return problem(http.StatusForbidden, "denied", "this needs the scope admin, which a token for certain tenants can't have")
		}
		if !slices.Contains(p.scopes, Scope(scope)) {
			return problem(http.StatusForbidden, "denied", "this needs the scope %s, which your token or your role does not have", scope)
		}
	}
	return nil
}

// The kinds of tokens, and the schemes of the API that ask for them.
const (
	personalKind = "personal"
	syncKind     = "sync"
	accessKind   = "access"

	bearerScheme = "bearer"
	syncScheme   = "sync"
)

// identify finds the user of a token.
func (s *Server) identify(ctx context.Context, q *rows.Queries, hash string) (p *principal, err error) {
	p = &principal{}
	if p.token, err = q.TokenByHash(ctx, hash); rows.IsMissing(err) {
		return nil, errUnauthenticated
	} else if err != nil {
		return nil, err
	}
	if end := p.token.ExpiresAt; end != nil && *end <= s.Now().UnixMicro() {
		return nil, errUnauthenticated
	}
	if p.token.Kind == syncKind {
		p.own = []registry.TenantID{registry.TenantID(*p.token.TenantID)}
		return p, nil
	}
	if p.user, err = q.User(ctx, *p.token.UserID); err != nil {
		return nil, err
	}
	if !p.user.Active {
		return nil, errUnauthenticated
	}
	role := Role(p.user.Role)
	p.admin, p.scopes = role == AdminRole, scopesOf(p.token.Scopes, role)
	for id := range strings.FieldsSeq(p.token.Tenants) {
		p.only = append(p.only, registry.TenantID(id))
	}
	if p.only != nil { // users and the audit are those of all tenants
		p.scopes = slices.DeleteFunc(p.scopes, func(scope Scope) bool { return scope == Admin })
	}
	if p.grants, err = q.Grants(ctx); err != nil {
		return nil, err
	}
	own, err := q.TenantsOf(ctx, p.user.ID)
	p.own = make([]registry.TenantID, len(own))
	for i, id := range own {
		p.own[i] = registry.TenantID(id)
	}
	return p, err
}

// touch notes when a token was used, to the minute. Nobody is kept from reading because that can't be
// written; the log has it once, until it can again.
func (s *Server) touch(ctx context.Context, t rows.Token) {
	now := s.Now()
	if t.UsedAt != nil && now.Sub(time.UnixMicro(*t.UsedAt)) < time.Minute {
		return
	}
	at := now.UnixMicro()
	err := s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
		return q.TouchToken(ctx, rows.TouchTokenParams{ID: t.ID, UsedAt: &at})
	})
	if s.untouched.Swap(err != nil) || err == nil {
		return
	}
	s.Log.WarnContext(ctx, "it could not be written when tokens were used", "request", requestID(ctx), "error", err)
}

// tenant reads a tenant that who asks may use now, whatever he could when he asked. Others do not exist for
// him.
func (s *Server) tenant(ctx context.Context, view *registry.View, id registry.TenantID) (t registry.Tenant, err error) {
	p, err := s.admitted(ctx)
	if err == nil && !p.may(id) {
		err = errNotFound
	}
	if err != nil {
		return t, err
	}
	return view.Tenant(ctx, id)
}

var errDeleted = problem(http.StatusConflict, "conflict", "the tenant is being deleted")

// mustStay refuses a tenant that is being deleted.
func mustStay(ctx context.Context, view *registry.View, id registry.TenantID) error {
	d, err := view.Database(ctx, id)
	if err == nil && (d == nil || d.State == registry.Dropping) {
		err = errDeleted
	}
	return err
}

// changeTenant runs fn in a change of the registry, for who may use a tenant once it is his turn, unless that
// is being deleted.
func (s *Server) changeTenant(ctx context.Context, id registry.TenantID, fn func(*registry.Registry) error) error {
	return s.change(ctx, func(reg *registry.Registry) error {
		view, err := reg.View(ctx)
		if err == nil {
			_, err = s.tenant(ctx, view, id)
		}
		if err == nil {
			err = mustStay(ctx, view, id)
		}
		if err != nil {
			return err
		}
		return fn(reg)
	})
}

// addressOf is from where a request comes: where a web server stands before this one, what that says
// last.
func (s *Server) addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	if last := net.ParseIP(strings.TrimSpace(hops[len(hops)-1])); s.Proxied && last != nil {
		return last.String()
	}
	return host
}

// String names who asks, for the audit.
func (p *principal) String() string {
	if p.token.Kind == syncKind {
		return fmt.Sprintf("the sync token of tenant %s", p.own[0])
	}
	return p.user.Name
}
