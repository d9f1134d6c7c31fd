package login

import (
	"context"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/crypto"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/secret"
)

// CodeExchange gives tokens for a code that came through a browser.
func (a authority) CodeExchange(ctx context.Context, r *op.ClientRequest[oidc.AccessTokenRequest]) (*op.Response, error) {
	return a.change(ctx, func(q *server.Queries) (answer, error) { return a.exchange(ctx, q, r.Data) })
}

func (a authority) exchange(ctx context.Context, q *server.Queries, r *oidc.AccessTokenRequest) (answer, error) {
	code, err := q.LoginCode(ctx, secret.Hash(r.Code))
	challenge := &oidc.CodeChallenge{Challenge: code.Challenge, Method: oidc.CodeChallengeMethodS256}
	switch {
	case server.IsMissing(err):
		return invalidGrant("the code is not known"), nil
	case err != nil:
		return answer{}, err
	case code.Session != nil:
		return a.endStolen(ctx, q, *code.Session, "the code was used twice")
	case code.ExpiresAt <= a.micros():
		return invalidGrant("the code has expired"), nil
	case code.RedirectURL != r.RedirectURI:
		return invalidGrant("the code is for another redirect_uri"), nil
	case !oidc.VerifyCodeChallenge(challenge, r.CodeVerifier):
		return invalidGrant("code_verifier does not fit the code"), nil
	}
	session, got, err := a.begin(ctx, q, person{code.UserID, code.TokenID}, code.Scopes, code.Hostname)
	if err != nil || session == "" {
		return got, err
	}
	return got, q.UseLoginCode(ctx, server.UseLoginCodeParams{Hash: code.Hash, Session: &session})
}

// begin begins a login, whose session it returns, or says why it may not.
func (a authority) begin(ctx context.Context, q *server.Queries, p person, scopes, hostname string) (string, answer, error) {
	h, refusal, err := a.may(ctx, q, p, scopes)
	if err != nil || refusal != nil {
		return "", answer{refusal: refusal, event: h.event("login", "refused")}, err
	}
	session, err := a.unguessable()
	if err != nil {
		return "", answer{}, err
	}
	login := server.InsertLoginParams{Session: session, UserID: p.userID, TokenID: p.tokenID, Scopes: scopes, Hostname: hostname, ExpiresAt: a.in(loginLife)}
	if err := q.InsertLogin(ctx, login); err != nil {
		return "", answer{}, err
	}
	tokens, err := a.issue(ctx, q, h, session, hostname, 1)
	return session, answer{tokens: tokens, event: h.event("login", "done")}, err
}

// issue makes an access token and a refresh token of a generation.
func (a authority) issue(ctx context.Context, q *server.Queries, h holder, session, hostname string, generation int64) (*oidc.AccessTokenResponse, error) {
	access, err := a.issueAccess(ctx, q, h, session, hostname)
	if err != nil {
		return nil, err
	}
	refresh, err := a.unguessable()
	if err != nil {
		return nil, err
	}
	return &oidc.AccessTokenResponse{
		AccessToken: access, TokenType: oidc.BearerToken, RefreshToken: refresh, Scope: strings.Fields(h.scopes),
		ExpiresIn: uint64(max(0, h.until-a.micros()) / 1e6),
	}, q.InsertRefreshToken(ctx, server.InsertRefreshTokenParams{Hash: secret.Hash(refresh), Session: session, Generation: generation})
}

// issueAccess makes an access token: a JWT, because programs read from it when it ends, and a row,
// because it can be revoked.
func (a authority) issueAccess(ctx context.Context, q *server.Queries, h holder, session, hostname string) (string, error) {
	id, err := a.unguessable()
	if err != nil {
		return "", err
	}
	claims := &oidc.AccessTokenClaims{Scopes: strings.Fields(h.scopes), TokenClaims: oidc.TokenClaims{
		Issuer: a.Issuer, Audience: oidc.Audience{a.Issuer}, Subject: h.user.ID, ClientID: clientID, JWTID: id,
		IssuedAt: oidc.Time(a.micros() / 1e6), Expiration: oidc.Time(h.until / 1e6),
	}}
	token, err := crypto.Sign(claims, a.signer)
	if err != nil {
		return "", err
	}
	return token, q.InsertToken(ctx, server.InsertTokenParams{
		ID: id, Kind: "access", Hash: secret.Hash(token), Name: hostname, UserID: &h.user.ID, Session: &session,
		Scopes: h.scopes, Tenants: h.tenants, CreatedAt: a.micros(), ExpiresAt: &h.until,
	})
}

// endStolen ends a login of which somebody else has a code or a token.
func (a authority) endStolen(ctx context.Context, q *server.Queries, session, why string) (answer, error) {
	login, err := q.Login(ctx, session)
	if server.IsMissing(err) {
		return invalidGrant(why), nil
	}
	if err != nil {
		return answer{}, err
	}
	return a.endRefused(ctx, q, login, why)
}

// endRefused ends a login and says why.
func (a authority) endRefused(ctx context.Context, q *server.Queries, login server.Login, why string) (answer, error) {
	got := invalidGrant(why + "; this login has ended")
	user, err := q.User(ctx, login.UserID)
	if err != nil {
		return got, err
	}
	got.event = holder{user: user, tokenID: login.TokenID}.event("login", "ended: "+why)
	return got, end(ctx, q, login.Session)
}
