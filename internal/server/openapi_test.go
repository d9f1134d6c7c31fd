package server

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/openapi.yaml anew")

const described = "../../docs/openapi.yaml"

func TestTheDescriptionIsThatOfTheAPI(t *testing.T) {
	t.Parallel()
	text, err := (&Server{}).API().YAML()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(described, text, 0o644))
		return
	}
	known, err := os.ReadFile(described)
	require.NoError(t, err)
	require.Equal(t, string(known), string(text), "go test ./internal/server -run Description -update, after a look at the difference")
}

// descriptions are what every request and answer in these tests is checked against: what the API says
// of itself, and the contract that it was written from.
var descriptions = sync.OnceValues(func() (found []routers.Router, err error) {
	openapi3filter.RegisterBodyDecoder(archiveType, openapi3filter.FileBodyDecoder)
	for _, path := range []string{described, "testdata/contract.yaml"} {
		doc, err := openapi3.NewLoader().LoadFromFile(path)
		if err != nil {
			return nil, err
		}
		doc.Servers = nil // wherever it is
		router, err := gorillamux.NewRouter(doc)
		if err != nil {
			return nil, err
		}
		found = append(found, router)
	}
	return found, nil
})

// checked is a handler whose answers, and whose good requests, are as they are described.
func checked(t *testing.T, next http.Handler) http.Handler {
	t.Helper()
	known, err := descriptions()
	require.NoError(t, err)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/events") { // a stream
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		asked := r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		for _, router := range known {
			checkOne(t, router, asked, body, recorded)
		}
		if _, _, err := known[0].FindRoute(asked); err != nil {
			checkUndescribed(t, asked, recorded)
		}
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	})
}

// checkUndescribed checks that what is not described has no answer but a problem. The pages, and what programs
// ask to log in, are described elsewhere.
func checkUndescribed(t assert.TestingT, r *http.Request, got *httptest.ResponseRecorder) {
	for _, path := range []string{"/oauth/", "/.well-known/", "/login", "/device"} {
		if strings.HasPrefix(r.URL.Path, path) {
			return
		}
	}
	if r.URL.Path == "/" || accepts(r.Header.Get("Accept"), "text/html") {
		return
	}
	if got.Code < 400 || got.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %s: %d as %q, which is not described", r.Method, r.URL.Path, got.Code, got.Header().Get("Content-Type"))
	}
}

// failures are what a check would have failed for.
type failures struct{ all []string }

func (f *failures) Errorf(format string, args ...any) {
	f.all = append(f.all, fmt.Sprintf(format, args...))
}

// TestAnAnswerThatIsNotDescribedIsFound by the check of all these tests, though there is no such path.
func TestAnAnswerThatIsNotDescribedIsFound(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		path, accept, kind string
		status, found      int
	}{
		{"/api/v2/tenants", "", "application/problem+json", 404, 0},
		{"/api/v2/tenants", "", "text/plain; charset=utf-8", 404, 1},
		{"/api/v2/tenants", "", "application/json", 200, 1},
		{"/api/v2/tenants", "text/html", "text/html", 404, 0},
		{"/device", "", "text/html", 200, 0},
		{"/oauth/token", "", "application/json", 200, 0},
	} {
		r, got, f := httptest.NewRequest("GET", one.path, nil), httptest.NewRecorder(), &failures{}
		r.Header.Set("Accept", one.accept)
		got.Header().Set("Content-Type", one.kind)
		got.Code = one.status
		checkUndescribed(f, r, got)
		require.Len(t, f.all, one.found, one)
	}
}

// checkOne checks a request and its answer against one description. A request that was refused need
// not be as it is described.
func checkOne(t *testing.T, router routers.Router, r *http.Request, body []byte, got *httptest.ResponseRecorder) {
	route, params, err := router.FindRoute(r)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true},
	}
	if got.Code < 300 {
		if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
			t.Errorf("%s %s was accepted and is not as described: %v", r.Method, r.URL.Path, err)
		}
	}
	if route.Operation.Responses.Status(got.Code) == nil && got.Code >= 400 {
		if got.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %d, which is not described", r.Method, r.URL.Path, got.Code)
		}
		return
	}
	output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: got.Code, Header: got.Header()}
	output.SetBodyBytes(got.Body.Bytes())
	output.Options = input.Options
	if err := openapi3filter.ValidateResponse(r.Context(), output); err != nil {
		t.Errorf("%s %s: the answer %d is not as described: %v", r.Method, r.URL.Path, got.Code, err)
	}
}
