// Package openapi holds control planes in tests to what they say of themselves, and to the contract.
package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"
)

// Documents are what every request to a control plane, and every answer of it, is checked against: what
// it says of itself, and the contract that it was written from.
type Documents struct {
	routers []routers.Router
	events  map[string]*openapi3.Schema // what the data of each kind of event is
}

// descriptions are those of this module, as a test's package two levels below its root finds them.
var descriptions = sync.OnceValues(func() (*Documents, error) {
	return Read("../../docs/openapi.yaml", "../../internal/server/testdata/contract.yaml")
})

// Read reads what a control plane says of itself, and the contract.
func Read(own, contract string) (*Documents, error) {
	openapi3filter.RegisterBodyDecoder("application/gzip", openapi3filter.FileBodyDecoder)
	d := &Documents{}
	for _, path := range []string{own, contract} {
		doc, err := openapi3.NewLoader().LoadFromFile(path)
		if err != nil {
			return nil, err
		}
		doc.Servers = nil // wherever it is
		router, err := gorillamux.NewRouter(doc)
		if err != nil {
			return nil, err
		}
		d.routers = append(d.routers, router)
		if path == own {
			d.events = map[string]*openapi3.Schema{
				"provisioning": doc.Components.Schemas["Event"].Value, "heartbeat": doc.Components.Schemas["Heartbeat"].Value,
			}
		}
	}
	return d, nil
}

// Checked is a handler whose answers, and whose good requests, are as they are described.
func Checked(t testing.TB, next http.Handler) http.Handler {
	t.Helper()
	d, err := descriptions()
	require.NoError(t, err)
	return d.Check(t, next)
}

// Check has a handler's answers, and its good requests, be as they are described.
func (d *Documents) Check(t testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		asked := r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		got := &answered{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(got, r)
		for _, router := range d.routers {
			asked.Body = io.NopCloser(bytes.NewReader(body))
			if err := d.checkOne(router, asked, got); err != nil {
				t.Errorf("%s %s: %d: %v", r.Method, r.URL.Path, got.status, err)
			}
		}
	})
}

// answered is an answer on its way, of which it keeps a copy.
type answered struct {
	http.ResponseWriter
	status int
	text   bytes.Buffer
}

func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answered) Write(b []byte) (int, error) {
	a.text.Write(b)
	return a.ResponseWriter.Write(b)
}

// Flush has a stream's events come as they happen.
func (a *answered) Flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() }

// Unwrap is the answer as the server knows it.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// checkUndescribed checks that what is not described has no answer but a problem. The pages, and what programs
// ask to log in, are described elsewhere.
func checkUndescribed(r *http.Request, status int, kind string) error {
	for _, path := range []string{"/oauth/", "/.well-known/", "/login", "/device"} {
		if strings.HasPrefix(r.URL.Path, path) {
			return nil
		}
	}
	if r.URL.Path == "/" || strings.Contains(r.Header.Get("Accept"), "text/html") {
		return nil
	}
	if status < 400 || kind != "application/problem+json" {
		return fmt.Errorf("it is %q, and not described", kind)
	}
	return nil
}

// checkOne checks a request and its answer against one description. A request that was refused need
// not be as it is described.
func (d *Documents) checkOne(router routers.Router, r *http.Request, got *answered) error {
	route, params, err := router.FindRoute(r)
	if err != nil && router == d.routers[0] { // the contract has less
		return checkUndescribed(r, got.status, got.Header().Get("Content-Type"))
	}
	if err != nil {
		return nil
	}
	kind := got.Header().Get("Content-Type")
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true,
			ExcludeResponseBody: kind == "text/event-stream", // it is read as the stream that it is
		},
	}
	if got.status < 300 {
		if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
			return fmt.Errorf("it was accepted and is not as described: %w", err)
		}
	}
	answer := route.Operation.Responses.Status(got.status)
	if answer == nil && got.status >= 400 {
		if kind != "application/problem+json" {
			return fmt.Errorf("that is not described")
		}
		return nil
	}
	output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: got.status, Header: got.Header(), Options: input.Options}
	output.SetBodyBytes(got.text.Bytes())
	if err := openapi3filter.ValidateResponse(r.Context(), output); err != nil {
		return fmt.Errorf("the answer is not as described: %w", err)
	}
	if !input.Options.ExcludeResponseBody {
		return nil
	}
	media := answer.Value.Content[kind]
	if media == nil {
		return fmt.Errorf("no stream is described")
	}
	return d.checkStream(media.Schema.Value, got.text.String())
}

// checkStream checks each event that was sent whole.
func (d *Documents) checkStream(described *openapi3.Schema, text string) error {
	blocks := strings.Split(text, "\n\n")
	for _, block := range blocks[:len(blocks)-1] {
		event := map[string]any{}
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			event[name] = value
		}
		if described.Type.Is("object") {
			if err := described.VisitJSON(event); err != nil {
				return fmt.Errorf("the event %s is not as described: %w", block, err)
			}
		}
		var data any
		if err := json.Unmarshal(fmt.Append(nil, event["data"]), &data); err != nil {
			return fmt.Errorf("the event %s: %w", block, err)
		}
		of := d.events[fmt.Sprint(event["event"])]
		if of == nil {
			return fmt.Errorf("the event %s is of no kind that is described", block)
		}
		if err := of.VisitJSON(data); err != nil {
			return fmt.Errorf("the event %s is not as described: %w", block, err)
		}
	}
	return nil
}
