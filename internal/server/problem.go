package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sp-registry/sp/db"
	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// Problem is a refusal as RFC 9457 describes it. Error says the same as the original's client reads it.
type Problem struct {
	Type   string        `json:"type"`
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail,omitempty"`
	Errors []Pointer     `json:"errors,omitempty"`
	Err    ProblemInWord `json:"error"`

	headers http.Header
}

// Pointer says what is wrong with one part of a request: a JSON pointer into its body, or the name of
// a parameter.
type Pointer struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// ProblemInWord is a code for programs and a sentence for people.
type ProblemInWord struct {
	Code    string `json:"code" enum:"invalid,not_found,exists,in_use,conflict,busy,denied,unauthenticated,rate_limited,unavailable,unsupported,internal"`
	Message string `json:"message"`
}

func (p *Problem) Error() string { return p.Err.Message }

// Unwrap has what is not there be registry.ErrNotFound for the command line, too.
func (p *Problem) Unwrap() error {
	if p.Status == http.StatusNotFound {
		return registry.ErrNotFound
	}
	return nil
}

// GetStatus, GetHeaders and ContentType are what huma asks an error for.
func (p *Problem) GetStatus() int            { return p.Status }
func (p *Problem) GetHeaders() http.Header   { return p.headers }
func (p *Problem) ContentType(string) string { return "application/problem+json" }
func (p *Problem) with(name, v string) *Problem {
	if p.headers == nil {
		p.headers = http.Header{}
	}
	p.headers.Set(name, v)
	return p
}

func problem(status int, code, format string, args ...any) *Problem {
	text := fmt.Sprintf(format, args...)
	return &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: text, Err: ProblemInWord{code, text},
	}
}

// invalid refuses a member of a body, or a parameter.
func invalid(pointer, format string, args ...any) *Problem {
	p := problem(http.StatusUnprocessableEntity, "invalid", format, args...)
	p.Errors = []Pointer{{pointer, p.Detail}}
	return p
}

var errNotFound = problem(http.StatusNotFound, "not_found", "there is no such tenant, or you have no access to it")

// codes are the words for statuses that huma and the router give by themselves.
var codes = map[int]string{
	400: "invalid", 401: "unauthenticated", 403: "denied", 404: "not_found", 405: "unsupported", 406: "unsupported", 408: "invalid",
	409: "conflict", 412: "conflict", 413: "invalid", 415: "unsupported", 422: "invalid", 423: "busy", 428: "invalid", 429: "rate_limited",
	503: "unavailable",
}

func codeOf(status int) string {
	if code, ok := codes[status]; ok {
		return code
	}
	return "internal"
}

var problemsOnce sync.Once

// speakProblems has huma refuse with a Problem, and names that are written otherwise than described. These
// are variables of that library, and so of the process.
func speakProblems() {
	problemsOnce.Do(func() {
		huma.ValidateStrictCasing = true // Go's decoder takes a name in any case, and the last of them
		huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
			p := problem(status, codeOf(status), "%s", message)
			for _, err := range errs[:min(len(errs), maxPointers)] {
				p.add(err)
			}
			if len(p.Errors) > 0 {
				p.Detail = fmt.Sprintf("%s: %s", p.Errors[0].Pointer, p.Errors[0].Detail)
				p.Err.Message = p.Detail
			}
			return p
		}
	})
}

// maxPointers bounds what an answer says of one request, in which a hundred thousand things may be wrong.
const maxPointers = 100

// add tells where in a request something is wrong, and never what stood there: it may be a secret.
func (p *Problem) add(err error) {
	var detail *huma.ErrorDetail
	if errors.As(err, &detail) {
		if f, ok := detail.Value.(fault); ok {
			detail.Message = string(f)
		}
		p.Errors = append(p.Errors, Pointer{pointerTo(detail.Location), detail.Message})
	}
}

// pointerTo turns the place that huma names, such as body.tenants[3], into a JSON pointer; of a
// parameter it is the name.
func pointerTo(location string) string {
	inside, ok := strings.CutPrefix(location, "body")
	if !ok {
		_, name, _ := strings.Cut(location, ".")
		return name
	}
	return strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(inside)
}

// refusals are the errors of the rooms below that a client can do something about.
var refusals = []struct {
	err    error
	status int
	code   string
}{
	{registry.ErrNotFound, 404, "not_found"},
	{registry.ErrConflict, 409, "conflict"},
	{ErrLastAdmin, 409, "conflict"},
	{ErrNoUser, 404, "not_found"}, // these three are for the operator
	{ErrUserExists, 409, "exists"},
	{ErrInvalid, 422, "invalid"},
	{pgurl.ErrInvalid, 422, "invalid"},
	{ErrInactive, 401, "unauthenticated"}, // since the token was looked at
	{registry.ErrExists, 409, "exists"},
	{registry.ErrInUse, 409, "in_use"},
	{registry.ErrInvalid, 422, "invalid"},
	{db.ErrBusy, 503, "busy"},
	{db.ErrFull, 503, "unavailable"},
	{rows.ErrFull, 503, "unavailable"},
	{hosting.ErrDrifted, 409, "conflict"},
	{provision.ErrUnavailable, 503, "unavailable"},
	{provision.ErrDenied, 503, "denied"},
	{provision.ErrMismatch, 409, "conflict"},
	{context.DeadlineExceeded, 503, "unavailable"},
}

// refused turns an error into what a client is told of it. Of one that is the server's own fault it
// learns no more than that, and the log the rest.
func (s *Server) refused(ctx context.Context, err error) error {
	var p *Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p):
		if error(p) != err { // the audit could not be written, too
			s.Log.WarnContext(ctx, "a request was refused", "request", requestID(ctx), "error", err)
		}
		return p
	case errors.Is(err, db.ErrFull) || errors.Is(err, rows.ErrFull): // which is for who runs this, too
		s.Log.ErrorContext(ctx, "there is no room to write", "request", requestID(ctx), "error", err)
	case hosting.IsUnfit(err): // what is wrong with it is for who runs this
		s.Log.ErrorContext(ctx, "a database server can't be used", "request", requestID(ctx), "error", err)
		return problem(http.StatusServiceUnavailable, "unavailable",
			"the database server can't be used now; the control plane's log says more about request %s", requestID(ctx)).with("Retry-After", "2")
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			p := problem(r.status, r.code, "%s", err)
			if r.status == http.StatusServiceUnavailable {
				p.with("Retry-After", "2")
			}
			return p
		}
	}
	s.Log.ErrorContext(ctx, "a request failed", "request", requestID(ctx), "error", err)
	return problem(http.StatusInternalServerError, "internal", "the control plane has a problem; its log says more about request %s", requestID(ctx))
}
