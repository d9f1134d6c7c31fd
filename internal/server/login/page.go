package login

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"github.com/sp-registry/sp/db/server"
)

//go:embed pages
var files embed.FS

var pages = template.Must(template.ParseFS(files, "pages/*.html"))

// page is what a page shows. Names are of strangers: the templates have them be text.
type page struct {
	Issuer   string
	Hostname string   // of the program that asks, empty if it said none
	Scopes   []string // what it may do then
	User     string   // who is signed in in this browser, empty for nobody
	AtOnce   bool     // a code allows it, and nobody is signed in after that
	Wrong    string   // what to say about what was typed

	Request, Token string // what the form is about
	UserCode       string
	Address, Since string // of the program that asks without a browser

	Title, Text string // of a page that only tells something
}

// meaning says what a scope lets a program do.
var meaning = map[string]string{
	"read":    "see your tenants and their status",
	"write":   "create, change and delete tenants",
	"secrets": "read and rotate the passwords of their databases",
	"admin":   "manage users and read the audit log",
}

func meanings(scopes string) (all []string) {
	for _, scope := range strings.Fields(scopes) {
		all = append(all, meaning[scope])
	}
	return all
}

func (l *Login) show(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.Issuer = l.Issuer
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, name, p); err != nil {
		l.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // a browser that has gone needs no answer
}

func (l *Login) tell(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	l.show(w, r, status, "told.html", page{Title: title, Text: text})
}

// showHome says what this is and what to do, to whoever opens the control plane's address in a browser.
func (l *Login) showHome(w http.ResponseWriter, r *http.Request) {
	l.show(w, r, http.StatusOK, "home.html", page{Title: "This is a control plane of sp"})
}

// ShowNowhere says so in a browser, where there is nothing at a path.
func (l *Login) ShowNowhere(w http.ResponseWriter, r *http.Request) {
	nowhere := func(w http.ResponseWriter, r *http.Request) {
		l.show(w, r, http.StatusNotFound, "home.html", page{Title: "There is nothing at this address"})
	}
	bounded(http.HandlerFunc(nowhere)).ServeHTTP(w, r)
}

// fail says that it was not the reader's fault; why is in the log.
func (l *Login) fail(w http.ResponseWriter, r *http.Request, err error) {
	slog.ErrorContext(r.Context(), "page", "path", r.URL.Path, "error", err)
	status := statusOf(err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	http.Error(w, "The control plane could not do this. Its log says why.", status)
}

// statusOf is that of a fault of the control plane: one that has no room may have some again.
func statusOf(err error) int {
	if errors.Is(err, server.ErrFull) {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func (l *Login) tellStale(w http.ResponseWriter, r *http.Request) {
	l.tell(w, r, http.StatusForbidden, "This page is out of date",
		"Nothing was done. Go back, load the page again and repeat what you did. Your browser must accept cookies from this site.")
}

func showStyle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=3600")
	http.ServeFileFS(w, r, files, "pages/style.css")
}
