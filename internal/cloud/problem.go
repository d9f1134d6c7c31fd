package cloud

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// What can be wrong.
var (
	// ErrUnavailable is returned if the control plane can't be reached, or says that it can't answer now.
	ErrUnavailable = errors.New("the control plane is not available")
	// ErrDenied is returned if the user may not do that.
	ErrDenied = errors.New("not allowed")
	// ErrUnauthenticated is returned if the control plane refuses the login.
	ErrUnauthenticated = errors.New("the login is refused")
	// ErrNotFound is returned if the control plane has no such thing, or does not show it to this user.
	ErrNotFound = errors.New("the control plane has none")
	// ErrConflict is returned if something is in the way, or was changed by somebody else.
	ErrConflict = errors.New("the control plane refuses it")
	// ErrInvalid is returned if what was asked for is not allowed.
	ErrInvalid = errors.New("not valid")
	// ErrAnswer is returned for what can't be the answer of a control plane.
	ErrAnswer = errors.New("does not answer as a control plane does")
	// ErrNotLoggedIn is returned if there is no login.
	ErrNotLoggedIn = errors.New("not logged in")
)

// Error is what a control plane answers in place of what was asked for.
type Error struct {
	Status        int
	Code, Message string
	Pointers      []Pointer
	RequestID     string
	// Repeated tells that an earlier try of the same request may have been heard.
	Repeated bool

	host       string
	retryAfter time.Duration
}

// Pointer is a JSON pointer to what is wrong in the request, and why.
type Pointer struct{ Pointer, Detail string }

// Error returns what the control plane said, in one sentence.
func (e *Error) Error() string {
	text := e.Message
	if text == "" {
		text = fmt.Sprintf("it answers with status %d", e.Status)
	}
	separator := ": "
	for _, p := range e.Pointers {
		if strings.Contains(e.Message, p.Detail) { // it says so already
			continue
		}
		text += separator + strings.TrimSpace(strings.TrimPrefix(p.Pointer, "/")+" "+p.Detail)
		separator = "; "
	}
	if e.RequestID != "" && e.Status >= 500 && !strings.Contains(text, e.RequestID) {
		text += " (request " + e.RequestID + ")"
	}
	return e.host + ": " + text
}

// Is tells what kind of error it is.
func (e *Error) Is(kind error) bool { return kind == e.kind() }

func (e *Error) kind() error {
	switch e.Status {
	case http.StatusUnauthorized:
		return ErrUnauthenticated
	case http.StatusForbidden:
		return ErrDenied
	case http.StatusNotFound, http.StatusGone:
		return ErrNotFound
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired:
		return ErrConflict
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return ErrInvalid
	case http.StatusLocked, http.StatusTooManyRequests:
		return ErrUnavailable
	}
	if e.Status >= 500 {
		return ErrUnavailable
	}
	return ErrAnswer
}

// problem reads an answer that is none of what was asked for.
func (c *Client) problem(response *http.Response, token secret.Secret) error {
	e := &Error{Status: response.StatusCode, host: c.Host(), retryAfter: c.retryAfter(response.Header)}
	e.RequestID = shown(response.Header.Get("Request-Id"), token)
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	isTold := err == nil && strings.HasSuffix(kind, "json") && e.read(body, token)
	switch {
	case response.StatusCode < 400:
		return c.noAnswer("it redirects")
	case isTold, e.kind() == ErrUnavailable, e.kind() == ErrUnauthenticated && kind != "text/html":
		return e
	}
	return c.noAnswer("it answers with status %d and %s", e.Status, described(kind))
}

func described(kind string) string {
	if kind == "" {
		return "no JSON"
	}
	return shown(kind, secret.Secret{})
}

// read reads a problem, or what the original's API says in its place.
func (e *Error) read(body []byte, token secret.Secret) bool {
	var told struct {
		Title, Detail string
		Errors        []Pointer
		Error         *struct{ Code, Message string }
	}
	if json.Unmarshal(body, &told) != nil || told.Title == "" && told.Error == nil {
		return false
	}
	e.Message = told.Detail
	if e.Message == "" {
		e.Message = told.Title
	}
	if told.Error != nil {
		e.Code = shown(told.Error.Code, token)
		if told.Error.Message != "" {
			e.Message = told.Error.Message
		}
	}
	e.Message = shown(e.Message, token)
	const most = 5
	for _, p := range told.Errors[:min(len(told.Errors), most)] {
		e.Pointers = append(e.Pointers, Pointer{shown(p.Pointer, token), shown(p.Detail, token)})
	}
	return true
}

