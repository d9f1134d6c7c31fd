package login

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/sp-registry/sp/db/server"
)

// trusting is a context in which the library of OAuth clients trusts this world.
func (w *world) trusting() context.Context {
	return context.WithValue(w.t.Context(), oauth2.HTTPClient, w.client)
}

func (w *world) config() *oauth2.Config {
	return &oauth2.Config{ClientID: "sp_cli", RedirectURL: callback, Scopes: []string{"read", "write"}, Endpoint: oauth2.Endpoint{
		AuthURL: w.url + "/oauth/authorize", TokenURL: w.url + "/oauth/token", DeviceAuthURL: w.url + "/oauth/device_authorization",
	}}
}

func TestAnOAuthClientLogsInThroughABrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	secret, b := oauth2.GenerateVerifier(), w.browser()
	page := w.get(b, strings.TrimPrefix(w.config().AuthCodeURL("the state", oauth2.S256ChallengeOption(secret)), w.url))
	at := w.enter(b, page, w.joinCode("ann")).location(t)
	require.Equal(t, "127.0.0.1:9", at.Host)
	require.Equal(t, "the state", at.Query().Get("state"))
	token, err := w.config().Exchange(w.trusting(), at.Query().Get("code"), oauth2.VerifierOption(secret))
	require.NoError(t, err)
	require.Equal(t, "read write", token.Extra("scope"))
	require.Equal(t, "ann", *w.row(token.AccessToken).UserID)

	token.Expiry = time.Unix(1, 0)
	renewed, err := w.config().TokenSource(w.trusting(), token).Token()
	require.NoError(t, err)
	require.NotEqual(t, token.RefreshToken, renewed.RefreshToken)
	require.NotNil(t, w.row(renewed.AccessToken))
}

func TestAnOAuthClientLogsInWithoutABrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	device, err := w.config().DeviceAuth(w.trusting())
	require.NoError(t, err)
	require.EqualValues(t, 5, device.Interval)
	device.Interval = 1 // it waits by its own clock
	b := w.browser()
	page := w.get(b, strings.TrimPrefix(device.VerificationURIComplete, w.url))
	page = w.enter(b, page, w.joinCode("ann"))
	require.Contains(t, page.body, "You are signed in as <bdi>ann</bdi>")
	require.Contains(t, w.post(b, "/device", form(page, "action", "allow")).body, "You are done here")
	token, err := w.config().DeviceAccessToken(w.trusting(), device)
	require.NoError(t, err)
	require.Equal(t, "read write", w.row(token.AccessToken).Scopes)
}

func TestAnAccessTokenIsAJWTAndARow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "admin")
	got := w.loggedIn("ann")
	require.Equal(t, "Bearer", got.Type)
	require.Equal(t, 24*60*60, got.Expires)
	require.Equal(t, "read write secrets admin", got.Scope)
	parts := strings.Split(got.Access, ".")
	require.Len(t, parts, 3)
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(payload, &claims))
	require.EqualValues(t, birth.Add(24*time.Hour).Unix(), claims["exp"])
	require.Equal(t, w.url, claims["iss"])
	require.Equal(t, "ann", claims["sub"])
	row := w.row(got.Access)
	require.Equal(t, "access", row.Kind)
	require.Equal(t, "laptop", row.Name)
	require.NotEmpty(t, row.Session)
	require.Equal(t, claims["jti"], row.ID)
	require.Equal(t, birth.Add(24*time.Hour).UnixMicro(), *row.ExpiresAt)
}

func TestTheKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "admin")
	first := w.loggedIn("ann").Access
	again, err := New(t.Context(), w.options(w.url))
	require.NoError(t, err)
	w.login.signer = again.signer
	header, _, _ := strings.Cut(first, ".")
	require.True(t, strings.HasPrefix(w.loggedIn("ann").Access, header+"."), "its header names the key")
}

func TestAnIssuerIsAHostAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, issuer := range []string{"", "sp.example.com", "ftp://sp.example.com", "https://sp.example.com/path", "https://me@sp.example.com", "https://sp.example.com?a=b", "http://%"} {
		_, err := New(t.Context(), w.options(issuer))
		require.ErrorIs(t, err, ErrIssuer, issuer)
	}
	l, err := New(t.Context(), w.options("https://sp.example.com/"))
	require.NoError(t, err)
	require.Equal(t, "https://sp.example.com", l.Issuer)
}

func TestTheMetadataNamesTheEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	got := w.get(w.client, "/.well-known/oauth-authorization-server")
	require.Equal(t, http.StatusOK, got.status)
	var metadata map[string]any
	require.NoError(t, json.Unmarshal([]byte(got.body), &metadata))
	require.Equal(t, w.url, metadata["issuer"])
	for name, path := range map[string]string{
		"authorization_endpoint": "/oauth/authorize", "device_authorization_endpoint": "/oauth/device_authorization",
		"token_endpoint": "/oauth/token", "revocation_endpoint": "/oauth/revoke",
	} {
		require.Equal(t, w.url+path, metadata[name], name)
	}
	require.Equal(t, []any{"S256"}, metadata["code_challenge_methods_supported"])
	require.Equal(t, []any{"authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"}, metadata["grant_types_supported"])
}

func TestARequestThatAsksWronglyIsSentBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ name, value, code string }{
		{"state", "", "invalid_request"},
		{"state", strings.Repeat("x", 1025), "invalid_request"},
		{"scope", "openid other", "invalid_scope"},
		{"code_challenge", "", "invalid_request"},
		{"code_challenge", "short", "invalid_request"},
		{"code_challenge_method", "plain", "invalid_request"},
		{"code_challenge_method", "", "invalid_request"},
		{"response_mode", "form_post", "invalid_request"},
		{"response_type", "token", "unauthorized_client"},
		{"request", "eyJ", "request_not_supported"},
		{"prompt", "none", "interaction_required"},
	} {
		got := w.get(w.browser(), "/oauth/authorize?"+asks(c.name, c.value).Encode()).location(t)
		require.Equal(t, callback, "http://"+got.Host+got.Path, c.name)
		require.Equal(t, c.code, got.Query().Get("error"), c.name)
		require.Empty(t, got.Query().Get("code"))
	}
}

func TestARedirectElsewhereIsRefusedWithoutGoingThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, redirect := range []string{
		"", "https://evil.example.com/", "http://evil.example.com/", "http://localhost:9/", "https://127.0.0.1:9/", "http://127.0.0.1/",
		"http://me@127.0.0.1:9/", "http://127.0.0.1:9@evil.example.com/", "http://evil.example.com:9/127.0.0.1", "http://127.0.0.1.evil.example.com:9/", "http://127.0.0.2:9/",
		"http://127.0.0.1:9/#fragment", "javascript:alert(1)", "custom:/x", "//127.0.0.1:9/", "http://[::1%25eth0]:9/", "http://127.0.0.1:9x/", "http://0x7f000001:9/", "http://127.0.0.1:9/" + strings.Repeat("x", 1024),
	} {
		got := w.get(w.browser(), "/oauth/authorize?"+asks("redirect_uri", redirect).Encode())
		require.Equal(t, http.StatusBadRequest, got.status, redirect)
		require.Empty(t, got.header.Get("Location"), redirect)
		require.Contains(t, got.body, `"error":"invalid_request"`)
	}
	got := w.get(w.browser(), "/oauth/authorize?"+asks("client_id", "other").Encode())
	require.Equal(t, http.StatusBadRequest, got.status)
	require.Contains(t, got.body, `"error":"invalid_client"`)
	for _, redirect := range []string{"http://127.0.0.1:54321/", "http://127.0.0.1:1/any/path?with=query", "http://[::1]:54321/callback"} {
		require.Equal(t, http.StatusOK, w.get(w.browser(), "/oauth/authorize?"+asks("redirect_uri", redirect).Encode()).status, redirect)
	}
}

func TestACodeIsForItsProgramAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	code := w.code(w.joinCode("ann"))
	w.requireRefused(w.exchange(code, "code_verifier", strings.Repeat("another", 8)), "invalid_grant")
	w.requireRefused(w.exchange(code, "code_verifier", ""), "invalid_grant")
	w.requireRefused(w.exchange(code, "redirect_uri", "http://127.0.0.1:10/callback"), "invalid_grant")
	w.requireRefused(w.exchange("unknown"), "invalid_grant")
	w.requireRefused(w.exchange(""), "invalid_request")
	for _, pairs := range [][]string{{"client_id", "other"}, {"client_secret", "has none"}} {
		got := w.exchange(code, pairs...)
		require.Equal(t, http.StatusUnauthorized, got.status)
		require.Equal(t, "invalid_client", got.Error)
	}
	require.Equal(t, http.StatusOK, w.exchange(code).status)
}

func TestACodeExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	code := w.code(w.joinCode("ann"))
	w.wait(codeLife)
	w.requireRefused(w.exchange(code), "invalid_grant")
}

func TestACodeThatIsUsedTwiceEndsItsLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	code := w.code(w.joinCode("ann"))
	got := w.exchange(code)
	other := w.loggedIn("ann")
	w.wait(2 * time.Minute)
	w.requireRefused(w.exchange(code), "invalid_grant")
	require.Nil(t, w.row(got.Access))
	w.requireRefused(w.refresh(got.Refresh), "invalid_grant")
	w.requireRefused(w.exchange(code), "invalid_grant")
	require.NotNil(t, w.row(other.Access), "another login of the same user stays")
}

func TestOtherGrantsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, grant := range []string{"", "password", "client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer"} {
		got := w.ask("/oauth/token", "grant_type", grant, "assertion", "x", "subject_token", "x")
		require.Equal(t, http.StatusBadRequest, got.status, grant)
		require.Contains(t, []string{"invalid_request", "unsupported_grant_type", "unauthorized_client"}, got.Error, grant)
	}
	require.Equal(t, http.StatusMethodNotAllowed, w.get(w.client, "/oauth/token?grant_type=refresh_token").status)
}

func TestSecretsInAnAddressAreNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	got := w.loggedIn("ann")
	asked := w.ask("/oauth/token?refresh_token="+url.QueryEscape(got.Refresh), "grant_type", "refresh_token")
	w.requireRefused(asked, "invalid_request")
}

func TestScopesAreCutByTheRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for role, scopes := range map[string]string{"admin": "read write secrets admin", "member": "read write secrets", "reader": "read"} {
		w.user(role, role)
		require.Equal(t, scopes, w.loggedIn(role).Scope)
		require.Equal(t, scopes, w.row(w.loggedIn(role, "scope", "admin secrets write read other openid").Access).Scopes)
	}
	require.Equal(t, "read", w.loggedIn("admin", "scope", "read").Scope)
	b := w.browser()
	at := w.enter(b, w.page(b, "scope", "admin"), w.joinCode("reader")).location(t)
	require.Equal(t, "invalid_scope", at.Query().Get("error"))
}

func TestAPersonalTokenGivesNoMoreThanItHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "admin")
	token := w.personal("ann", "small", "read write", "tenant-1", 90*time.Minute)
	got := w.exchange(w.code(token))
	require.Equal(t, "read write", got.Scope)
	require.Equal(t, 90*60, got.Expires)
	require.Equal(t, "tenant-1", w.row(got.Access).Tenants)
	require.NotNil(t, w.row(token).UsedAt)
	got = w.refresh(got.Refresh)
	require.Equal(t, "tenant-1", w.row(got.Access).Tenants)
	w.wait(90 * time.Minute)
	w.requireRefused(w.refresh(got.Refresh), "invalid_grant")
	require.Nil(t, w.row(got.Access))
}

func TestAPersonalTokenThatIsRevokedEndsWhatItBegan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "admin")
	token, b := w.personal("ann", "gone", "read", "", time.Hour), w.browser()
	got := w.exchange(w.enter(b, w.page(b), token).location(t).Query().Get("code"))
	require.Contains(t, w.page(b).body, "Continue as")
	w.write(func(q *server.Queries) error {
		_, err := q.DeleteToken(t.Context(), "gone")
		return errors.Join(err, q.DeleteAccessTokensOfNoLogin(t.Context()))
	})
	require.Nil(t, w.row(got.Access))
	w.requireRefused(w.refresh(got.Refresh), "invalid_grant")
	require.NotContains(t, w.page(b).body, "Continue as")
}

func TestRevokingATokenEndsItsLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	pick := map[string]func(tokens) string{"refresh": func(t tokens) string { return t.Refresh }, "access": func(t tokens) string { return t.Access }}
	for name, of := range pick {
		got, other := w.loggedIn("ann"), w.loggedIn("ann")
		renewed := w.refresh(got.Refresh)
		require.Equal(t, http.StatusOK, w.ask("/oauth/revoke", "token", of(got)).status, name)
		require.Nil(t, w.row(got.Access), name)
		require.Nil(t, w.row(renewed.Access), name)
		w.requireRefused(w.refresh(renewed.Refresh), "invalid_grant")
		require.NotNil(t, w.row(other.Access), name)
		require.Equal(t, http.StatusOK, w.ask("/oauth/revoke", "token", of(got)).status, name)
	}
	personal := w.personal("ann", "stays", "read", "", time.Hour)
	require.Equal(t, http.StatusOK, w.ask("/oauth/revoke", "token", personal).status)
	require.NotNil(t, w.row(personal), "only what was given here is revoked here")
	w.requireRefused(w.ask("/oauth/revoke"), "invalid_request")
}

func TestSweepForgetsWhatExpiredAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "member")
	old := w.loggedIn("ann")
	w.joinCode("ann")
	w.page(w.browser())
	w.ask("/oauth/device_authorization")
	w.wait(29 * 24 * time.Hour)
	young := w.loggedIn("ann")
	w.wait(2 * 24 * time.Hour)
	require.NoError(t, w.login.Sweep(t.Context()))
	require.Nil(t, w.row(old.Access))
	require.Equal(t, map[string]int{
		"login_requests": 0, "login_codes": 0, "devices": 0, "browsers": 0, "join_codes": 0, "logins": 1, "refresh_tokens": 1, "tokens": 0,
	}, w.counts())
	require.Equal(t, http.StatusOK, w.refresh(young.Refresh).status)
}

// counts are the rows of each table that a login makes.
func (w *world) counts() map[string]int {
	w.t.Helper()
	file, err := sql.Open("sqlite", w.path)
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, file.Close()) }()
	found := map[string]int{}
	for _, table := range []string{"login_requests", "login_codes", "devices", "browsers", "join_codes", "logins", "refresh_tokens", "tokens"} {
		var n int
		require.NoError(w.t, file.QueryRowContext(w.t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n))
		found[table] = n
	}
	return found
}

// TestALoginByATokenForCertainTenantsIsNoAdmins: users and the audit are those of all tenants.
func TestALoginByATokenForCertainTenantsIsNoAdmins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("root", "admin")
	for tenants, want := range map[string]string{"": "read write secrets admin", "t": "read write secrets"} {
		personal := w.personal("root", "limited"+tenants, every, tenants, time.Hour)
		got := w.exchange(w.code(personal))
		require.Equal(t, want, got.Scope)
	}
}
