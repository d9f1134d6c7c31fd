package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// Token is a personal token as it is listed: never the token itself.
type Token struct {
	ID      string              `json:"id"`
	Name    string              `json:"name"`
	User    string              `json:"user"`
	Prefix  string              `json:"prefix"`
	Scopes  []Scope             `json:"scopes"`
	Tenants []registry.TenantID `json:"tenants" doc:"the only ones for which it is good; none: all that its user has"`
	Created time.Time           `json:"created_at"`
	Expires *time.Time          `json:"expires_at"`
	Used    *time.Time          `json:"used_at"`
}

// NewToken is a personal token that was just made.
type NewToken struct {
	Token
	Secret string `json:"token" doc:"shown once"`
}

// TokenRequest asks for a personal token.
type TokenRequest struct {
	Name    string   `json:"name" minLength:"1" maxLength:"255"`
	Scopes  []string `json:"scopes" minItems:"1" maxItems:"4" uniqueItems:"true" enum:"read,write,secrets,admin"`
	Tenants []string `json:"tenants,omitempty" maxItems:"1000" uniqueItems:"true"`
	Expires int      `json:"expires_in,omitempty" minimum:"1" maximum:"315360000" doc:"in seconds; else never"`
}

// newToken makes a token and the row by which it is known again.
func (s *Server) newToken(prefix string) (token secret.Secret, row rows.InsertTokenParams, err error) {
	if token, err = secret.NewToken(prefix, s.Random); err != nil {
		return token, row, err
	}
	id, err := newID(s.Random)
	text := token.Reveal()
	return token, rows.InsertTokenParams{ID: id, Hash: secret.Hash(text), Shown: text[:12], CreatedAt: s.Now().UnixMicro()}, err
}

// tokens are the operations on personal tokens.
func (s *Server) tokens(api huma.API) {
	huma.Register(api, operation("tokens", http.MethodGet, "/api/v1/tokens", "my tokens; with the scope admin, all", Read),
		func(ctx context.Context, _ *struct{}) (*struct{ Body data[[]Token] }, error) {
			found, err := s.Tokens(ctx)
			return &struct{ Body data[[]Token] }{data[[]Token]{found}}, s.refused(ctx, err)
		})
	create := bodied(secretly(operation("createToken", http.MethodPost, "/api/v1/tokens", "a personal token, shown once", Secrets, http.StatusNotFound, http.StatusUnprocessableEntity)))
	create.DefaultStatus = http.StatusCreated
	huma.Register(api, create, func(ctx context.Context, in *struct{ Body TokenRequest }) (*struct{ Body data[NewToken] }, error) {
		made, err := s.createToken(ctx, in.Body)
		return &struct{ Body data[NewToken] }{data[NewToken]{made}}, s.refused(ctx, s.noted(ctx, act{action: "token.create", target: made.ID}, err))
	})
	remove := operation("deleteToken", http.MethodDelete, "/api/v1/tokens/{id}", "my own; with the scope admin, any: it is refused from now on, and so is what was made with it",
		Write, http.StatusNotFound)
	remove.DefaultStatus = http.StatusNoContent
	huma.Register(api, remove, func(ctx context.Context, in *TenantPath) (*struct{}, error) {
		return nil, s.refused(ctx, s.deleteToken(ctx, in.ID))
	})
}

// createToken makes a token for who asks, which can do no more than the one that he has.
func (s *Server) createToken(ctx context.Context, r TokenRequest) (NewToken, error) {
	p := asking(ctx)
	if len(r.Tenants) == 0 {
		for _, id := range p.only {
			r.Tenants = append(r.Tenants, string(id))
		}
	}
	if at, why := r.unfit(); why != "" {
		return NewToken{}, invalid(at, "%s", why)
	}
	if err := p.mayMake(r); err != nil { // before anything is said of a tenant
		return NewToken{}, err
	}
	return s.makeToken(ctx, p.user.ID, r, &p.token)
}