// longest is how much of a server's text goes into a message.
const longest = 200

// shortestShown is how long a token has to be to be known again: a shorter one is in many words by chance.
const shortestShown = 8

// shown makes a server's text fit for a message: short, in one line, printable and without secrets.
func shown(text string, token secret.Secret) string {
	if len(token.Reveal()) >= shortestShown {
		text = strings.ReplaceAll(text, token.Reveal(), secret.Redacted)
	}
	words := strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	for i, word := range words {
		if mayBeSecret(word) {
			words[i] = secret.Redacted
		}
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.Join(words, " "))
	if utf8.RuneCountInString(text) > longest {
		text = string([]rune(text)[:longest]) + "…"
	}
	return text
}

// mayBeSecret tells of a word whether it holds a token, also one of a login's, or the password of a URL.
func mayBeSecret(word string) bool { return pgurl.IsMisplaced(word) || strings.Contains(word, "eyJ") }

// noAnswer is the ErrAnswer of what the control plane did in place of answering.
func (c *Client) noAnswer(format string, args ...any) error {
	return fmt.Errorf("%s %w: %s", c.Host(), ErrAnswer, fmt.Sprintf(format, args...))
}

// transportError is a request that got no answer. passing tells that another try may get one.
type transportError struct {
	text    string
	passing bool
	kind    error
}

func (e *transportError) Error() string { return e.text }

func (e *transportError) Unwrap() error { return e.kind }

// failed says why a request got no whole answer. It drops the URL, of which net/http tells.
func (c *Client) failed(ctx context.Context, err error) error {
	if errors.Is(err, ErrAnswer) { // of a redirect
		return unwrapped(err)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var alien tls.RecordHeaderError
	unavailable := func(passing bool, why string) error {
		return &transportError{c.Host() + ": " + why, passing, ErrUnavailable}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return unavailable(ctx.Err() == nil, "no answer in time")
	case errors.Is(err, errStalled):
		return unavailable(true, errStalled.Error())
	case errors.Is(err, errSlow):
		return unavailable(true, errSlow.Error())
	case ctx.Err() != nil:
		return err
	case c.Offline != nil:
		return c.Offline
	case errors.As(err, &invalid):
		return unavailable(false, c.invalidCertificate(invalid))
	case errors.As(err, &host):
		return unavailable(false, "its certificate is for another host, "+certified(host.Certificate))
	case errors.As(err, &unknown):
		return unavailable(false, "its certificate is by an authority that this machine does not know")
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &alien):
		return c.noAnswer("it does not speak https")
	case errors.Is(err, errNotLoopback):
		return fmt.Errorf("%s: %w: %w", c.Host(), errNotLoopback, ErrInvalid)
	}
	return unavailable(true, reason(err))
}

// unwrapped returns an error without the URL that net/http puts around it.
func unwrapped(err error) error {
	var around *url.Error
	if errors.As(err, &around) {
		return around.Err
	}
	return err
}

func isTimeout(err error) bool {
	var timed net.Error
	return errors.As(err, &timed) && timed.Timeout()
}

// invalidCertificate says what is wrong with a certificate, and the clock by which it is.
func (c *Client) invalidCertificate(e x509.CertificateInvalidError) string {
	if e.Reason != x509.Expired {
		return "its certificate is not valid for a server"
	}
	return fmt.Sprintf("its certificate is valid from %s to %s, and the clock of this machine says %s",
		registry.FormatTime(e.Cert.NotBefore), registry.FormatTime(e.Cert.NotAfter), registry.FormatTime(c.Now()))
}

// certified names the hosts of a certificate.
func certified(certificate *x509.Certificate) string {
	names := certificate.DNSNames
	for _, ip := range certificate.IPAddresses {
		names = append(names, ip.String())
	}
	return shown(strings.Join(names[:min(len(names), 3)], ", "), secret.Secret{})
}

// reason is an error of the network in few words.
func reason(err error) string {
	var dns *net.DNSError
	switch err = unwrapped(err); {
	case errors.As(err, &dns):
		return "the name leads to no address"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was cut"
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) { // the innermost says why
		err = next
	}
	return shown(err.Error(), secret.Secret{})
}
