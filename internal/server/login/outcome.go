package login

import (
	"context"
	"net/http"
	"net/url"

	"github.com/sp-registry/sp/db/server"
)

// outcome is what a person's answer leads to: a place, a page that tells something, or the same
// question again.
type outcome struct {
	redirect    string
	title, text string
	again       string // why it is asked again
	cookie      string // another one, if who is signed in has changed
	event       Event
}

const (
	wrongCode   = "This code is not valid. A join code works once and for 24 hours. Check it, or ask for a new one."
	notSignedIn = "You are no longer signed in here. Enter a join code or a personal token."
)

// act does in one change what a form of this browser asks for. Where the form or what it is about is
// no more, or the question is asked again, the answer is the caller's.
func (l *Login) act(w http.ResponseWriter, r *http.Request, decide func(*server.Queries) (outcome, error)) (again string, err error) {
	var got outcome
	err = l.DB.Write(r.Context(), func(q *server.Queries) (err error) {
		got, err = decide(q)
		return err
	})
	if err != nil {
		return "", err
	}
	l.note(r.Context(), got.event)
	if got.cookie != "" {
		l.setCookie(w, got.cookie)
	}
	switch {
	case got.redirect != "":
		http.Redirect(w, r, got.redirect, http.StatusSeeOther)
	case got.title != "":
		l.tell(w, r, http.StatusOK, got.title, got.text)
	}
	return got.again, nil
}

// enter signs somebody in in a browser by the code of a form, where browsers are remembered, and else for this
// form alone. wrong is called if there is no such code, next with who it is.
func (l *Login) enter(ctx context.Context, q *server.Queries, b browser, form url.Values, wrong func() (outcome, error), next func(person) (outcome, error)) (outcome, error) {
	p, err := l.signIn(ctx, q, form.Get("code"))
	if server.IsMissing(err) {
		return wrong()
	}
	if err != nil {
		return outcome{}, err
	}
	if !l.remembers() {
		return next(p)
	}
	cookie, err := l.remember(ctx, q, b, p)
	if err != nil {
		return outcome{}, err
	}
	got, err := next(p)
	got.cookie = cookie
	return got, err
}

// wrongCodes are how many a request or a device may get in a minute; the last one ends it.
const wrongCodes = 10

// countWrong counts one more wrong code, of a minute of its own if the one before is over.
func (l *Login) countWrong(wrong, since int64) (count, from int64, over bool) {
	now := l.micros()
	if now-since >= 60e6 {
		return 1, now, false
	}
	return wrong + 1, since, wrong+1 >= wrongCodes
}

// wrongEvent is told of somebody who typed a wrong code; nobody knows who.
var wrongEvent = Event{Action: "sign in", Outcome: "wrong code"}
