package login

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/secret"
)

// browser is the one that asks: its cookie, and who is signed in there, nil for nobody. The cookie alone is no
// more than what a form is bound to.
type browser struct {
	cookie string
	person *person
	name   string
	scopes string // that this person may have
}

// remembers tells whether it is kept who signed in in a browser. Cookies know no port: without TLS, the one of
// this host goes to whatever another user of the same machine serves there, too.
func (l *Login) remembers() bool { return l.origin.Scheme == "https" }

// cookieName begins, where it can, with what has browsers take the cookie from this host alone.
func (l *Login) cookieName() string {
	if l.remembers() {
		return "__Host-sp_login"
	}
	return "sp_login"
}

func (l *Login) setCookie(w http.ResponseWriter, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: l.cookieName(), Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: l.remembers(), MaxAge: int(browserLife.Seconds()),
	})
}

// browserOf finds out which browser asks; a new one gets a cookie.
func (l *Login) browserOf(w http.ResponseWriter, r *http.Request) (b browser, err error) {
	if cookie, missing := r.Cookie(l.cookieName()); missing == nil {
		b.cookie = cookie.Value
	}
	if b.cookie == "" {
		if b.cookie, err = l.unguessable(); err == nil {
			l.setCookie(w, b.cookie)
		}
		return b, err
	}
	if l.remembers() {
		err = l.DB.Read(r.Context(), func(q *server.Queries) error { return l.recognise(r.Context(), q, &b) })
	}
	return b, err
}

// recognise looks who is signed in in a browser, and still may be. A form may take its time to come, so it is
// looked again in the change that the form asks for.
func (l *Login) recognise(ctx context.Context, q *server.Queries, b *browser) error {
	b.person, b.name, b.scopes = nil, "", ""
	row, err := q.Browser(ctx, server.BrowserParams{Hash: secret.Hash(b.cookie), Now: l.micros()})
	if server.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	h, refusal, err := l.may(ctx, q, person{row.UserID, row.TokenID}, every)
	if err == nil && refusal == nil {
		b.person, b.name, b.scopes = &person{row.UserID, row.TokenID}, h.user.Name, h.scopes
	}
	return err
}

// token binds a form to the browser and to what the form is about: no other page knows it.
func (b browser) token(about string) string {
	mac := hmac.New(sha256.New, []byte(b.cookie))
	mac.Write([]byte(about))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// sent tells whether the browser sends a form that it got here.
func (b browser) sent(r *http.Request, about string) bool {
	return hmac.Equal([]byte(r.PostFormValue("token")), []byte(b.token(about)))
}

// signIn finds out whose join code or personal token was typed, and uses up the code. Who typed
// something else, or too late, gets the error of a row that is missing.
func (l *Login) signIn(ctx context.Context, q *server.Queries, typed string) (person, error) {
	if typed = strings.TrimSpace(typed); strings.HasPrefix(typed, secret.PersonalToken) {
		now := l.micros()
		token, err := q.PersonalToken(ctx, server.PersonalTokenParams{Hash: secret.Hash(typed), Now: &now})
		if err != nil {
			return person{}, err
		}
		return person{*token.UserID, &token.ID}, q.TouchToken(ctx, server.TouchTokenParams{ID: token.ID, UsedAt: &now})
	}
	hash := secret.Hash(plain(typed))
	user, err := q.UserOfJoinCode(ctx, server.UserOfJoinCodeParams{Hash: hash, Now: l.micros()})
	if err != nil {
		return person{}, err
	}
	_, err = q.DeleteJoinCode(ctx, hash)
	return person{user.ID, nil}, err
}

// remember keeps that a person signed in in a browser, which gets another cookie: somebody may have
// given it the one it had.
func (l *Login) remember(ctx context.Context, q *server.Queries, b browser, p person) (cookie string, err error) {
	if cookie, err = l.unguessable(); err != nil {
		return "", err
	}
	if err := q.DeleteBrowser(ctx, secret.Hash(b.cookie)); err != nil {
		return "", err
	}
	return cookie, q.InsertBrowser(ctx, server.InsertBrowserParams{Hash: secret.Hash(cookie), UserID: p.userID, TokenID: p.tokenID, ExpiresAt: l.in(browserLife)})
}
