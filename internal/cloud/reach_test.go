package cloud

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhetherARequestMayHaveReachedAnybodyIsKnown(t *testing.T) {
	t.Parallel()
	p := newPlane(t)
	p.handle("POST /api/v1/tenants", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close() // the answer is lost
		}
	})
	ask := func() bool {
		ctx, reached := Reach(t.Context())
		_, err := p.client().Create(ctx, "the-key-of-this-one", NewTenant{Name: "one", Region: "iad"}, false)
		require.ErrorIs(t, err, ErrUnavailable)
		return reached()
	}
	require.True(t, ask())
	p.Close()
	require.False(t, ask(), "nobody listens")
}
