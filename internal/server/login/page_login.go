package login

import (
	"context"
	"net/http"
	"net/url"

	"github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/secret"
)

// showRequest asks a person whether a program may act for them that waits at a loopback address.
func (l *Login) showRequest(w http.ResponseWriter, r *http.Request) {
	b, err := l.browserOf(w, r)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	var request server.LoginRequest
	err = l.DB.Read(r.Context(), func(q *server.Queries) (err error) {
		request, err = l.request(r.Context(), q, r.URL.Query().Get("request"))
		return err
	})
	l.showLogin(w, r, b, request, http.StatusOK, "", err)
}

func (l *Login) request(ctx context.Context, q *server.Queries, id string) (server.LoginRequest, error) {
	return q.LoginRequest(ctx, server.LoginRequestParams{ID: id, Now: l.micros()})
}

func (l *Login) showLogin(w http.ResponseWriter, r *http.Request, b browser, request server.LoginRequest, status int, wrong string, err error) {
	switch {
	case server.IsMissing(err):
		l.tell(w, r, http.StatusNotFound, "This login is over", "It was answered, or it waited for more than 10 minutes. Run sp login again.")
		return
	case err != nil:
		l.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Security-Policy", policy(formsTo(request.RedirectURL)))
	l.show(w, r, status, "login.html", page{
		Hostname: request.Hostname, Scopes: meanings(request.Scopes), User: b.name, Wrong: wrong,
		Request: request.ID, Token: b.token("login " + request.ID),
	})
}

// formsTo lets the answer to a form lead to the program that waits: Chromium holds redirects to the
// policy, too. No policy can name an IPv6 address, so for one it names the scheme.
func formsTo(redirect string) string {
	u, err := url.Parse(redirect)
	if err != nil || u.Hostname() != "127.0.0.1" {
		return "'self' http:"
	}
	return "'self' http://" + u.Host
}

// answerRequest takes a person's answer, and sends the browser to the program with it.
func (l *Login) answerRequest(w http.ResponseWriter, r *http.Request) {
	b, err := l.browserOf(w, r)
	if err != nil {
		l.fail(w, r, err)
		return
	}
	id := r.PostFormValue("request")
	if !b.sent(r, "login "+id) {
		l.tellStale(w, r)
		return
	}
	var request server.LoginRequest
	again, err := l.act(w, r, func(q *server.Queries) (_ outcome, err error) {
		if request, err = l.request(r.Context(), q, id); err != nil {
			return outcome{}, err
		}
		if err := l.recognise(r.Context(), q, &b); err != nil {
			return outcome{}, err
		}
		return l.decide(r.Context(), q, b, request, r.PostForm)
	})
	if err != nil || again != "" {
		l.showLogin(w, r, b, request, http.StatusForbidden, again, err)
	}
}

func (l *Login) decide(ctx context.Context, q *server.Queries, b browser, request server.LoginRequest, form url.Values) (outcome, error) {
	switch form.Get("action") {
	case "sign-in":
		return l.enter(ctx, q, b, form,
			func() (outcome, error) { return l.refuseCode(ctx, q, request) },
			func(p person) (outcome, error) { return l.allowRequest(ctx, q, p, request) })
	case "continue":
		if b.person == nil {
			return outcome{again: notSignedIn}, nil
		}
		return l.allowRequest(ctx, q, *b.person, request)
	}
	return l.denyRequest(ctx, q, b, request)
}

// denyRequest tells the program that it may not act for a person. Who says so may be signed in here.
func (l *Login) denyRequest(ctx context.Context, q *server.Queries, b browser, request server.LoginRequest) (outcome, error) {
	denied := outcome{redirect: back(request, "error", "access_denied")}
	if b.person != nil {
		h, _, err := l.may(ctx, q, *b.person, request.Scopes) // who says no need not be allowed to
		if err != nil {
			return outcome{}, err
		}
		denied.event = h.event("allow login", "denied")
	}
	return denied, q.DeleteLoginRequest(ctx, request.ID)
}

// refuseCode asks again, or ends a request that got too many wrong codes.
func (l *Login) refuseCode(ctx context.Context, q *server.Queries, request server.LoginRequest) (outcome, error) {
	wrong, since, over := l.countWrong(request.Wrong, request.WrongSince)
	if over {
		redirect := back(request, "error", "access_denied", "error_description", "too many wrong codes")
		return outcome{redirect: redirect, event: wrongEvent}, q.DeleteLoginRequest(ctx, request.ID)
	}
	err := q.CountWrongOfRequest(ctx, server.CountWrongOfRequestParams{ID: request.ID, Wrong: wrong, WrongSince: since})
	return outcome{again: wrongCode, event: wrongEvent}, err
}

// allowRequest gives the program a code for tokens, which the browser takes there.
func (l *Login) allowRequest(ctx context.Context, q *server.Queries, p person, request server.LoginRequest) (outcome, error) {
	h, refusal, err := l.may(ctx, q, p, request.Scopes)
	if err == nil {
		err = q.DeleteLoginRequest(ctx, request.ID)
	}
	if err != nil {
		return outcome{}, err
	}
	if refusal != nil {
		code := oidc.AccessDenied
		if refusal.ErrorType == oidc.InvalidScope {
			code = oidc.InvalidScope
		}
		redirect := back(request, "error", string(code), "error_description", refusal.Description)
		return outcome{redirect: redirect, event: h.event("allow login", "refused")}, nil
	}
	code, err := l.unguessable()
	if err != nil {
		return outcome{}, err
	}
	return outcome{redirect: back(request, "code", code), event: h.event("allow login", "done")}, q.InsertLoginCode(ctx, server.InsertLoginCodeParams{
		Hash: secret.Hash(code), UserID: p.userID, TokenID: p.tokenID, RedirectURL: request.RedirectURL, Challenge: request.Challenge,
		Scopes: request.Scopes, Hostname: request.Hostname, ExpiresAt: l.in(codeLife),
	})
}

// back is the program's address with the answer.
func back(request server.LoginRequest, pairs ...string) string {
	u, err := url.Parse(request.RedirectURL)
	if err != nil {
		return "/login" // Authorize has parsed it
	}
	values := u.Query()
	values.Set("state", request.State)
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	u.RawQuery = values.Encode()
	return u.String()
}
