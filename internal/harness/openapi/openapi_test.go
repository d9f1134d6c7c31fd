package openapi

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAnAnswerThatIsNotDescribedIsFound by the check of all these tests, though there is no such path.
func TestAnAnswerThatIsNotDescribedIsFound(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		path, accept, kind string
		status             int
		found              bool
	}{
		{"/api/v2/tenants", "", "application/problem+json", 404, false},
		{"/api/v2/tenants", "", "text/plain; charset=utf-8", 404, true},
		{"/api/v2/tenants", "", "application/json", 200, true},
		{"/api/v2/tenants", "text/html", "text/html", 404, false},
		{"/device", "", "text/html", 200, false},
		{"/oauth/token", "", "application/json", 200, false},
	} {
		r := httptest.NewRequest("GET", one.path, nil)
		r.Header.Set("Accept", one.accept)
		require.Equal(t, one.found, checkUndescribed(r, one.status, one.kind) != nil, one)
	}
}