// mayMake refuses a token that could do more than the one of who asks.
func (p *principal) mayMake(r TokenRequest) error {
	for _, scope := range r.Scopes {
		if !slices.Contains(p.scopes, Scope(scope)) {
			return problem(http.StatusForbidden, "denied", "your token does not have the scope %s itself", scope)
		}
	}
	for _, id := range r.Tenants {
		if !p.may(registry.TenantID(id)) {
			return errNotFound
		}
	}
	return nil
}

// unfit says what is wrong with a token that is asked for, and with which member; nothing if it can be made.
func (r TokenRequest) unfit() (pointer, why string) {
	switch {
	case pgurl.IsMisplaced(r.Name):
		return "/name", "the name of the token is a secret itself, and names are shown"
	case len(r.Tenants) > 0 && slices.Contains(r.Scopes, string(Admin)):
		return "/scopes", "a token for certain tenants can't have the scope admin, which is for users and the audit of all tenants"
	}
	return "", ""
}

// makeToken makes a personal token, with another one unless that is nil.
func (s *Server) makeToken(ctx context.Context, user string, r TokenRequest, parent *rows.Token) (made NewToken, err error) {
	at, err := s.absent(ctx, r.Tenants)
	if err == nil && at >= 0 { // a word that names none would be as none at all, which means every tenant
		err = errNotFound
	}
	if err != nil {
		return made, err
	}
	token, row, err := s.newToken(secret.PersonalToken)
	if err != nil {
		return made, err
	}
	row.Kind, row.Name, row.UserID, row.Scopes, row.Tenants = personalKind, r.Name, &user, joined(r.Scopes), joined(r.Tenants)
	if r.Expires > 0 {
		at := s.Now().Add(time.Duration(r.Expires) * time.Second).UnixMicro()
		row.ExpiresAt = &at
	}
	err = s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
		if err := mustBeActive(ctx, q, user); err != nil {
			return err
		}
		if parent != nil {
			if p, err := s.admittedIn(ctx, q); err != nil {
				return err
			} else if err := p.mayMake(r); err != nil {
				return err
			}
		}
		if err := endWith(ctx, q, &row, parent); err != nil {
			return err
		}
		if err := q.InsertToken(ctx, row); err != nil {
			return err
		}
		stored, err := q.Token(ctx, row.ID)
		made = NewToken{shownToken(stored), token.Reveal()}
		return err
	})
	return made, err
}

// CreateTokenFor makes a personal token for the user of a name, as this machine's operator may. Without
// scopes it allows what the user's role does, but for administration.
func (s *Server) CreateTokenFor(ctx context.Context, name string, r TokenRequest) (NewToken, error) {
	a := act{action: "token.create"}
	made, err := s.createTokenFor(ctx, name, r, &a)
	return made, s.noted(ctx, a, err)
}

func (s *Server) createTokenFor(ctx context.Context, name string, r TokenRequest, a *act) (made NewToken, err error) {
	if _, why := r.unfit(); why != "" {
		return made, fmt.Errorf("%s: %w", why, ErrInvalid)
	}
	u, err := s.UserNamed(ctx, name)
	if err != nil {
		return made, err
	}
	a.target = u.Name
	if r.Scopes == nil {
		r.Scopes = u.Role.usual()
	}
	for _, scope := range r.Scopes {
		if !slices.Contains(u.Role.Scopes(), Scope(scope)) {
			return made, fmt.Errorf("scope %s: the role %s allows only %s: %w", harmless(scope), u.Role, joined(u.Role.Scopes()), ErrInvalid)
		}
	}
	return s.makeToken(ctx, u.ID, r, nil)
}

// DeleteToken ends a personal token.
func (s *Server) DeleteToken(ctx context.Context, id string) error {
	err := s.deleteToken(ctx, id)
	if errors.Is(err, errNoToken) {
		err = fmt.Errorf("token %s: %w", harmless(id), registry.ErrNotFound)
	}
	return err
}

