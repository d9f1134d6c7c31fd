package login

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sp-registry/sp/db/server"
)

// authority answers the requests of programs. The library reads and checks their form, and writes
// answers and errors; what they mean for the file is here. It logs by slog's default, without codes
// and tokens.
type authority struct {
	op.UnimplementedServer
	op.UnimplementedMetadataServer
	*Login
}

var endpoints = op.Endpoints{
	Authorization:       op.NewEndpoint("/oauth/authorize"),
	DeviceAuthorization: op.NewEndpoint("/oauth/device_authorization"),
	Token:               op.NewEndpoint("/oauth/token"),
	Revocation:          op.NewEndpoint("/oauth/revoke"),
}

// clientID is the only client: sp, which can keep no secret and has none.
const clientID = "sp_cli"

var grantTypes = []oidc.GrantType{oidc.GrantTypeCode, oidc.GrantTypeRefreshToken, oidc.GrantTypeDeviceCode}

// client is sp, which may be answered at a redirect that was looked at, if it is one.
type client struct{ redirects []string }

func (c client) GetID() string                     { return clientID }
func (c client) RedirectURIs() []string            { return c.redirects }
func (client) PostLogoutRedirectURIs() []string    { return nil }
func (client) ApplicationType() op.ApplicationType { return op.ApplicationTypeNative }

func (client) AuthMethod() oidc.AuthMethod { return oidc.AuthMethodNone }

func (client) ResponseTypes() []oidc.ResponseType { return []oidc.ResponseType{oidc.ResponseTypeCode} }
func (client) GrantTypes() []oidc.GrantType       { return grantTypes }
func (client) LoginURL(id string) string          { return "/login?request=" + id }

func (client) AccessTokenType() op.AccessTokenType                          { return op.AccessTokenTypeJWT }
func (client) IDTokenLifetime() time.Duration                               { return 0 }
func (client) DevMode() bool                                                { return false }
func (client) IsScopeAllowed(scope string) bool                             { return cut(scope, every) != "" }
func (client) IDTokenUserinfoClaimsAssertion() bool                         { return false }
func (client) ClockSkew() time.Duration                                     { return 0 }
func (client) RestrictAdditionalIdTokenScopes() func([]string) []string     { return nil }
func (client) RestrictAdditionalAccessTokenScopes() func([]string) []string { return nil }

// isLoopback tells a redirect to a program on the browser's own machine (RFC 8252, 7.3). The name
// localhost is none: it may be another machine's.
func isLoopback(redirect string) bool {
	u, err := url.Parse(redirect)
	if err != nil || len(redirect) > 1024 || u.Scheme != "http" || u.User != nil || u.Fragment != "" || u.Port() == "" {
		return false
	}
	return u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"
}

func (a authority) AuthorizationServerMetadata(context.Context, *op.Request[op.MetadataRequest]) (*op.Response, error) {
	none := []oidc.AuthMethod{oidc.AuthMethodNone}
	return op.NewResponse(&oidc.DiscoveryConfiguration{
		Issuer:                                 a.Issuer,
		AuthorizationEndpoint:                  endpoints.Authorization.Absolute(a.Issuer),
		DeviceAuthorizationEndpoint:            endpoints.DeviceAuthorization.Absolute(a.Issuer),
		TokenEndpoint:                          endpoints.Token.Absolute(a.Issuer),
		RevocationEndpoint:                     endpoints.Revocation.Absolute(a.Issuer),
		ScopesSupported:                        strings.Fields(every),
		ResponseTypesSupported:                 []string{string(oidc.ResponseTypeCode)},
		ResponseModesSupported:                 []string{string(oidc.ResponseModeQuery)},
		GrantTypesSupported:                    grantTypes,
		CodeChallengeMethodsSupported:          []oidc.CodeChallengeMethod{oidc.CodeChallengeMethodS256},
		TokenEndpointAuthMethodsSupported:      none,
		RevocationEndpointAuthMethodsSupported: none,
	}), nil
}

// VerifyClient lets sp alone ask; who shows a secret takes this for another server.
func (authority) VerifyClient(_ context.Context, r *op.Request[op.ClientCredentials]) (op.Client, error) {
	if r.Data.ClientID != clientID || r.Data.ClientSecret != "" || r.Data.ClientAssertion != "" {
		return nil, op.NewStatusError(oidc.ErrInvalidClient().WithDescription("the only client is %s, without a secret", clientID), http.StatusUnauthorized)
	}
	return client{}, nil
}

