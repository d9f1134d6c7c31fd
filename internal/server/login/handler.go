package login

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

// Handler answers at /, below /oauth, /login, /device and at the metadata's place (RFC 8414).
func (l *Login) Handler() http.Handler {
	a := authority{Login: l}
	programs := withoutQuery(op.RegisterServer(a, endpoints, op.WithServerCORSOptions(nil)))
	mux := http.NewServeMux()
	mux.Handle("GET /.well-known/oauth-authorization-server", op.RegisterMetadataServer(a, op.WithServerCORSOptions(nil)))
	for _, e := range []*op.Endpoint{endpoints.DeviceAuthorization, endpoints.Token, endpoints.Revocation} {
		mux.Handle("POST "+e.Relative(), programs)
	}
	mux.Handle("GET "+endpoints.Authorization.Relative(), programs)
	mux.HandleFunc("GET /{$}", l.showHome)
	mux.HandleFunc("GET /login", l.showRequest)
	mux.HandleFunc("POST /login", l.answerRequest)
	mux.HandleFunc("GET /device", l.showDevice)
	mux.HandleFunc("POST /device", l.answerDevice)
	mux.HandleFunc("GET /login/style.css", showStyle)
	return bounded(withAddress(l.sameOrigin.Handler(mux)))
}

// bounded bounds what is read, and has nobody keep, frame or guess the kind of what is answered.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", policy("'self'"))
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		late := time.AfterFunc(bodyWithin, func() { _ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) })
		defer late.Stop()
		next.ServeHTTP(w, r)
	})
}

// bodyWithin is how long a request may take to come.
const bodyWithin = 10 * time.Second

// policy lets a page load its style and send its forms to the places named.
func policy(forms string) string {
	return "default-src 'none'; style-src 'self'; form-action " + forms + "; frame-ancestors 'none'; base-uri 'none'"
}

// withoutQuery takes a POST's parameters from its body alone: an address ends up in logs.
func withoutQuery(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			u := *r.URL
			u.RawQuery = ""
			r.URL = &u
		}
		next.ServeHTTP(w, r)
	})
}

type addressKey struct{}

// withAddress has those see where a request came from who get only its context.
func withAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			address = r.RemoteAddr
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), addressKey{}, address)))
	})
}

func addressOf(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}

// note tells of something that was done, if it was.
func (l *Login) note(ctx context.Context, e Event) {
	if e.Action == "" {
		return
	}
	e.Address = addressOf(ctx)
	l.Note(ctx, e)
}
