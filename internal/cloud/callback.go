package cloud

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/secret"
)

// callback waits for the browser on a port of this machine.
type callback struct {
	listener      net.Listener
	server        *http.Server
	issuer, state string
	came          chan outcome
}

// outcome is what the browser brought: a code, or why there is none.
type outcome struct {
	code secret.Secret
	why  string
}

const callbackPath = "/callback"

// listen begins to wait for a browser with the state.
func listen(issuer, state string) (*callback, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &callback{listener: listener, issuer: issuer, state: state, came: make(chan outcome, 1)}
	b.server = &http.Server{Handler: b, ReadHeaderTimeout: dials, ReadTimeout: dials, WriteTimeout: dials, MaxHeaderBytes: 16 << 10}
	go func() { _ = b.server.Serve(listener) }() // it ends with close
	return b, nil
}

func (b *callback) url() string { return "http://" + b.listener.Addr().String() + callbackPath }

// close lets the page that was asked for last get through.
func (b *callback) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = b.server.Shutdown(ctx) // who still waits waits for nothing
	_ = b.server.Close()
}

// ServeHTTP takes the code that a browser brings. Anybody on this machine can ask here: without the
// state, nothing that is asked ends the wait.
func (b *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	found, ok := b.outcomeOf(r)
	if ok {
		select {
		case b.came <- found:
		default:
			ok = false // it came before
		}
	}
	switch {
	case !ok:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, page("This is not the login that sp waits for.")) // as below
	case found.why != "":
		_, _ = io.WriteString(w, page("The login was refused. The terminal says why.")) // as below
	default:
		_, _ = io.WriteString(w, page("Done. Go back to the terminal; you can close this page.")) // nobody can be told
	}
}

func page(text string) string {
	return "<!doctype html><html lang=en><meta charset=utf-8><title>sp login</title><p>" + text + "\n"
}

// outcomeOf reads what a browser brings; ok is false for what is not of this login.
func (b *callback) outcomeOf(r *http.Request) (found outcome, ok bool) {
	q := r.URL.Query()
	isState := subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(b.state)) == 1
	issuer := q.Get("iss")
	switch {
	case r.Method != http.MethodGet, r.URL.Path != callbackPath, r.Host != b.listener.Addr().String(), !isState:
		return found, false
	case issuer != "" && issuer != b.issuer: // RFC 9207
		return found, false
	case q.Get("error") != "":
		return outcome{why: shown(strings.TrimSpace(q.Get("error_description")+" ("+q.Get("error")+")"), secret.Secret{})}, true
	}
	code := q.Get("code")
	return outcome{code: secret.New(code)}, code != ""
}

// errTooLate ends the wait for a browser.
var errTooLate = errors.New("too late")

// wait returns the code that the browser brings.
func (b *callback) wait(ctx context.Context, host string) (secret.Secret, error) {
	limited, cancel := context.WithTimeoutCause(ctx, loginPatience, errTooLate)
	defer cancel()
	select {
	case found := <-b.came:
		if found.why != "" {
			return found.code, fmt.Errorf("%s: the login was refused: %s: %w", host, found.why, ErrDenied)
		}
		return found.code, nil
	case <-limited.Done():
		if cause := context.Cause(limited); !errors.Is(cause, errTooLate) {
			return secret.Secret{}, cause
		}
		return secret.Secret{}, tooLate(host)
	}
}