func (authority) VerifyAuthRequest(_ context.Context, r *op.Request[oidc.AuthRequest]) (*op.ClientRequest[oidc.AuthRequest], error) {
	if r.Data.ClientID != clientID {
		return nil, oidc.ErrInvalidClient().WithDescription("the only client is %s", clientID)
	}
	if len(r.Data.Scopes) == 0 {
		r.Data.Scopes = strings.Fields(every)
	}
	c := client{}
	if isLoopback(r.Data.RedirectURI) {
		c.redirects = []string{r.Data.RedirectURI}
	}
	return &op.ClientRequest[oidc.AuthRequest]{Request: r, Client: c}, nil
}

// Authorize keeps what a program asks and has its person answer on a page.
func (a authority) Authorize(ctx context.Context, r *op.ClientRequest[oidc.AuthRequest]) (*op.Redirect, error) {
	if refusal := refuseRequest(r.Data); refusal != nil {
		return nil, refusal
	}
	id, err := a.unguessable()
	if err != nil {
		return nil, internal(err)
	}
	err = a.DB.Write(ctx, func(q *server.Queries) error {
		if err := q.KeepNewestLoginRequests(ctx, server.KeepNewestLoginRequestsParams{Now: a.micros(), Kept: unanswered - 1}); err != nil {
			return err
		}
		return q.InsertLoginRequest(ctx, server.InsertLoginRequestParams{
			ID: id, RedirectURL: r.Data.RedirectURI, State: r.Data.State, Challenge: r.Data.CodeChallenge,
			Scopes: cut(strings.Join(r.Data.Scopes, " "), every), Hostname: cleanName(r.Form.Get("hostname")), ExpiresAt: a.in(requestLife),
		})
	})
	if err != nil {
		return nil, internal(err)
	}
	return op.NewRedirect(r.Client.LoginURL(id)), nil
}

// refuseRequest says what a program has to ask otherwise, nil if nothing.
func refuseRequest(r *oidc.AuthRequest) error {
	switch {
	case r.RequestParam != "":
		return oidc.ErrRequestNotSupported()
	case r.State == "" || len(r.State) > 1024:
		return oidc.ErrInvalidRequest().WithDescription("state is missing, or longer than 1024 characters")
	case cut(strings.Join(r.Scopes, " "), every) == "":
		return oidc.ErrInvalidScope().WithDescription("the scopes are %s", every)
	case len(r.CodeChallenge) != 43 || r.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
		return oidc.ErrInvalidRequest().WithDescription("code_challenge with code_challenge_method S256 missing")
	case r.ResponseMode != "" && r.ResponseMode != oidc.ResponseModeQuery:
		return oidc.ErrInvalidRequest().WithDescription("response_mode is query")
	case len(r.Prompt) > 0 && r.Prompt[0] == oidc.PromptNone:
		return oidc.ErrInteractionRequired().WithDescription("a person answers each login")
	}
	return nil
}

// internal hides from a program what went wrong here; the library logs it.
func internal(err error) error {
	return oidc.ErrServerError().WithParent(err).WithDescription("the control plane could not do this; its log says why")
}

// answered is internal for a program that asks itself, and not through a browser.
func answered(err error) error { return op.NewStatusError(internal(err), statusOf(err)) }

// answer is what a change has for a program: tokens, or why there are none.
type answer struct {
	tokens  *oidc.AccessTokenResponse
	refusal *oidc.Error
	event   Event
}

// change does one change of the file and tells of it. A refusal does not take it back.
func (a authority) change(ctx context.Context, fn func(*server.Queries) (answer, error)) (*op.Response, error) {
	var got answer
	err := a.DB.Write(ctx, func(q *server.Queries) (err error) {
		got, err = fn(q)
		return err
	})
	if err != nil {
		return nil, answered(err)
	}
	a.note(ctx, got.event)
	if got.refusal != nil {
		return nil, got.refusal
	}
	return op.NewResponse(got.tokens), nil
}

func invalidGrant(why string) answer {
	return answer{refusal: oidc.ErrInvalidGrant().WithDescription("%s", why)}
}