func (s *Server) deleteToken(ctx context.Context, id string) error {
	return s.noted(ctx, act{action: "token.delete", target: onlyID(id)}, s.endToken(ctx, id))
}

// Tokens returns the personal tokens that who asks may end; for who runs spd, those of all users.
func (s *Server) Tokens(ctx context.Context) (found []Token, err error) {
	found = []Token{}
	err = s.db.Read(ctx, func(q *rows.Queries) error {
		p, err := s.stillIn(ctx, q)
		if err != nil {
			return err
		}
		list, err := q.PersonalTokens(ctx)
		for _, row := range list {
			if p.mayEnd(row) {
				found = append(found, shownToken(row))
			}
		}
		return err
	})
	return found, err
}

// mayEnd tells whether somebody may see and end a personal token: one of his own, or with the scope admin
// any; with a token for certain tenants, only one that is good for no other. Who runs spd, nil, may end all.
func (p *principal) mayEnd(token rows.Token) bool {
	if p == nil {
		return true
	}
	for word := range strings.FieldsSeq(token.Tenants) {
		if p.only != nil && !slices.Contains(p.only, registry.TenantID(word)) {
			return false
		}
	}
	return (p.only == nil || token.Tenants != "") && (*token.UserID == p.user.ID || slices.Contains(p.scopes, Admin))
}

var errNoToken = problem(http.StatusNotFound, "not_found", "there is no such token, or it is not yours")

// endWith has a token end with the personal one that it was made with, at the latest: also through a
// login that was begun with that.
func endWith(ctx context.Context, q *rows.Queries, row *rows.InsertTokenParams, made *rows.Token) error {
	if made == nil {
		return nil
	}
	parent := *made
	if made.Kind == accessKind {
		begun, err := q.Login(ctx, *made.Session)
		if err != nil || begun.TokenID == nil { // who came in with a join code has no token that ends
			return err
		}
		if parent, err = q.Token(ctx, *begun.TokenID); err != nil {
			return err
		}
	}
	row.ParentID = &parent.ID
	if end := parent.ExpiresAt; end != nil && (row.ExpiresAt == nil || *row.ExpiresAt > *end) {
		row.ExpiresAt = end
	}
	return nil
}

// endToken ends a personal token with all that was made or begun with it, if it is one that may be ended.
func (s *Server) endToken(ctx context.Context, id string) error {
	return s.db.Write(context.WithoutCancel(ctx), func(q *rows.Queries) error {
		p, err := s.stillIn(ctx, q)
		if err != nil {
			return err
		}
		token, err := q.Token(ctx, id)
		if rows.IsMissing(err) || err == nil && (token.Kind != personalKind || !p.mayEnd(token)) {
			return errNoToken
		}
		if err == nil {
			_, err = q.DeleteToken(ctx, id)
		}
		if err == nil { // the logins that were begun with it and its like went with them
			err = q.DeleteAccessTokensOfNoLogin(ctx)
		}
		return err
	})
}

func shownToken(row rows.Token) Token {
	t := Token{
		ID: row.ID, Name: row.Name, User: orNothing(row.UserID), Prefix: row.Shown, Scopes: []Scope{}, Tenants: []registry.TenantID{},
		Created: time.UnixMicro(row.CreatedAt).UTC(), Expires: instant(row.ExpiresAt), Used: instant(row.UsedAt),
	}
	for word := range strings.FieldsSeq(row.Scopes) {
		t.Scopes = append(t.Scopes, Scope(word))
	}
	for word := range strings.FieldsSeq(row.Tenants) {
		t.Tenants = append(t.Tenants, registry.TenantID(word))
	}
	return t
}

func instant(micro *int64) *time.Time {
	if micro == nil {
		return nil
	}
	at := time.UnixMicro(*micro).UTC()
	return &at
}
