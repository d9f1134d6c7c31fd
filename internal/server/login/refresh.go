package login

import (
	"context"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/secret"
)

// RefreshToken gives new tokens for a refresh token, which is thereby used up.
func (a authority) RefreshToken(ctx context.Context, r *op.ClientRequest[oidc.RefreshTokenRequest]) (*op.Response, error) {
	return a.change(ctx, func(q *server.Queries) (answer, error) { return a.refresh(ctx, q, r.Data) })
}

func (a authority) refresh(ctx context.Context, q *server.Queries, r *oidc.RefreshTokenRequest) (answer, error) {
	token, err := q.RefreshToken(ctx, secret.Hash(r.RefreshToken))
	if server.IsMissing(err) {
		return invalidGrant("the refresh token is not known, or its login has ended"), nil
	}
	if err != nil {
		return answer{}, err
	}
	login, err := q.Login(ctx, token.Session)
	if err != nil {
		return answer{}, err
	}
	switch {
	case login.ExpiresAt <= a.micros():
		return a.endRefused(ctx, q, login, "nobody refreshed it for 30 days")
	case !a.isCurrent(login, token):
		return a.endRefused(ctx, q, login, "an old refresh token came back")
	}
	h, refusal, err := a.may(ctx, q, person{login.UserID, login.TokenID}, login.Scopes)
	switch {
	case err != nil:
		return answer{}, err
	case refusal != nil && refusal.ErrorType == oidc.InvalidGrant:
		return a.endRefused(ctx, q, login, refusal.Description)
	case refusal != nil:
		return answer{refusal: refusal}, nil
	}
	if len(r.Scopes) > 0 {
		if h.scopes = cut(h.scopes, strings.Join(r.Scopes, " ")); len(strings.Fields(h.scopes)) < len(r.Scopes) {
			return answer{refusal: oidc.ErrInvalidScope().WithDescription("this login has not all of these scopes")}, nil
		}
	}
	return a.renew(ctx, q, h, login, token)
}

// isCurrent tells a refresh token that nobody used yet, of the newest generation, and one whose answer
// was lost: used a moment ago, and none of those that were given for it came back. Any other one is
// in two hands.
func (a authority) isCurrent(login server.Login, token server.RefreshToken) bool {
	if token.UsedAt == nil {
		return token.Generation == login.Used+1
	}
	return token.Generation == login.Used && a.micros()-*token.UsedAt <= grace.Microseconds()
}

func (a authority) renew(ctx context.Context, q *server.Queries, h holder, login server.Login, token server.RefreshToken) (answer, error) {
	now := a.micros()
	if token.UsedAt == nil {
		if err := q.UseRefreshToken(ctx, server.UseRefreshTokenParams{Hash: token.Hash, UsedAt: &now}); err != nil {
			return answer{}, err
		}
	}
	err := q.RenewLogin(ctx, server.RenewLoginParams{Session: login.Session, Used: token.Generation, ExpiresAt: a.in(loginLife)})
	if err != nil {
		return answer{}, err
	}
	tokens, err := a.issue(ctx, q, h, login.Session, login.Hostname, token.Generation+1)
	return answer{tokens: tokens, event: h.event("refresh", "done")}, err
}

// Revocation ends the login that a refresh token or an access token is of (RFC 7009). What is none
// of these is as good as ended.
func (a authority) Revocation(ctx context.Context, r *op.ClientRequest[oidc.RevocationRequest]) (*op.Response, error) {
	_, err := a.change(ctx, func(q *server.Queries) (answer, error) {
		login, err := q.LoginOfToken(ctx, secret.Hash(r.Data.Token))
		if server.IsMissing(err) {
			return answer{}, nil
		}
		if err != nil {
			return answer{}, err
		}
		got, err := a.endRefused(ctx, q, login, "logged out")
		return answer{event: got.event}, err
	})
	return op.NewResponse(nil), err
}
